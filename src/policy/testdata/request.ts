// Requests that tests vary.
import type { HttpRequest, LlmInvoke, NetConnect, Principal, Target } from '../../core/index.ts';
import type { Facts } from '../question.ts';

export const principal: Principal = {
  session: 'session',
  user: 'alice',
  agent: 'claude-code',
  vetting: 'unvetted',
  purpose: 'research',
  classification: 'internal',
  via: 'sandbox',
};

export const target = (id: string, perimeter: Target['perimeter'], more: Partial<Target> = {}): Target => ({
  provider: id,
  model: 'model',
  dialect: 'openai-chat',
  perimeter,
  vetted: perimeter !== 'public',
  ...more,
});

export const modelCall = (...targets: Target[]): LlmInvoke => ({
  action: 'llm.invoke',
  class: 'model',
  host: 'api.anthropic.com',
  port: 443,
  dialect: 'anthropic-messages',
  method: 'POST',
  path: '/v1/messages',
  requestedModel: 'claude',
  targets,
});

export const httpRequest = (more: Partial<HttpRequest> = {}): HttpRequest => ({
  action: 'http.request',
  class: 'other',
  host: 'git.acme.example',
  port: 443,
  scheme: 'https',
  method: 'GET',
  path: '/',
  isDirect: false,
  isGranted: false,
  ...more,
});

export const connection = (more: Partial<NetConnect> = {}): NetConnect => ({
  action: 'net.connect',
  class: 'other',
  host: 'git.acme.example',
  port: 22,
  protocol: 'ssh',
  isDirect: false,
  isGranted: false,
  ...more,
});

export const facts = (more: Partial<Facts> = {}): Facts => ({
  labels: [],
  classification: 'internal',
  now: new Date('2026-01-01T00:00:00Z'),
  ...more,
});
