// OpenRouter: a broker that passes calls on to many vendors. Its model names carry a vendor prefix, `anthropic/claude-…`.
import { anthropicPaths, bearer, openAiPaths, service } from './service.ts';

export const openrouter = service({
  id: 'openrouter',
  name: 'OpenRouter',
  perimeter: 'public',
  urls: {
    'openai-chat': 'https://openrouter.ai/api/v1',
    'openai-responses': 'https://openrouter.ai/api/v1',
    'anthropic-messages': 'https://openrouter.ai/api',
  },
  keyEnv: 'OPENROUTER_API_KEY',
  endpoints: [...openAiPaths('openrouter.ai', '/api/v1'), anthropicPaths('openrouter.ai', '/api')],
  authorize: bearer,
});
