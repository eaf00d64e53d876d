// Claude Code with a Claude subscription.
import type { AgentLogin } from './agent-login.ts';

export const claudeCode: AgentLogin = {
  agent: 'claude-code',
  file: '.claude/.credentials.json',
  expired: ({ access, refresh }) => ({
    claudeAiOauth: {
      accessToken: access,
      refreshToken: refresh,
      expiresAt: Date.UTC(2020, 0, 1),
      scopes: ['user:inference', 'user:profile'],
      subscriptionType: 'max',
    },
  }),
  renewed: ({ access, refresh }) => ({
    claudeAiOauth: {
      accessToken: access,
      refreshToken: refresh,
      scopes: ['user:inference', 'user:profile'],
      subscriptionType: 'max',
    },
  }),
  tokenEndpoint: { host: 'platform.claude.com', path: '/v1/oauth/token' },
  besideTokens: { scope: 'user:inference user:profile', account: { uuid: 'account-1', email_address: 'REAL-email@example.com' } },
  hosts: ['api.anthropic.com'],
  allow: [],
  modelCall: ({ target, body }) => (target.startsWith('/v1/messages') ? { target, body } : undefined),
};
