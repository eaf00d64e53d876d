// Logins whose tokens stay outside. An agent renews its login as ever; it sends and gets placeholders, and the real tokens go from the
// vendor to the user's own file. A login that is made inside lives in memory and ends with its session: written to the user's file it
// would let whoever is inside put its own account in the user's place.
import { type LoginPlace, withoutIdentity } from '../../agents/index.ts';
import { codeOf, type EntryBody, type ExchangeHead, type ExchangeReply, type LoginFlow, type LoginToken } from '../../core/index.ts';
import type { Gateway, Secret, Vault } from '../../gateway/index.ts';
import type { Session } from '../session.ts';
import { readLogin, type StoredLogin, writeLogin } from './login-file.ts';
import { type Renewal, readRenewal, renewalBody, renewalHeaders } from './renewal-request.ts';
import { errorInside, infoInside, json, maxAnswerBytes, readKey, readTokens, type Tokens, tokensInside } from './token-answer.ts';
import { type Question, questionHeaders, readQuestion } from './token-question.ts';

export interface LoginDeps {
  readonly vault: Pick<Vault, 'holder' | 'find' | 'renew'>;
  readonly gateway: Pick<Gateway, 'ask'>;
  now(): Date;
}

export interface Renewed {
  readonly reply: ExchangeReply;
  readonly outcome: Partial<EntryBody>;
}

/** Of these the agent only says that it wants them: what leaves is written here. */
export type Ours = { readonly renewal: Renewal } | { readonly question: Question };

export interface Logins {
  read(session: Session, head: ExchangeHead, body: Uint8Array): Ours | { readonly refused: string } | undefined;
  /** Asked for and allowed: new tokens, or those that another session or the user's own agent got meanwhile. Never throws. */
  renew(session: Session, renewal: Renewal): Promise<Renewed>;
  /** Asked for and allowed: what the vendor says about an access token. Never throws. */
  inquire(question: Question): Promise<Renewed>;
  /** The answer to anything else (a new login, a key for one), with placeholders for what it brings. */
  admit(
    session: Session,
    place: LoginPlace,
    answer: { readonly status: number; readonly rawHeaders: readonly string[]; readonly bytes: Buffer | undefined },
  ): ExchangeReply;
}

const timeoutMs = 30_000;
/** A token that was got so recently is handed out again: an agent in a loop does not become one of ours. */
const recentMs = 30_000;
/** An access token with less life left than this is not worth handing out. */
const shortestLifeMs = 60_000;

interface Last {
  readonly login: StoredLogin;
  /** What the file held then. Where writing failed it still does, and ours is the newer. */
  readonly replaced: StoredLogin;
  readonly atMs: number;
}

