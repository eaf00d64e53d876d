// Candidates of a model call, and the request that each of them would get. What may really be used is for the decision to say.
import { type Config, type ProviderConfig, targetsFor } from '../config/index.ts';
import { assertNever, type ExchangeHead, IntramurError, type Principal, type Target } from '../core/index.ts';
import { leavesThroughOllama, serviceAt } from '../providers/index.ts';
import { type BodyCall, withModel } from '../wire/index.ts';
import { headersUp, lacksHeader, pairsOf } from './headers.ts';
import type { Check } from './resolve.ts';
import type { UpstreamRequest } from './upstream.ts';
import type { Vault } from './vault.ts';

export interface RouteDeps {
  readonly config: Config;
  readonly vault: Vault;
  keyOf(provider: ProviderConfig): string | undefined;
  now(): Date;
}

export interface Asked {
  readonly call: BodyCall;
  readonly head: ExchangeHead;
  readonly principal: Principal;
  readonly model: string;
  readonly stream: boolean;
  readonly bytes: Uint8Array;
}

/** Inside first, as the model map has it. Only providers that speak the caller's dialect, and whose credential this caller has. */
export function candidates({ config, vault }: RouteDeps, asked: Omit<Asked, 'bytes' | 'stream'>): readonly Target[] {
  const { call, head, principal, model } = asked;
  return targetsFor(config, model, call.dialect).filter((target) => {
    const provider = providerOf(config, target);
    if (!provider || target.dialect !== call.dialect) return false;
    if (target.perimeter === 'onprem' && leavesThroughOllama(target.model)) return false;
    if (provider.credential === 'provider') return true;
    // The caller's own credential: only of somebody in a sandbox, and only to the service that the credential belongs to.
    if (principal.via !== 'sandbox') return false;
    const url = new URL(provider.url);
    if (head.via !== 'gateway') return serviceAt(url) === serviceAt(new URL(`https://${hostInUrl(head.host)}/`));
    return vault.covers(
      head.rawHeaders,
      { scheme: schemeOf(url), host: url.hostname, target: pathAt(url, ownPath(call, model)) },
      principal.session,
    );
  });
}

export function providerOf(config: Config, target: Target): ProviderConfig | undefined {
  return config.providers.find(({ id }) => id === target.provider);
}

export interface Prepared extends UpstreamRequest {
  readonly check: Check;
  readonly body: Uint8Array;
}

/** The request for one target. Throws `CREDENTIAL_MISUSED` when the caller's placeholder does not belong there. */
export function prepare(deps: RouteDeps, asked: Asked, target: Target): Prepared {
  const { call, head, principal, bytes } = asked;
  const provider = providerOf(deps.config, target);
  if (!provider) throw new IntramurError('INTERNAL', `no provider ${target.provider}`);
  const renamed =
    target.model === asked.model ? { target: head.target, body: bytes } : withModel(call.dialect, call, bytes, head.target, target.model);
  const isForwarded = provider.credential === 'client' && head.via !== 'gateway';
  const service = serviceAt(new URL(provider.url));
  const base = isForwarded ? new URL(`${head.scheme}://${hostInUrl(head.host)}:${head.port}`) : new URL(provider.url);
  const path = isForwarded
    ? renamed.target
    : pathAt(base, (service.pathOf ?? same)(call.dialect, ownPath(call, target.model))) + queryOf(head.target, base);
  const headers = headersUp(head, asked.stream, provider.credential);
  const request = {
    origin: base.origin,
    method: 'POST',
    body: renamed.body,
    timeoutMs: provider.timeoutMs,
    check: target.perimeter === 'onprem' ? 'inside' : 'any',
  } as const;

  if (provider.credential === 'client') {
    const restored = deps.vault.restore(headers, { scheme: schemeOf(base), host: base.hostname, target: path }, principal.session);
    return { ...request, path: restored.target, headers: restored.rawHeaders };
  }
  if (call.dialect === 'anthropic-messages' && lacksHeader(headers, 'anthropic-version')) headers.push('anthropic-version', '2023-06-01');
  const key = deps.keyOf(provider);
  const authorized =
    key === undefined ? [] : service.authorize(key, call.dialect, { url: new URL(base.origin + path), bytes: renamed.body }, deps.now());
  return { ...request, path, headers: [...headers, ...authorized.flat()] };
}

/** What leaves beside the body, for inspection. The credential is not among it: it never goes where a decision is needed. */
export function viewsOf(head: ExchangeHead): readonly string[] {
  const views: string[] = [];
  const query = queryOf(head.target, new URL('http://x/'));
  if (query !== '') views.push(query);
  for (const [name, value] of pairsOf(head.rawHeaders)) if (isInspected(name.toLowerCase())) views.push(value);
  return views;
}

function isInspected(name: string): boolean {
  return /^(?:anthropic-|openai-|originator$|user-agent$|x-app$|x-dashscope-|chatgpt-)/.test(name);
}

function same(_dialect: unknown, path: string): string {
  return path;
}

/** Path below a provider's url, as the configuration defines what precedes it. */
function ownPath(call: BodyCall, model: string): string {
  switch (call.dialect) {
    case 'anthropic-messages':
      return call.kind === 'count-tokens' ? '/v1/messages/count_tokens' : '/v1/messages';
    case 'openai-chat':
      return '/chat/completions';
    case 'openai-responses':
      return '/responses';
    case 'gemini': {
      const verb = call.kind === 'count-tokens' ? 'countTokens' : call.streamInPath ? 'streamGenerateContent' : 'generateContent';
      return `/v1beta/models/${model.split('/').map(encodeURIComponent).join('/')}:${verb}`;
    }
    default:
      return assertNever(call.dialect);
  }
}

function pathAt(base: URL, own: string): string {
  return base.pathname.replace(/\/+$/, '') + own;
}

/** The caller's query as it was written, less any `key`, joined to what the provider's url brings. */
function queryOf(target: string, base: URL): string {
  const start = target.indexOf('?');
  const asked = start < 0 ? [] : target.slice(start + 1).split('&');
  const kept = asked.filter((part) => part !== '' && !isKey(part.split('=')[0] ?? ''));
  const all = [...(base.search === '' ? [] : [base.search.slice(1)]), ...kept];
  return all.length === 0 ? '' : `?${all.join('&')}`;
}

function isKey(name: string): boolean {
  try {
    return ['key', 'access_token', 'api_key'].includes(decodeURIComponent(name.replaceAll('+', ' ')).trim().toLowerCase());
  } catch {
    return true;
  }
}

function schemeOf(url: URL): 'http' | 'https' {
  return url.protocol === 'http:' ? 'http' : 'https';
}

export function hostInUrl(host: string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
}
