// DeepSeek: OpenAI-compatible with and without /v1, Anthropic-compatible under /anthropic. It wants reasoning_content sent back.
import { anthropicPaths, native, openAiPaths, service } from './service.ts';

const host = 'api.deepseek.com';

export const deepseek = service({
  id: 'deepseek',
  name: 'DeepSeek',
  perimeter: 'public',
  urls: { 'openai-chat': `https://${host}/v1`, 'anthropic-messages': `https://${host}/anthropic` },
  keyEnv: 'DEEPSEEK_API_KEY',
  endpoints: [...openAiPaths(host), ...openAiPaths(host, ''), ...openAiPaths(host, '/beta'), anthropicPaths(host, '/anthropic')],
  authorize: native,
});
