// Alibaba Cloud Model Studio (DashScope): OpenAI-compatible under /compatible-mode/v1, Anthropic-compatible under /apps/anthropic,
// a coding plan on its own host, and the address that qwen-code uses with a Qwen login.
import { anthropicPaths, bearer, openAiPaths, service } from './service.ts';

const hosts = ['dashscope.aliyuncs.com', 'dashscope-intl.aliyuncs.com', 'dashscope-us.aliyuncs.com', '*.maas.aliyuncs.com'];
const codingHosts = ['coding.dashscope.aliyuncs.com', 'coding-intl.dashscope.aliyuncs.com'];

export const dashscope = service({
  id: 'dashscope',
  name: 'Alibaba Cloud Model Studio',
  perimeter: 'public',
  urls: {
    'openai-chat': 'https://dashscope.aliyuncs.com/compatible-mode/v1',
    'anthropic-messages': 'https://dashscope.aliyuncs.com/apps/anthropic',
  },
  keyEnv: 'DASHSCOPE_API_KEY',
  endpoints: [
    ...hosts.flatMap((host) => [...openAiPaths(host, '/compatible-mode/v1'), anthropicPaths(host, '/apps/anthropic')]),
    ...codingHosts.flatMap((host) => [...openAiPaths(host), anthropicPaths(host, '/apps/anthropic')]),
    ...openAiPaths('portal.qwen.ai'),
  ],
  authorize: bearer,
});
