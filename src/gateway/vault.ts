// Real credentials of the user, kept outside the sandbox. The agent holds placeholders; one is exchanged for the real value only in
// a request of its own session to its own host below its own path. INVARIANT: a placeholder on any other way is a refusal.
import crypto from 'node:crypto';
import net from 'node:net';
import { canonicalHost, IntramurError, type LoginToken, type SessionId } from '../core/index.ts';
import { reachOf } from './address.ts';

export interface Secret {
  /** Stable within the agent's adapter. */
  readonly id: string;
  readonly value: string;
  /** Hosts the real value may be sent to, exact names. */
  readonly hosts: readonly string[];
  /** A path prefix that requests carrying it must have; `/` for any. */
  readonly pathPrefix: string;
  /** What the placeholder begins with, so that the agent's own checks of the form pass. */
  readonly prefix: string;
  /** A token of a login. A refresh token leaves in the body of a renewal only, which is written outside: `restore` never puts it in. */
  readonly login?: LoginToken;
}

/** Where a request is going, as the connection will be made. */
export interface Destination {
  readonly scheme: 'http' | 'https';
  readonly host: string;
  /** Path and query. */
  readonly target: string;
}

export interface Restored {
  readonly rawHeaders: readonly string[];
  readonly target: string;
  /** Ids of the secrets that were put in. */
  readonly used: readonly string[];
}

export interface Vault {
  /** Placeholders by id, good for this session until `forget`; `session` among them is a key for our own address. */
  issue(session: SessionId, secrets: readonly Secret[]): Readonly<Record<string, string>>;
  /** Puts real values in. Throws `CREDENTIAL_MISUSED` when one of our placeholders is on a way that is not its own. */
  restore(rawHeaders: readonly string[], destination: Destination, session: SessionId): Restored;
  /** Would `restore` put a real value in? False also where it would throw. */
  covers(rawHeaders: readonly string[], destination: Destination, session: SessionId): boolean;
  /** The secret that this text, all of it, is a placeholder of; `undefined` for one of another or a past session. */
  holder(text: string, session: SessionId): Secret | undefined;
  /** The secret with this id, as it is now. */
  find(id: string, session: SessionId): Secret | undefined;
  /**
   * A fresh placeholder for a secret that is new to the session or has a new value. Earlier placeholders of that id stand for the new
   * value from now on; of very many the oldest become worthless.
   */
  renew(session: SessionId, secret: Secret): string;
  /** Does a body hold a placeholder that was issued here, on a way to a host that is not its own? A refresh token's has no way here. */
  isMisusedIn(body: Uint8Array, host: string, session: SessionId): boolean;
  forget(session: SessionId): void;
  /**
   * Is this text, or the end of it, a placeholder that was issued here, whose session may be over? Inspection takes those for
   * secrets otherwise. INVARIANT: it is compared whole; what only looks like one could be a secret with our mark put behind it.
   */
  isPlaceholder(text: string): boolean;
}

/** Placeholders of one secret that are good at once. */
const maxPerSecret = 16;

/** Of ended sessions, for conversations that are taken up again. */
const maxRemembered = 50_000;

/** Stands in every placeholder, so that one pass finds those of other and of past sessions too. */
const mark = 'zNtr4m';
const tail = new RegExp(`${mark}[A-Za-z0-9]{40,}`, 'g');

interface Slot {
  readonly session: SessionId;
  secret: Secret;
}

/** Good for the gateway's own address only, where the session itself is what identifies the caller. */
const sessionKey: Secret = { id: 'session', value: '', hosts: [], pathPrefix: '/', prefix: 'sk-intramur-' };