export function createLogins({ vault, gateway, now }: LoginDeps): Logins {
  /** One renewal of a login at a time, over all sessions: a refresh token that is used twice is taken for stolen. */
  const turns = new Map<string, Promise<unknown>>();
  const last = new Map<string, Last>();

  async function inTurn<T>(key: string, step: () => Promise<T>): Promise<T> {
    const before = turns.get(key);
    const own = (async () => {
      await before?.catch(() => {});
      return await step();
    })();
    turns.set(key, own);
    try {
      return await own;
    } finally {
      if (turns.get(key) === own) turns.delete(key);
    }
  }

  const keyOf = (session: Session, { flow, file }: Renewal): string => JSON.stringify([flow.id, flow.client.id, file ?? session.id]);

  /** The newest tokens of this login that are known; `undefined` when the user has logged out. */
  async function newest(session: Session, { flow, file, secret }: Renewal, key: string): Promise<StoredLogin | undefined> {
    if (file === undefined) {
      const access = vault.find(`${flow.id}:access`, session.id)?.value;
      return access === undefined
        ? undefined
        : { access, refresh: secret.value, expiresAt: undefined, identity: undefined, host: undefined };
    }
    const stored = await readLogin(file, flow);
    const known = last.get(key);
    const isBehind = stored?.refresh === known?.replaced.refresh && stored?.access === known?.replaced.access;
    return stored && known && isBehind ? known.login : stored;
  }

  async function renewOne(session: Session, renewal: Renewal, key: string): Promise<Renewed> {
    const { flow, file, host } = renewal;
    const login = await newest(session, renewal, key);
    if (login === undefined) return without(json(400, { error: 'invalid_grant' }), 'the login is not there any more');
    const nowMs = now().getTime();
    const known = last.get(key);
    const isRecent = known?.login.access === login.access && nowMs - known.atMs < recentMs;
    const isNews = vault.find(`${flow.id}:access`, session.id)?.value !== login.access;
    const lives = login.expiresAt === undefined || login.expiresAt - nowMs > shortestLifeMs;
    if (file !== undefined && (isRecent || (isNews && lives))) return without(handOut(session, renewal, login, undefined), undefined);

    const body = renewalBody(renewal, login.refresh);
    const answer = await gateway.ask({
      host,
      path: flow.token.path,
      headers: renewalHeaders(flow),
      body,
      timeoutMs,
      maxBytes: maxAnswerBytes,
    });
    const bytes = { status: answer.status, bytesOut: body.length, bytesIn: answer.bytes?.length ?? maxAnswerBytes };
    const tokens = readTokens(answer.status, answer.bytes, flow);
    if (tokens === undefined) return { reply: errorInside(answer.status, answer.rawHeaders, answer.bytes), outcome: bytes };
    const next: StoredLogin = {
      access: tokens.access,
      refresh: tokens.refresh ?? login.refresh,
      expiresAt: tokens.expiresIn === undefined ? undefined : nowMs + tokens.expiresIn * 1000,
      identity: tokens.identity ?? login.identity,
      host: tokens.host ?? login.host,
    };
    const isWritten = file === undefined ? undefined : await keep(file, flow, login, next, key, nowMs);
    const detail = { renewed: true, ...(isWritten === undefined ? {} : { written: isWritten }) };
    return { reply: handOut(session, renewal, next, tokens), outcome: { ...bytes, detail } };
  }

  async function keep(file: string, flow: LoginFlow, used: StoredLogin, next: StoredLogin, key: string, atMs: number): Promise<boolean> {
    const replaced = last.get(key)?.login === used ? (last.get(key)?.replaced ?? used) : used;
    last.set(key, { login: next, replaced, atMs });
    return await writeLogin(file, flow, replaced, next, now());
  }

  function handOut(session: Session, { flow, file }: Renewal, login: StoredLogin, tokens: Tokens | undefined): ExchangeReply {
    if (session.life.signal.aborted) return json(503, { error: 'temporarily_unavailable' });
    const [access, refresh] = secretsOf(flow, login.access, login.refresh, file);
    const placeholders = {
      access: vault.renew(session.id, access),
      refresh: vault.renew(session.id, refresh),
      identity: flow.identity && withoutIdentity(flow, login.identity),
    };
    const leftMs = login.expiresAt === undefined ? undefined : login.expiresAt - now().getTime();
    const shown: Tokens = { ...login, expiresIn: undefined, scope: tokens?.scope };
    return tokensInside(shown, placeholders, leftMs === undefined ? undefined : Math.max(1, Math.floor(leftMs / 1000)));
  }

  return {
    read(session, head, body) {
      const question = readQuestion(head, session.id, vault);
      return question ? { question } : readRenewal(head, body, session.id, session.principal.agent, vault);
    },
    async renew(session, renewal) {
      const key = keyOf(session, renewal);
      try {
        return await inTurn(key, () => renewOne(session, renewal, key));
      } catch (fault) {
        return unanswered(fault);
      }
    },
    async inquire(question) {
      const { host, path, access } = question;
      try {
        const headers = questionHeaders(question);
        const { status, rawHeaders, bytes } = await gateway.ask({
          host,
          path,
          headers,
          body: Buffer.alloc(0),
          timeoutMs,
          maxBytes: maxAnswerBytes,
        });
        return {
          reply: infoInside(status, rawHeaders, bytes, access),
          outcome: { status, bytesOut: 0, bytesIn: bytes?.length ?? maxAnswerBytes },
        };
      } catch (fault) {
        return unanswered(fault);
      }
    },
    admit(session, { flow, brings }, { status, rawHeaders, bytes }) {
      if (brings === 'key') {
        const key = readKey(status, bytes, flow);
        if (key === undefined || !flow.key) return errorInside(status, rawHeaders, bytes);
        if (session.life.signal.aborted) return json(503, { error: 'temporarily_unavailable' });
        const { member, prefix } = flow.key;
        return json(status, { [member]: vault.renew(session.id, { id: `${flow.id}:key`, value: key, ...flow.access, prefix }) });
      }
      const tokens = readTokens(status, bytes, flow);
      if (tokens === undefined) return errorInside(status, rawHeaders, bytes);
      if (session.life.signal.aborted) return json(503, { error: 'temporarily_unavailable' });
      const [access, refresh] = secretsOf(flow, tokens.access, tokens.refresh ?? '', undefined);
      const placeholders = {
        access: vault.renew(session.id, access),
        refresh: tokens.refresh === undefined ? undefined : vault.renew(session.id, refresh),
        identity: flow.identity && withoutIdentity(flow, tokens.identity),
      };
      return tokensInside(tokens, placeholders, tokens.expiresIn);
    },
  };
}

function unanswered(fault: unknown): Renewed {
  return without(json(503, { error: 'temporarily_unavailable' }), `the token endpoint did not answer (${codeOf(fault) ?? 'INTERNAL'})`);
}

function without(reply: ExchangeReply, reason: string | undefined): Renewed {
  const detail = { renewed: false };
  return { reply, outcome: { status: reply.status, bytesOut: 0, bytesIn: 0, detail, ...(reason === undefined ? {} : { reason }) } };
}

function secretsOf(flow: LoginFlow, access: string, refresh: string, file: string | undefined): [access: Secret, refresh: Secret] {
  const login = (kind: LoginToken['kind']): LoginToken => ({ flow, kind, ...(file === undefined ? {} : { file }) });
  const { token, refreshPrefix } = flow;
  return [
    { id: `${flow.id}:access`, value: access, ...flow.access, login: login('access') },
    {
      id: `${flow.id}:refresh`,
      value: refresh,
      hosts: token.hosts,
      pathPrefix: token.path,
      prefix: refreshPrefix,
      login: login('refresh'),
    },
  ];
}
