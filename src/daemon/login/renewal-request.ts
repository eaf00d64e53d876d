// Is this exchange the renewal of a login (RFC 6749, section 6)? What an agent wrote is only read here: the request that leaves is written
// anew from the login's own words, so that nothing of the agent's choosing goes along with a real token.
import crypto from 'node:crypto';
import { type LoginPlace, loginAt } from '../../agents/index.ts';
import { type ExchangeHead, headerOf, type LoginFlow } from '../../core/index.ts';
import type { Secret, Vault } from '../../gateway/index.ts';

export interface Renewal {
  readonly secret: Secret;
  readonly flow: LoginFlow;
  /** Where the user's login stands; left out for one that was made inside. */
  readonly file: string | undefined;
  readonly host: string;
  /** What every copy of the agent says beside its id, checked by its hash. */
  readonly clientSecret: string | undefined;
}

export type Asked = { readonly renewal: Renewal } | { readonly refused: string } | undefined;

/** The login whose tokens, or whose key, come from here. */
export function loginPlace(head: ExchangeHead, agent: string): LoginPlace | undefined {
  const query = head.target.indexOf('?');
  const path = query < 0 ? head.target : head.target.slice(0, query);
  return head.isDirect || head.scheme !== 'https' || head.port !== 443 ? undefined : loginAt(head.host, path, agent);
}

/** `undefined`: no renewal, an exchange like any other. Fields that are not looked at here (`scope`, a reason) do not leave either. */
export function readRenewal(head: ExchangeHead, body: Uint8Array, session: string, agent: string, vault: Pick<Vault, 'holder'>): Asked {
  if (loginPlace(head, agent)?.brings !== 'tokens') return undefined;
  const fields = fieldsOf(body, headerOf(head.rawHeaders, 'content-type') ?? '');
  const token = fields?.get('refresh_token');
  if (fields?.get('grant_type') !== 'refresh_token' || token === undefined) return undefined;
  const secret = vault.holder(token, session);
  if (secret === undefined) return undefined; // A placeholder that is not this session's own is found like in any other body.
  const { login } = secret;
  const isHere = login?.kind === 'refresh' && login.flow.token.hosts.includes(head.host);
  if (!isHere) return { refused: 'this is not the token that renews the login here' };
  const { flow, file } = login;
  if (head.method !== 'POST' || head.target !== flow.token.path) return { refused: 'the renewal of a login is asked for in another form' };
  const id = fields.get('client_id');
  if (id !== undefined && id !== flow.client.id) return { refused: 'the renewal of a login is asked for in the name of another client' };
  const clientSecret = fields.get('client_secret');
  const isRight = (clientSecret && crypto.hash('sha256', clientSecret)) === flow.client.secretSha256;
  if (!isRight) return { refused: 'the renewal of a login is asked for with another client secret' };
  return { renewal: { secret, flow, file, host: head.host, clientSecret } };
}

/** What leaves: every byte of it is ours or the vendor's. */
export function renewalBody({ flow, clientSecret }: Renewal, refreshToken: string): Buffer {
  const fields = {
    grant_type: 'refresh_token',
    refresh_token: refreshToken,
    client_id: flow.client.id,
    ...(clientSecret === undefined ? {} : { client_secret: clientSecret }),
  };
  return Buffer.from(flow.token.form === 'json' ? JSON.stringify(fields) : new URLSearchParams(fields).toString());
}

export function renewalHeaders({ token }: LoginFlow): readonly string[] {
  const type = token.form === 'json' ? 'application/json' : 'application/x-www-form-urlencoded';
  return ['content-type', type, 'accept', 'application/json', 'accept-encoding', 'identity', 'user-agent', 'intramur'];
}

/** Flat fields of a JSON object or a form; `undefined` for anything else, and for a name that stands twice. */
function fieldsOf(body: Uint8Array, contentType: string): ReadonlyMap<string, string> | undefined {
  if (body.length > 64 * 1024) return undefined;
  const text = Buffer.from(body).toString('utf8');
  const pairs = /\bjson\b/i.test(contentType) ? jsonPairs(text) : [...new URLSearchParams(text)];
  const fields = new Map(pairs);
  return pairs && fields.size === pairs.length ? fields : undefined;
}

function jsonPairs(text: string): [string, string][] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (value === null || typeof value !== 'object' || Array.isArray(value)) return undefined;
    return Object.entries(value).map(([name, field]) => [name, typeof field === 'string' ? field : JSON.stringify(field)]);
  } catch {
    return undefined;
  }
}
