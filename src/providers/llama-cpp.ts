// llama.cpp's llama-server. Tools need --jinja; /health answers 503 while the model loads; no previous_response_id.
import { bearer, service } from './service.ts';

export const llamaCpp = service({
  id: 'llama-cpp',
  name: 'llama.cpp server',
  perimeter: 'onprem',
  urls: {
    'openai-chat': 'http://127.0.0.1:8080/v1',
    'openai-responses': 'http://127.0.0.1:8080/v1',
    'anthropic-messages': 'http://127.0.0.1:8080',
  },
  keyEnv: 'LLAMA_API_KEY',
  endpoints: [],
  authorize: bearer,
});
