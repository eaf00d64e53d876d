// vLLM's server. Its --api-key guards /v1 only: /invocations stays open, so it belongs behind the gateway on a closed network.
import { bearer, service } from './service.ts';

export const vllm = service({
  id: 'vllm',
  name: 'vLLM',
  perimeter: 'onprem',
  urls: {
    'openai-chat': 'http://127.0.0.1:8000/v1',
    'openai-responses': 'http://127.0.0.1:8000/v1',
    'anthropic-messages': 'http://127.0.0.1:8000',
  },
  keyEnv: 'VLLM_API_KEY',
  endpoints: [],
  authorize: bearer,
});
