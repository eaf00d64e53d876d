// Google Vertex AI: Gemini below `…/publishers/google`, and an OpenAI-compatible address (`…/endpoints/openapi`). The key is an
// access token, or the JSON of a service account; then each call carries a self-signed JWT (RFC 7523; Google AIP-4111), so that no
// token endpoint has to be contacted.
import crypto from 'node:crypto';
import { bearer, type ModelEndpoint, service } from './service.ts';

const hosts = ['aiplatform.googleapis.com', '*-aiplatform.googleapis.com', 'aiplatform.*.rep.googleapis.com'];
const publisher =
  /^\/v1(?:beta1)?\/projects\/[^/]+\/locations\/[^/]+\/publishers\/google\/models\/[^/]+:(?:generateContent|streamGenerateContent|countTokens)$/;
const openapi = /^\/v1(?:beta1)?\/projects\/[^/]+\/locations\/[^/]+\/endpoints\/openapi\/chat\/completions$/;

export const vertex = service({
  id: 'vertex',
  name: 'Google Vertex AI',
  perimeter: 'vpc',
  urls: {},
  endpoints: hosts.flatMap((host): ModelEndpoint[] => [
    { host, path: publisher, dialect: 'gemini' },
    { host, path: openapi, dialect: 'openai-chat' },
  ]),
  pathOf: (dialect, ownPath) => (dialect === 'gemini' ? ownPath.replace(/^\/v1beta(?=\/models\/)/, '') : ownPath),
  authorize(key, dialect, outgoing, now) {
    const account = parseAccount(key);
    return bearer(account ? selfSigned(account, `https://${outgoing.url.hostname}/`, now) : key, dialect, outgoing, now);
  },
});

interface Account {
  readonly email: string;
  readonly privateKey: string;
  readonly keyId: string;
}

function parseAccount(key: string): Account | undefined {
  if (!key.trimStart().startsWith('{')) return undefined;
  const parsed: unknown = JSON.parse(key);
  if (typeof parsed !== 'object' || parsed === null) return undefined;
  const fields = new Map(Object.entries(parsed));
  const text = (name: string): string => String(fields.get(name) ?? '');
  return { email: text('client_email'), privateKey: text('private_key'), keyId: text('private_key_id') };
}

/** Tokens are good for an hour; one is reused for fifty minutes, because RSA costs more than the rest of a call. */
const issued = new Map<string, { readonly token: string; readonly until: number }>();

function selfSigned(account: Account, audience: string, now: Date): string {
  const seconds = Math.floor(now.getTime() / 1000);
  const slot = crypto.hash('sha256', `${account.privateKey} ${audience}`, 'hex');
  const known = issued.get(slot);
  if (known && known.until > seconds) return known.token;
  const claims = { iss: account.email, sub: account.email, aud: audience, iat: seconds, exp: seconds + 3600 };
  const text = `${part({ alg: 'RS256', typ: 'JWT', kid: account.keyId })}.${part(claims)}`;
  const token = `${text}.${crypto.sign('sha256', Buffer.from(text), account.privateKey).toString('base64url')}`;
  issued.set(slot, { token, until: seconds + 3000 });
  return token;
}

function part(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
