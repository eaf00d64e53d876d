// Candidates of a model call, and the request that each of them would get. What may really be used is for the decision to say.
import { type Config, type ProviderConfig, targetsFor } from '../config/index.ts';
import { assertNever, type Dialect, type ExchangeHead, IntramurError, type Principal, type Target } from '../core/index.ts';
import { leavesThroughOllama, type Service, serviceAt } from '../providers/index.ts';
import { type BodyCall, type Translation, translateRequest, withModel, withoutCarriedSignatures } from '../wire/index.ts';
import { forEachHeader, goesUp, headersUp, lacksHeader } from './headers.ts';
import { type Check, checkFor } from './resolve.ts';
import type { Scrubber } from './scrub.ts';
import type { UpstreamRequest } from './upstream.ts';
import type { Vault } from './vault.ts';

/** A provider of the configuration with what follows from its address, worked out once. */
export interface Upstream {
  readonly provider: ProviderConfig;
  readonly url: URL;
  readonly service: Service;
}

export interface RouteDeps {
  /** Candidates of the model map for a name, in a dialect. */
  targetsFor(model: string, dialect: Dialect): readonly Target[];
  readonly upstreams: ReadonlyMap<string, Upstream>;
  readonly vault: Vault;
  readonly scrubber: Scrubber;
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

const maxRemembered = 1000;

export function createRoutes(config: Config): Pick<RouteDeps, 'targetsFor' | 'upstreams'> {
  const upstreams = new Map(
    config.providers.map((provider): [string, Upstream] => {
      const url = new URL(provider.url);
      return [provider.id, { provider, url, service: serviceAt(url) }];
    }),
  );
  const known = new Map<string, readonly Target[]>();
  return {
    upstreams,
    targetsFor(model, dialect) {
      const name = `${dialect} ${model}`;
      const found = known.get(name) ?? nativeFirst(upstreams, targetsFor(config, model, dialect), dialect);
      // Names come from callers, so what is remembered is bounded.
      if (known.size >= maxRemembered) known.clear();
      known.set(name, found);
      return found;
    },
  };
}

/** Inside first, as the model map has it. Only providers whose credential this caller has. */
export function candidates(deps: RouteDeps, asked: Omit<Asked, 'bytes' | 'stream'>): readonly Target[] {
  const { call, head, principal, model } = asked;
  return deps.targetsFor(model, call.dialect).filter((target) => {
    const upstream = deps.upstreams.get(target.provider);
    if (!upstream) return false;
    const { provider, url, service } = upstream;
    // Tokens are counted by a target that knows the call as it is; where there is none, we estimate.
    if (call.kind === 'count-tokens' && target.dialect !== call.dialect) return false;
    if (target.perimeter === 'onprem' && leavesThroughOllama(target.model)) return false;
    if (provider.credential === 'provider') return true;
    // The caller's own credential: only of somebody in a sandbox, and only to the service that the credential belongs to.
    if (principal.via !== 'sandbox') return false;
    if (head.via !== 'gateway') return service === serviceAt(new URL(`https://${hostInUrl(head.host)}/`));
    return deps.vault.covers(
      head.rawHeaders,
      { scheme: schemeOf(url), host: url.hostname, target: pathAt(url, ownPath(call, model)) },
      principal.session,
    );
  });
}

/** Where one server is declared in several dialects with the same model, the caller's own goes first: nothing is lost on that way. */
function nativeFirst(upstreams: ReadonlyMap<string, Upstream>, targets: readonly Target[], dialect: Dialect): readonly Target[] {
  if (targets.length < 2) return targets;
  const serverOf = ({ provider, model }: Target): string => `${upstreams.get(provider)?.url.origin} ${model}`;
  const servers = targets.map(serverOf);
  const rank = (target: Target): number => servers.indexOf(serverOf(target)) * 2 + (target.dialect === dialect ? 0 : 1);
  return targets.toSorted((a, b) => rank(a) - rank(b));
}

export interface Prepared extends UpstreamRequest {
  readonly check: Check;
  readonly body: Uint8Array;
  /** Set when the target speaks another dialect than the caller. */
  readonly translation?: Translation;
  /** What the translation dropped that matters, as the caller wrote it. */
  readonly lossy: readonly string[];
  /** What was taken out of the body, `rule:count`. */
  readonly scrubs: readonly string[];
}

/**
 * The request for one target. Throws `CREDENTIAL_MISUSED` when the caller's placeholder does not belong there, `DIALECT_LOSSY` when
 * the target's dialect cannot say what the call is about.
 */
export function prepare(deps: RouteDeps, asked: Asked, target: Target): Prepared {
  const { call, head, principal } = asked;
  const upstream = deps.upstreams.get(target.provider);
  if (!upstream) throw new IntramurError('INTERNAL', `no provider ${target.provider}`);
  const { provider, service } = upstream;
  const isForwarded = provider.credential === 'client' && head.via !== 'gateway';
  const base = isForwarded ? new URL(`${head.scheme}://${hostInUrl(head.host)}:${head.port}`) : upstream.url;
  const written = target.dialect === call.dialect ? inOwnDialect(asked, target, base) : inOther(deps, asked, target, base);
  const { bytes: body, counts } =
    target.perimeter === 'public' ? deps.scrubber.scrub(written.body, provider.credential) : { bytes: written.body, counts: [] };
  const below = (service.pathOf ?? same)(target.dialect, written.below);
  const path = isForwarded ? written.forwarded : pathAt(base, below) + written.query;
  const headers = headersUp(head, asked.stream, target.dialect === call.dialect ? provider.credential : 'other-dialect');
  const request = {
    origin: base.origin,
    method: 'POST',
    body,
    timeoutMs: provider.timeoutMs,
    check: checkFor(target.perimeter),
    lossy: written.lossy,
    scrubs: counts,
    ...(written.translation ? { translation: written.translation } : {}),
  } as const;

  if (provider.credential === 'client') {
    const restored = deps.vault.restore(headers, { scheme: schemeOf(base), host: base.hostname, target: path }, principal.session);
    return { ...request, path: restored.target, headers: restored.rawHeaders };
  }
  if (target.dialect === 'anthropic-messages' && lacksHeader(headers, 'anthropic-version')) headers.push('anthropic-version', '2023-06-01');
  const key = deps.keyOf(provider);
  if (key === undefined) return { ...request, path, headers };
  const authorized = service.authorize(key, target.dialect, { url: new URL(base.origin + path), bytes: body }, deps.now());
  return { ...request, path, headers: [...headers, ...authorized.flat()] };
}

interface Written {
  readonly body: Uint8Array;
  /** Path below the provider's url. */
  readonly below: string;
  readonly query: string;
  /** Path and query at the host that the caller itself dialled. */
  readonly forwarded: string;
  readonly lossy: readonly string[];
  readonly translation?: Translation;
}

function inOwnDialect({ call, head, model, bytes }: Asked, target: Target, base: URL): Written {
  const own = withoutCarriedSignatures(call.dialect, bytes);
  const renamed =
    target.model === model ? { target: head.target, body: own } : withModel(call.dialect, call, own, head.target, target.model);
  return {
    body: renamed.body,
    below: ownPath(call, target.model),
    query: queryOf(head.target, base),
    forwarded: renamed.target,
    lossy: [],
  };
}

/** The caller's query belongs to the caller's dialect and stays behind. */
function inOther({ now }: RouteDeps, { call, head, bytes }: Asked, target: Target, base: URL): Written {
  if (call.kind !== 'invoke') throw new IntramurError('DIALECT_LOSSY', 'only a call of the model can be translated');
  const translated = translateRequest(target.dialect, call, bytes, target.model, { now: () => now().getTime() });
  const [below = ''] = translated.target.split('?', 1);
  const { body, lossy, translation } = translated;
  return { body, below, query: queryOf(translated.target, base), forwarded: head.target, lossy, translation };
}

/**
 * What leaves beside the body, for inspection. A credential is among it where it is the caller's own that goes on: a placeholder is no
 * finding, and anything else that is written there leaves like any other text.
 */
export function viewsOf(
  { upstreams }: Pick<RouteDeps, 'upstreams'>,
  { call, head }: Pick<Asked, 'call' | 'head'>,
  targets: readonly Target[],
): readonly string[] {
  const isOwn = targets.some(({ provider }) => upstreams.get(provider)?.provider.credential === 'client');
  const views = isOwn ? [head.target] : wordsOf(call, head.target);
  forEachHeader(head.rawHeaders, (name, value) => {
    if (goesUp(name, isOwn ? 'client' : 'provider')) views.push(value);
  });
  return views;
}

/** A base that brings no query of its own. */
const nowhere = new URL('http://x/');

/** What of the target is the caller's own words where only those go on: of a path, the model's name. The rest of it is the dialect's. */
function wordsOf(call: BodyCall, target: string): string[] {
  const words = (call.modelInPath ?? '') + queryOf(target, nowhere);
  return words === '' ? [] : [words];
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
