// SGLang's server: Messages, Chat and Responses on one port. It rejects `redacted_thinking` and `budget_tokens`.
import { bearer, service } from './service.ts';

export const sglang = service({
  id: 'sglang',
  name: 'SGLang',
  perimeter: 'onprem',
  urls: {
    'openai-chat': 'http://127.0.0.1:30000/v1',
    'openai-responses': 'http://127.0.0.1:30000/v1',
    'anthropic-messages': 'http://127.0.0.1:30000',
  },
  endpoints: [],
  authorize: bearer,
});
