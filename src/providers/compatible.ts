// Further services that speak a known dialect with nothing of their own to it. They are listed so that a program that dials them
// itself is recognised as making a model call; as a provider they need only their url.
import { anthropicPaths, bearer, type ModelEndpoint, openAiPaths, service } from './service.ts';

const endpoints: readonly ModelEndpoint[] = [
  ...openAiPaths('api.x.ai'),
  anthropicPaths('api.x.ai'),
  ...openAiPaths('api.mistral.ai'),
  ...openAiPaths('codestral.mistral.ai'),
  ...openAiPaths('api.groq.com', '/openai/v1'),
  ...openAiPaths('api.together.xyz'),
  ...openAiPaths('api.fireworks.ai', '/inference/v1'),
  ...openAiPaths('api.cerebras.ai'),
  ...openAiPaths('router.huggingface.co'),
  ...openAiPaths('api.moonshot.cn'),
  ...openAiPaths('api.moonshot.ai'),
  anthropicPaths('api.moonshot.cn', '/anthropic'),
  anthropicPaths('api.moonshot.ai', '/anthropic'),
  ...openAiPaths('api.kimi.com', '/coding/v1'),
  anthropicPaths('api.kimi.com', '/coding'),
  ...['open.bigmodel.cn', 'api.z.ai'].flatMap((host) => [
    ...openAiPaths(host, '/api/paas/v4'),
    ...openAiPaths(host, '/api/coding/paas/v4'),
    anthropicPaths(host, '/api/anthropic'),
  ]),
  ...openAiPaths('api.minimax.io'),
  anthropicPaths('api.minimax.io', '/anthropic'),
  ...openAiPaths('ark.cn-beijing.volces.com', '/api/v3'),
  ...openAiPaths('api.siliconflow.cn'),
  ...openAiPaths('api.githubcopilot.com', ''),
  ...openAiPaths('*.githubcopilot.com', ''),
  anthropicPaths('api.githubcopilot.com'),
  ...openAiPaths('models.github.ai', '/inference'),
  ...openAiPaths('opencode.ai', '/zen/v1'),
  anthropicPaths('opencode.ai', '/zen'),
];

export const compatible = service({
  id: 'compatible',
  name: 'Compatible service',
  perimeter: 'public',
  urls: {},
  endpoints,
  authorize: bearer,
});
