// Is the access token of this login still good? Some agents ask the endpoint that made it before they use it, and hold the login for void
// without an answer. As with a renewal, what leaves is written anew: of what the agent wrote nothing goes along with the real token.
import { type ExchangeHead, headerOf } from '../../core/index.ts';
import type { Vault } from '../../gateway/index.ts';

export interface Question {
  /** The real token. */
  readonly access: string;
  readonly host: string;
  readonly path: string;
}

/** Only about this session's own token, whole, as a bearer's, at its own endpoint; `undefined` for an exchange like any other. */
export function readQuestion(head: ExchangeHead, session: string, vault: Pick<Vault, 'holder'>): Question | undefined {
  const { scheme, host, port, isDirect, method, target, rawHeaders } = head;
  if (isDirect || scheme !== 'https' || port !== 443 || method !== 'POST') return undefined;
  const [, placeholder] = /^Bearer (\S+)$/.exec(headerOf(rawHeaders, 'authorization') ?? '') ?? [];
  const secret = placeholder === undefined ? undefined : vault.holder(placeholder, session);
  if (secret?.login?.kind !== 'access') return undefined;
  const { hosts, infoPath } = secret.login.flow.token;
  return target === infoPath && hosts.includes(host) ? { access: secret.value, host, path: infoPath } : undefined;
}

export function questionHeaders({ access }: Question): readonly string[] {
  return ['authorization', `Bearer ${access}`, 'accept', 'application/json', 'accept-encoding', 'identity', 'user-agent', 'intramur'];
}
