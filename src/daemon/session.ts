// The sessions that are open now. A session is one `run`: its token is the right to act in its name, its hold connection its life.
import crypto from 'node:crypto';
import type { Config, HostGrant } from '../config/index.ts';
import { canonicalHost, IntramurError, type Principal } from '../core/index.ts';
import type { PolicyEngine } from '../policy/index.ts';
import type { KnownSecrets } from './known-secrets.ts';
import type { Confinement } from './protocol.ts';
import { StartBudget } from './starts.ts';
import { Tally } from './tally.ts';

/** Why a session's life ended when its launcher said so itself. */
export const closedByLauncher = 'closed';

export interface Session {
  readonly id: string;
  readonly token: string;
  /** Its vetting follows the register while the session runs. */
  principal: Principal;
  /** Real path of the program, to hash when a pin asks for it. */
  readonly program: string;
  /** Configuration with the workspace's own file merged in. */
  readonly config: Config;
  readonly engine: PolicyEngine;
  /** What `--allow` and `egress.allow` name. */
  readonly grants: HostGrant[];
  /** Keys that a person approved while the session runs. */
  readonly keys: Set<string>;
  readonly startedAt: Date;
  /** Values that must not leave with it. The first exchange waits for them, so that the opening need not. */
  readonly secrets: Promise<KnownSecrets>;
  /** How its program is confined, as its launcher said. */
  confinement?: Confinement;
  readonly tally: Tally;
  readonly starts: StartBudget;
  /** Aborted with the reason when the session is halted or closed. */
  readonly life: AbortController;
}

export class Sessions {
  readonly #open = new Map<string, Session>();

  add(fields: Omit<Session, 'token' | 'tally' | 'starts' | 'keys' | 'life'>): Session {
    const token = crypto.randomBytes(32).toString('base64url');
    const session = {
      ...fields,
      token,
      tally: new Tally(),
      starts: new StartBudget(),
      keys: new Set<string>(),
      life: new AbortController(),
    };
    this.#open.set(session.id, session);
    return session;
  }

  /** @throws IntramurError SESSION_UNKNOWN, SESSION_HALTED */
  byToken(token: string): Session {
    for (const session of this.#open.values()) {
      if (!isSame(session.token, token)) continue;
      if (session.life.signal.aborted) throw new IntramurError('SESSION_HALTED', String(session.life.signal.reason));
      return session;
    }
    throw new IntramurError('SESSION_UNKNOWN', 'no open session has this token');
  }

  get(id: string): Session | undefined {
    return this.#open.get(id);
  }

  remove(session: Session, reason: string): void {
    this.#open.delete(session.id);
    session.life.abort(reason);
  }

  all(): Session[] {
    return [...this.#open.values()];
  }
}

/** Ends the rights of a session at once. It can still be summed up, and nothing else. */
export function halt(session: Session, reason: string): void {
  session.life.abort(reason);
}

/** Sortable by time, unguessable enough to be quoted in reports: it is a name, not a right. */
export function newSessionId(now: Date): string {
  return `${now.toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-')}-${crypto.randomBytes(4).toString('hex')}`;
}

function isSame(a: string, b: string): boolean {
  const [x, y] = [Buffer.from(a), Buffer.from(b)];
  return x.length === y.length && crypto.timingSafeEqual(x, y);
}

/** True when a grant names host and port. `*.example.org` grants the names below `example.org`. */
export function isGranted(grants: readonly HostGrant[], host: string, port: number): boolean {
  return grants.some((grant) => grant.ports.includes(port) && matchesHost(grant.host, host));
}

function matchesHost(pattern: string, host: string): boolean {
  return pattern.startsWith('*.') ? host.endsWith(pattern.slice(1)) && host.length > pattern.length - 1 : pattern === host;
}

/** @throws IntramurError USAGE when the text is not `HOST` or `HOST:PORT` */
export function parseGrant(text: string): HostGrant {
  const match = /^(?<host>\[[0-9a-f:.]+\]|[^:\s/@]+)(?::(?<port>\d{1,5}))?$/i.exec(text);
  const host = grantedHost(match?.groups?.['host']);
  const port = match?.groups?.['port'];
  if (!host || (port !== undefined && (Number(port) < 1 || Number(port) > 65_535))) {
    throw new IntramurError('USAGE', `--allow ${JSON.stringify(text)} is not HOST or HOST:PORT`);
  }
  return { host, ports: port === undefined ? [80, 443] : [Number(port)] };
}

/** One spelling for a name, as egress reports it; `*.` stays in front. */
function grantedHost(text: string | undefined): string | undefined {
  const wildcard = text?.startsWith('*.') ? '*.' : '';
  const host = canonicalHost(text?.slice(wildcard.length).replace(/^\[|\]$/g, '') ?? '');
  return host === undefined ? undefined : wildcard + host;
}