export function createVault(): Vault {
  /** By the part that begins with the mark. */
  const slots = new Map<string, Slot>();
  /** Prefixes of all that were issued, oldest first. */
  const prefixes = new Map<string, string>();

  const add = (session: SessionId, secret: Secret): string => {
    if (/[\r\n\0]/.test(secret.value)) throw new IntramurError('CONFIG_INVALID', `the credential ${secret.id} holds a line break`);
    const own = randomTail(secret);
    slots.set(own, { session, secret });
    prefixes.set(own, secret.prefix);
    return secret.prefix + own;
  };
  const slotsOf = (id: string, session: SessionId): [own: string, slot: Slot][] =>
    [...slots].filter(([, slot]) => slot.session === session && slot.secret.id === id);

  /** Does the session have a key of its own for this host? */
  const holdsFor = (host: string, session: SessionId): boolean => {
    const name = canonicalHost(host);
    return [...slots.values()].some(
      (slot) =>
        slot.session === session && slot.secret.login?.kind !== 'refresh' && slot.secret.hosts.some((own) => canonicalHost(own) === name),
    );
  };

  const vault: Vault = {
    issue(session, secrets) {
      return Object.fromEntries([...secrets, sessionKey].map((secret) => [secret.id, add(session, secret)]));
    },

    holder(text, session) {
      const slot = slots.get(text.slice(Math.max(0, text.indexOf(mark))));
      const isOwn = slot?.session === session && text.startsWith(slot.secret.prefix + mark);
      return isOwn ? slot.secret : undefined;
    },

    find(id, session) {
      return slotsOf(id, session)[0]?.[1].secret;
    },

    renew(session, secret) {
      const placeholder = add(session, secret);
      const known = slotsOf(secret.id, session);
      for (const [own] of known.slice(0, -maxPerSecret)) slots.delete(own);
      for (const [, slot] of known) slot.secret = secret;
      return placeholder;
    },

    restore(rawHeaders, destination, session) {
      const used = new Set<string>();
      const swap = (text: string, encode: (value: string) => string = (value) => value): string => {
        if (!text.includes(mark)) return text;
        let swapped = '';
        let from = 0;
        for (const { 0: found, index } of text.matchAll(tail)) {
          const slot = slots.get(found);
          const start = index - (slot?.secret.prefix.length ?? 0);
          const isWhole = slot !== undefined && start >= from && text.slice(start, index) === slot.secret.prefix;
          if (!isWhole || slot.session !== session || slot.secret.login?.kind === 'refresh' || !isOwnWay(slot.secret, destination))
            throw new IntramurError(
              'CREDENTIAL_MISUSED',
              `a placeholder was sent to ${destination.host}, which is not its own destination`,
            );
          used.add(slot.secret.id);
          swapped += text.slice(from, start) + encode(slot.secret.value);
          from = index + found.length;
        }
        return swapped + text.slice(from);
      };
      const restored: string[] = [];
      for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
        const [name = '', value = ''] = [rawHeaders[i], rawHeaders[i + 1]];
        restored.push(swap(name), inBasic(value, swap) ?? swap(value));
      }
      const target = swap(destination.target, encodeURIComponent);
      // With a key of somebody else's, what is sent to a vendor could be fetched from there by whoever it belongs to.
      const isForeign = hasForeignKey(rawHeaders, restored) || hasForeignQuery(destination.target, target);
      if (isForeign && holdsFor(destination.host, session))
        throw new IntramurError(
          'CREDENTIAL_MISUSED',
          `a key that is not this session's own was sent to ${destination.host}, for which it holds one`,
        );
      return { rawHeaders: restored, target, used: [...used] };
    },

    covers(rawHeaders, destination, session) {
      try {
        return vault.restore(rawHeaders, destination, session).used.length > 0;
      } catch {
        return false;
      }
    },

    isMisusedIn(body, host, session) {
      const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
      if (!bytes.includes(mark)) return false;
      const name = canonicalHost(host);
      return [...bytes.toString('latin1').matchAll(tail)].some(([found]) => {
        const known = [...prefixes.keys()].find((own) => found.startsWith(own));
        if (known === undefined) return false;
        const slot = slots.get(known);
        if (slot?.secret.login?.kind === 'refresh') return true;
        return slot?.session !== session || !slot.secret.hosts.some((own) => canonicalHost(own) === name);
      });
    },

    forget(session) {
      for (const [placeholder, slot] of slots) if (slot.session === session) slots.delete(placeholder);
      for (const [placeholder] of prefixes) {
        if (prefixes.size <= maxRemembered) break;
        prefixes.delete(placeholder);
      }
    },

    isPlaceholder(text) {
      const at = text.indexOf(mark);
      return at >= 0 && prefixes.get(text.slice(at))?.endsWith(text.slice(0, at)) === true;
    },
  };
  return vault;
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** 40 random characters (238 bits) for a short secret, 120 for a long one: the length tells the class of the secret, not its length. */
function randomTail({ value }: Secret): string {
  const length = value.length <= 128 ? 40 : 120;
  let text = '';
  while (text.length < length) text += alphabet[crypto.randomInt(alphabet.length)];
  return mark + text;
}

const keyHeader = /^(?:authorization|x-api-key|api-key|x-goog-api-key)$/i;

/** A header that carries a key, and nothing was put in. */
function hasForeignKey(written: readonly string[], restored: readonly string[]): boolean {
  return written.some((value, i) => i % 2 === 1 && value !== '' && keyHeader.test(written[i - 1] ?? '') && restored[i] === value);
}

function hasForeignQuery(written: string, restored: string): boolean {
  const [before, after] = [written, restored].map((target) => {
    const query = target.indexOf('?');
    return [...new URLSearchParams(query < 0 ? '' : target.slice(query + 1))];
  });
  return before?.some(([name, value], i) => /^(?:key|api_key|access_token)$/i.test(name.trim()) && after?.[i]?.[1] === value) ?? false;
}

/** `Basic` credentials hold user and password in one base64 run. */
function inBasic(value: string, swap: (text: string) => string): string | undefined {
  const [, scheme, encoded] = /^(basic +)([A-Za-z0-9+/=_-]+)$/i.exec(value) ?? [];
  if (scheme === undefined || encoded === undefined) return undefined;
  const decoded = Buffer.from(encoded, 'base64').toString('latin1');
  return decoded.includes(mark) ? `${scheme}${Buffer.from(swap(decoded), 'latin1').toString('base64')}` : undefined;
}

function isOwnWay(secret: Secret, { scheme, host, target }: Destination): boolean {
  const name = canonicalHost(host);
  if (name === undefined || !secret.hosts.some((own) => canonicalHost(own) === name)) return false;
  // In the clear only where the name itself says that it stays inside.
  if (scheme === 'http' && !isLocalName(name)) return false;
  const path = target.split('?')[0] ?? '';
  if (/[/\\]\.{1,2}(?:[/\\]|$)|\\|%2e|%2f|%5c|\/\//i.test(path)) return secret.pathPrefix === '/';
  const prefix = secret.pathPrefix.endsWith('/') ? secret.pathPrefix : `${secret.pathPrefix}/`;
  return path.startsWith(prefix) || `${path}/` === prefix;
}

function isLocalName(name: string): boolean {
  if (net.isIP(name))
    return reachOf(name) === 'loopback' || /^(?:10|192\.168|172\.(?:1[6-9]|2\d|3[01]))\./.test(name) || /^f[cd]/.test(name);
  return !name.includes('.') || /\.(?:internal|local|lan|home\.arpa|localhost)$/.test(name);
}
