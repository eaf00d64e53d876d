// Codex with a ChatGPT login.
import type { AgentLogin } from './agent-login.ts';

const account = { chatgpt_plan_type: 'plus', chatgpt_account_id: 'acct-1' };
const claims = { email: 'REAL-email@example.com', 'https://api.openai.com/auth': account };
const workspace = {
  id: 'acct-1',
  plan_type: 'plus',
  structure: 'personal',
  workspace_backend_origin: 'https://chatgpt.com',
  account_routing_override: 'NO_CONSTRAINT',
};

export const codex: AgentLogin = {
  agent: 'codex',
  file: '.codex/auth.json',
  expired: ({ access, refresh }) => ({
    auth_mode: 'chatgpt',
    OPENAI_API_KEY: null,
    tokens: {
      id_token: `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.c2ln`,
      access_token: access,
      refresh_token: refresh,
      account_id: 'acct-1',
    },
    last_refresh: '2020-01-01T00:00:00Z',
  }),
  renewed: ({ access, refresh }) => ({
    auth_mode: 'chatgpt',
    tokens: { access_token: access, refresh_token: refresh, account_id: 'acct-1' },
  }),
  tokenEndpoint: { host: 'auth.openai.com', path: '/oauth/token' },
  hosts: ['chatgpt.com'],
  // It asks about its workspace before the first call of the model, and does not go on without an answer.
  allow: ['chatgpt.com'],
  modelCall: ({ target, body }) => (target.endsWith('/responses') ? { target: '/v1/responses', body } : undefined),
  answer: ({ target }) => (target.endsWith('/accounts/check') ? { accounts: [workspace] } : undefined),
};
