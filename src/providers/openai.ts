// OpenAI's API, and the address that codex uses with a ChatGPT login.
import { bearer, openAiPaths, service } from './service.ts';

export const openai = service({
  id: 'openai',
  name: 'OpenAI',
  perimeter: 'public',
  urls: { 'openai-chat': 'https://api.openai.com/v1', 'openai-responses': 'https://api.openai.com/v1' },
  keyEnv: 'OPENAI_API_KEY',
  endpoints: [
    ...openAiPaths('api.openai.com'),
    ...openAiPaths('*.api.openai.com'),
    { host: 'chatgpt.com', path: /^\/backend-api\/codex\/responses$/, dialect: 'openai-responses' },
  ],
  authorize: bearer,
});
