// Qwen Code with a Qwen login. Its vendor has ended it: without `useExternal` the program says so and ends; with it, it renews as ever.
import type { AgentLogin } from './agent-login.ts';

export const qwenCode: AgentLogin = {
  agent: 'qwen-code',
  // Its recipe's way is by a key.
  args: ['-p', 'Say something.', '--yolo'],
  file: '.qwen/oauth_creds.json',
  expired: ({ access, refresh }) => ({
    access_token: access,
    refresh_token: refresh,
    token_type: 'Bearer',
    resource_url: 'portal.qwen.ai',
    expiry_date: Date.UTC(2020, 0, 1),
  }),
  renewed: ({ access, refresh }) => ({
    access_token: access,
    refresh_token: refresh,
    token_type: 'Bearer',
    resource_url: 'portal.qwen.ai',
  }),
  settings: { '.qwen/settings.json': { security: { auth: { selectedType: 'qwen-oauth', useExternal: true } } } },
  // Not among the vendors that are there without a configuration.
  config: 'providers: [{ id: qwen, dialect: openai-chat, url: "https://portal.qwen.ai/v1", perimeter: public, key: client }]',
  tokenEndpoint: { host: 'chat.qwen.ai', path: '/api/v1/oauth2/token' },
  besideTokens: { resource_url: 'portal.qwen.ai' },
  hosts: ['portal.qwen.ai', 'dashscope.aliyuncs.com'],
  allow: [],
  modelCall: ({ host, target, body }) => (host === 'portal.qwen.ai' && target === '/v1/chat/completions' ? { target, body } : undefined),
};
