// opencode with a ChatGPT login.
import type { AgentLogin } from './agent-login.ts';

export const opencode: AgentLogin = {
  agent: 'opencode',
  model: 'openai/gpt-5.5',
  file: '.local/share/opencode/auth.json',
  expired: ({ access, refresh }) => ({
    openai: { type: 'oauth', access, refresh, expires: Date.UTC(2020, 0, 1), accountId: 'acct-1' },
  }),
  renewed: ({ access, refresh }) => ({ openai: { type: 'oauth', access, refresh, accountId: 'acct-1' } }),
  // So that it reads what is outside of its workspace, too.
  settings: { '.config/opencode/opencode.json': { permission: 'allow' } },
  tokenEndpoint: { host: 'auth.openai.com', path: '/oauth/token' },
  hosts: ['chatgpt.com'],
  allow: [],
  modelCall: ({ target, body }) => (target === '/backend-api/codex/responses' ? { target: '/v1/responses', body } : undefined),
};
