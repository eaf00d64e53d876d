// The answer of a token endpoint (RFC 6749, section 5), read strictly, and the answer that goes inside, written anew: what is not listed
// here does not come in, because a token may stand anywhere in what a server chooses to say.
import type { ExchangeReply, LoginFlow } from '../../core/index.ts';

export interface Tokens {
  readonly access: string;
  readonly refresh: string | undefined;
  readonly identity: string | undefined;
  /** Seconds. */
  readonly expiresIn: number | undefined;
  readonly scope: string | undefined;
  /** Where the access token is good. */
  readonly host: string | undefined;
}

/** Longest answer that is read, bytes: a few tokens of a few kilobytes. */
export const maxAnswerBytes = 64 * 1024;
const token = /^[\x21-\x7e]{1,16384}$/;
const scopeForm = /^[a-z0-9_.:/ -]{1,1000}$/i;
const tenYearsS = 315_360_000;

/** `undefined` when these are no tokens. */
export function readTokens(status: number, bytes: Buffer | undefined, { file, access: { hosts } }: LoginFlow): Tokens | undefined {
  const fields = status === 200 ? objectIn(bytes) : undefined;
  if (fields === undefined) return undefined;
  const text = (name: string, form: RegExp): string | undefined => {
    const value = fields[name];
    return typeof value === 'string' && form.test(value) ? value : undefined;
  };
  const access = text('access_token', token);
  if (access === undefined) return undefined;
  // One that is there in another form is not taken for one that is missing: what the vendor has made void would be kept.
  if (fields['refresh_token'] !== undefined && fields['refresh_token'] !== null && text('refresh_token', token) === undefined)
    return undefined;
  const seconds = fields['expires_in'];
  return {
    access,
    refresh: text('refresh_token', token),
    identity: text('id_token', token),
    expiresIn: typeof seconds === 'number' && seconds > 0 && seconds <= tenYearsS ? Math.floor(seconds) : undefined,
    scope: text('scope', scopeForm),
    host: file.host && hosts.find((known) => known === fields['resource_url']),
  };
}

/** `undefined` when there is no key in the answer. */
export function readKey(status: number, bytes: Buffer | undefined, { key }: LoginFlow): string | undefined {
  const value = key && (status === 200 || status === 201) ? objectIn(bytes)?.[key.member] : undefined;
  return typeof value === 'string' && token.test(value) ? value : undefined;
}

export interface Placeholders {
  readonly access: string;
  readonly refresh: string | undefined;
  readonly identity: string | undefined;
}

/** INVARIANT: no part of it is a real token, whatever the server wrote where. */
export function tokensInside(tokens: Tokens, placeholders: Placeholders, expiresIn: number | undefined): ExchangeReply {
  const real = [tokens.access, tokens.refresh, tokens.identity].filter((each) => each !== undefined);
  const scope = tokens.scope !== undefined && real.some((each) => tokens.scope?.includes(each)) ? undefined : tokens.scope;
  return json(200, {
    access_token: placeholders.access,
    refresh_token: placeholders.refresh,
    id_token: placeholders.identity,
    token_type: 'Bearer',
    expires_in: expiresIn,
    scope,
    resource_url: tokens.host,
  });
}

/** Of what a vendor says about an access token: how long it lives and what for. Whose it is stays outside. */
export function infoInside(status: number, rawHeaders: readonly string[], bytes: Buffer | undefined, access: string): ExchangeReply {
  const fields = status === 200 ? objectIn(bytes) : undefined;
  if (fields === undefined) return errorInside(status, rawHeaders, bytes);
  const { scope, expires_in: seconds } = fields;
  const isScope = typeof scope === 'string' && scopeForm.test(scope) && !scope.includes(access);
  const isTime = /^\d{1,9}$/.test(String(seconds)); // Google writes it as text.
  return json(200, { ...(isScope ? { scope } : {}), ...(isTime ? { expires_in: Number(seconds) } : {}) });
}

/** Words that agents act upon: RFC 6749 and RFC 8628, and what the vendors add. Free text could hold what it complains of. */
const errors = new Set([
  ...[
    'invalid_request',
    'invalid_client',
    'invalid_grant',
    'unauthorized_client',
    'unsupported_grant_type',
    'invalid_scope',
    'access_denied',
  ],
  ...['authorization_pending', 'slow_down', 'expired_token', 'temporarily_unavailable', 'server_error', 'rate_limit_error'],
  ...['refresh_token_expired', 'refresh_token_reused', 'refresh_token_invalidated', 'token_expired'],
]);

/** What goes inside of an answer without tokens. `retry-after` in seconds is kept. */
export function errorInside(status: number, rawHeaders: readonly string[], bytes: Buffer | undefined): ExchangeReply {
  if (status < 400 || status > 599)
    return json(502, { error: 'server_error', error_description: 'the token endpoint answered otherwise than it should' });
  const fields = objectIn(bytes);
  const error = fields?.['error'];
  const nested = error !== null && typeof error === 'object' ? (error as Record<string, unknown>)['code'] : undefined;
  const word = [error, nested, fields?.['code']].find((each): each is string => typeof each === 'string' && errors.has(each));
  const at = rawHeaders.findIndex((name, i) => i % 2 === 0 && name.toLowerCase() === 'retry-after');
  const after = at < 0 ? undefined : rawHeaders[at + 1];
  const reply = json(status, nested === undefined ? { error: word ?? 'invalid_request' } : { error: { code: word ?? 'invalid_request' } });
  return after !== undefined && /^\d{1,6}$/.test(after) ? { ...reply, rawHeaders: [...reply.rawHeaders, 'retry-after', after] } : reply;
}

export function json(status: number, value: object): ExchangeReply {
  const body = Buffer.from(JSON.stringify(value));
  return {
    status,
    rawHeaders: ['content-type', 'application/json', 'cache-control', 'no-store', 'content-length', String(body.length)],
    body,
  };
}

function objectIn(bytes: Buffer | undefined): Readonly<Record<string, unknown>> | undefined {
  if (bytes === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
