// LM Studio's local server. It checks no key.
import { bearer, service } from './service.ts';

export const lmStudio = service({
  id: 'lm-studio',
  name: 'LM Studio',
  perimeter: 'onprem',
  urls: { 'openai-chat': 'http://127.0.0.1:1234/v1', 'openai-responses': 'http://127.0.0.1:1234/v1' },
  endpoints: [],
  authorize: bearer,
});
