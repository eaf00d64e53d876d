// Gemini CLI with a Google login. Its model is that of Code Assist, which puts a layer around what is asked and answered.
import type { AgentLogin, Asked, ModelCall } from './agent-login.ts';

function modelCall({ target, body }: Asked): ModelCall | undefined {
  if (target !== '/v1internal:streamGenerateContent?alt=sse') return undefined;
  const { model, request } = JSON.parse(body) as { readonly model: string; readonly request: unknown };
  return {
    target: `/v1beta/models/${model}:streamGenerateContent?alt=sse`,
    body: JSON.stringify(request),
    wrap: (response) => ({ response }),
  };
}

export const geminiCli: AgentLogin = {
  agent: 'gemini-cli',
  // Its default asks another model first which one to take.
  model: 'gemini-2.5-pro',
  file: '.gemini/oauth_creds.json',
  expired: ({ access, refresh }) => ({
    access_token: access,
    refresh_token: refresh,
    scope: 'https://www.googleapis.com/auth/cloud-platform',
    token_type: 'Bearer',
    expiry_date: Date.UTC(2020, 0, 1),
  }),
  renewed: ({ access, refresh }) => ({
    access_token: access,
    refresh_token: refresh,
    scope: 'https://www.googleapis.com/auth/cloud-platform',
    token_type: 'Bearer',
  }),
  settings: { '.gemini/settings.json': { security: { auth: { selectedType: 'oauth-personal' } } } },
  tokenEndpoint: { host: 'oauth2.googleapis.com', path: '/token' },
  hosts: ['cloudcode-pa.googleapis.com'],
  // It asks there for its project before the first call of the model.
  allow: ['cloudcode-pa.googleapis.com'],
  modelCall,
  answer({ target, isNewest }) {
    if (!isNewest) return undefined;
    if (target === '/tokeninfo') return { email: 'REAL-email@example.com', sub: 'REAL-sub', scope: 'email', expires_in: '3599' };
    if (target === '/v1internal:loadCodeAssist') return { currentTier: { id: 'free-tier' }, cloudaicompanionProject: 'project-1' };
    return target.startsWith('/v1internal:') ? {} : undefined;
  },
};
