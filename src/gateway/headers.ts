// Which headers cross the gateway. Model calls carry a short list each way, since everything else of a client says something about
// its user; direct exchanges carry all but what belongs to a connection (RFC 9110, section 7.6.1) or to us.
import type { ExchangeHead } from '../core/index.ts';

const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'expect',
]);

/** Headers that no upstream may see: where the client was headed, and keys and words that are ours. */
function isOurs(name: string): boolean {
  return name.startsWith('x-intramur-') || name === 'host' || name === 'content-length';
}

/** With the lower-case name. */
export function forEachHeader(rawHeaders: readonly string[], visit: (name: string, value: string) => void): void {
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) visit((rawHeaders[i] ?? '').toLowerCase(), rawHeaders[i + 1] ?? '');
}

/** The headers of which `isKept` says so, given the lower-case name and the value. */
export function headersWhere(rawHeaders: readonly string[], isKept: (name: string, value: string) => boolean): string[] {
  const kept: string[] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    const value = rawHeaders[i + 1] ?? '';
    if (isKept(name.toLowerCase(), value)) kept.push(name, value);
  }
  return kept;
}

/** All headers without those of the connection and those that `Connection` names. */
export function endToEnd(rawHeaders: readonly string[]): string[] {
  const named: string[] = [];
  const kept = headersWhere(rawHeaders, (name, value) => {
    if (name === 'connection') for (const token of value.split(',')) named.push(token.trim().toLowerCase());
    return !hopByHop.has(name);
  });
  return named.every((name) => hopByHop.has(name)) ? kept : headersWhere(kept, (name) => !named.includes(name));
}

/** For a direct exchange: what the program wrote, less the connection's and our own. */
export function directHeaders(rawHeaders: readonly string[]): string[] {
  return headersWhere(endToEnd(rawHeaders), (name) => !isOurs(name));
}

const upward = new Set(['anthropic-version', 'anthropic-beta', 'openai-beta']);

/** Identification of an account's own session: only for a provider that is used with the caller's own credential. */
const upwardOfClient = [
  /^authorization$/,
  /^x-api-key$/,
  /^x-goog-api-key$/,
  /^anthropic-/,
  /^openai-/,
  /^chatgpt-account-id$/,
  /^originator$/,
  /^user-agent$/,
  /^x-app$/,
  /^x-goog-/,
  /^x-dashscope-/,
];

/** Headers that go up with a call under this kind of credential: their values leave, so they are looked at. */
export function goesUp(name: string, credential: 'provider' | 'client'): boolean {
  return upward.has(name) || (credential === 'client' && upwardOfClient.some((pattern) => pattern.test(name)));
}

/**
 * Headers of a model call on its way up. `accept-encoding: identity`: an answer that we could not look into would have to be
 * refused, and compression bombs are then no concern.
 */
export function headersUp(head: ExchangeHead, stream: boolean, mode: 'provider' | 'client' | 'other-dialect'): string[] {
  const kept = [
    'content-type',
    'application/json',
    'accept',
    stream ? 'text/event-stream' : 'application/json',
    'accept-encoding',
    'identity',
  ];
  let hasAgent = false;
  if (mode !== 'other-dialect') {
    forEachHeader(head.rawHeaders, (name, value) => {
      if (!goesUp(name, mode)) return;
      hasAgent ||= name === 'user-agent';
      kept.push(name, value);
    });
  }
  if (!hasAgent) kept.push('user-agent', 'intramur');
  return kept;
}

const downward = new Set([
  'request-id',
  'x-request-id',
  'retry-after',
  'retry-after-ms',
  'x-should-retry',
  'openai-processing-ms',
  'openai-version',
]);
const downwardPrefixes = ['anthropic-ratelimit-', 'x-ratelimit-', 'x-codex-'];

/** Headers of an answer on its way down, names as the upstream wrote them. The media type is for whoever writes the body to say. */
export function headersDown(rawHeaders: readonly string[]): string[] {
  return headersWhere(rawHeaders, (name) => downward.has(name) || downwardPrefixes.some((prefix) => name.startsWith(prefix)));
}

export function lacksHeader(headers: readonly string[], name: string): boolean {
  for (let i = 0; i < headers.length; i += 2) if (headers[i]?.toLowerCase() === name) return false;
  return true;
}
