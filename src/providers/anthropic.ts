// Anthropic's own API. An OAuth token of a subscription goes as Bearer, an API key as x-api-key.
import { anthropicPaths, bearer, native, service } from './service.ts';

export const anthropic = service({
  id: 'anthropic',
  name: 'Anthropic',
  perimeter: 'public',
  urls: { 'anthropic-messages': 'https://api.anthropic.com' },
  keyEnv: 'ANTHROPIC_API_KEY',
  endpoints: [
    anthropicPaths('api.anthropic.com'),
    { host: 'api.anthropic.com', path: /^\/v1\/chat\/completions$/, dialect: 'openai-chat' },
  ],
  authorize: (key, ...rest) => (key.startsWith('sk-ant-oat') ? bearer(key, ...rest) : native(key, ...rest)),
});
