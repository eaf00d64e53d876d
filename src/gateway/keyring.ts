// Virtual keys: how a person or program outside the sandbox shows who it is. A key is found by its SHA-256, compared in constant
// time with every known hash, and is taken out of the request before anything else looks at it.
import crypto from 'node:crypto';
import fs from 'node:fs';
import { toolBehind } from '../agents/index.ts';
import { type Config, type KeyConfig, type Register, vettingOf } from '../config/index.ts';
import { type ExchangeHead, headerOf, type Principal, type Vetting } from '../core/index.ts';
import { type Budgets, createBudgets } from './budget.ts';
import type { Allowance } from './call-input.ts';
import { headersWhere } from './headers.ts';
import { readKeys } from './key-file.ts';

export interface Caller {
  readonly principal: Principal;
  /** The request without any key. */
  readonly head: ExchangeHead;
  readonly allowance: Allowance;
}

export interface Keyring {
  /** Who this is; `undefined` when no key of the request is known. */
  authenticate(head: ExchangeHead): Caller | undefined;
  /** From the next request on the keys and tools of this configuration count; what was used stays counted. */
  reload(config: Config): void;
  /** Lets go of the file of what was used. */
  close(): void;
}

export interface KeyringOptions {
  readonly config: Config;
  /** Keys that `keys add` made. Read again whenever it changes, so that `keys revoke` acts at once. */
  readonly file: string;
  /** What `agents ban|vet|pin` said last. */
  register?(): Register;
  now(): Date;
  onFault?(fault: unknown): void;
}

export function createKeyring({ file, register = () => [], now, onFault = () => {}, ...options }: KeyringOptions): Keyring {
  const budgets: Budgets = createBudgets(file, now, onFault);
  let configured = hashed(options.config.keys);
  const added = watchedKeys(file);
  let principals = rememberedPrincipals(options.config, register);
  return {
    authenticate(asked) {
      const { presented, head } = keysApart(asked);
      if (presented.length === 0) return undefined;
      const among = (keys: readonly HashedKey[]): KeyConfig | undefined =>
        presented.map((text) => findKey(text, configured, keys)).find((found) => found !== undefined);
      // A key that is not known may have been added a moment ago.
      const key = among(added.keys()) ?? among(added.keysNow());
      if (!key) return undefined;
      return { principal: principals(key, head), head, allowance: budgets.allowanceOf(key) };
    },
    reload(next) {
      // INVARIANT: what was remembered under the old configuration goes with it: its tools may be banned now.
      principals = rememberedPrincipals(next, register);
      configured = hashed(next.keys);
    },
    close: () => budgets.close(),
  };
}

/**
 * A key that was revoked is gone after this time at the latest, which is sooner than the command that revoked it ends; under load it
 * spares a look at the file for each call.
 */
const lookEveryMs = 5;

interface WatchedKeys {
  /** As they stood at most `lookEveryMs` ago. */
  keys(): readonly HashedKey[];
  keysNow(): readonly HashedKey[];
}

/** A file that no longer reads holds no keys: whoever depended on one is refused. */
function watchedKeys(file: string): WatchedKeys {
  let keys: readonly HashedKey[] = [];
  let seen = '';
  let lookedAt = Number.NEGATIVE_INFINITY;
  const keysNow = (): readonly HashedKey[] => {
    lookedAt = performance.now();
    const stat = fs.statSync(file, { throwIfNoEntry: false });
    const version = stat ? `${stat.ino} ${stat.mtimeMs} ${stat.size}` : '';
    if (version === seen) return keys;
    seen = version;
    try {
      keys = stat ? hashed(readKeys(file)) : [];
    } catch {
      keys = [];
    }
    return keys;
  };
  return { keys: () => (performance.now() - lookedAt < lookEveryMs ? keys : keysNow()), keysNow };
}

export function hashOf(key: string): string {
  return crypto.hash('sha256', key, 'hex');
}

interface HashedKey {
  /** Of the 64 hex digits, in lower case. */
  readonly hash: Buffer;
  readonly key: KeyConfig;
}

function hashed(keys: readonly KeyConfig[]): readonly HashedKey[] {
  return keys.map((key) => ({ hash: Buffer.from(key.sha256.toLowerCase()), key })).filter(({ hash }) => hash.length === hexDigits);
}

const hexDigits = 64;
/** Used again for each key that is presented: Node makes a hash as text in a third of the time of a buffer. */
const digits = Buffer.alloc(hexDigits);

/** Looks at every key whatever it finds, so that the time tells nothing. */
function findKey(text: string, ...lists: readonly (readonly HashedKey[])[]): KeyConfig | undefined {
  digits.write(hashOf(text), 'latin1');
  let found: KeyConfig | undefined;
  for (const list of lists) for (const { hash, key } of list) if (crypto.timingSafeEqual(hash, digits)) found ??= key;
  return found;
}

const keyHeaders = new Set(['authorization', 'x-api-key', 'x-goog-api-key', 'api-key', 'proxy-authorization']);

interface KeysApart {
  readonly presented: readonly string[];
  /** INVARIANT: no key of ours, known or not, goes on from here. */
  readonly head: ExchangeHead;
}

function keysApart(head: ExchangeHead): KeysApart {
  const presented: string[] = [];
  const present = (text: string): void => void (text !== '' && presented.push(text));
  const rawHeaders = headersWhere(head.rawHeaders, (name, value) => {
    if (!keyHeaders.has(name)) return true;
    if (name === 'authorization') present(/^bearer +(.+)$/i.exec(value)?.[1]?.trim() ?? '');
    else if (name === 'x-api-key' || name === 'x-goog-api-key') present(value.trim());
    return false;
  });
  const query = head.target.indexOf('?');
  if (query < 0) return { presented, head: { ...head, rawHeaders } };
  const asked = head.target.slice(query + 1);
  for (const text of new URLSearchParams(asked).getAll('key')) present(text);
  const kept = asked.split('&').filter((part) => !new URLSearchParams(part).has('key'));
  return { presented, head: { ...head, rawHeaders, target: head.target.slice(0, query) + (kept.length > 0 ? `?${kept.join('&')}` : '') } };
}

const sessionHeaders = ['x-intramur-session', 'x-claude-code-session-id', 'session-id', 'x-session-id'];

/** The principal of a call: the same object for the same key, session and tool, so that what follows from it is worked out once. */
function rememberedPrincipals(config: Config, register: () => Register): (key: KeyConfig, head: ExchangeHead) => Principal {
  // A key that was read again is another object, so what was remembered for the old one is gone.
  let known = new WeakMap<KeyConfig, Map<string, Principal>>();
  let since = register();
  return (key, { rawHeaders }) => {
    const now = register();
    // INVARIANT: what was said of a tool since (a ban, for one) counts from the next call on.
    if (now !== since) known = new WeakMap();
    since = now;
    const session = sessionHeaders.map((name) => headerOf(rawHeaders, name)).find((value) => value !== undefined && value !== '');
    const userAgent = headerOf(rawHeaders, 'user-agent') ?? '';
    const own = known.get(key) ?? new Map<string, Principal>();
    known.set(key, own);
    // No header holds a NUL.
    const name = `${session ?? ''}\0${userAgent}`;
    const principal = own.get(name) ?? principalOf(key, config, now, session, userAgent);
    // Both come from callers, so what is remembered is bounded.
    if (own.size >= maxRemembered || name.length > longestRemembered) own.clear();
    else own.set(name, principal);
    return principal;
  };
}

const maxRemembered = 1000;
const longestRemembered = 1024;

function principalOf(key: KeyConfig, config: Config, register: Register, stated: string | undefined, userAgent: string): Principal {
  const seen = toolBehind(userAgent);
  const agent = key.tool ?? seen.id;
  return {
    // Below the key's own name, so that no header reaches another key's session or one of the sandbox.
    session: stated === undefined ? `key:${key.id}` : `key:${key.id}:${boundedId(stated)}`,
    user: key.user ?? key.id,
    ...(key.team === undefined ? {} : { team: key.team }),
    agent,
    ...(seen.version === undefined ? {} : { agentVersion: seen.version }),
    vetting: strictest(
      vettingOf(config, { id: agent, version: seen.id === agent ? seen.version : undefined }, register),
      seen.isKnown ? vettingOf(config, seen, register) : undefined,
    ),
    purpose: key.purpose ?? config.defaultPurpose,
    classification: key.classification ?? 'public',
    via: 'key',
  };
}

function boundedId(text: string): string {
  return /^[\w.:-]{1,128}$/.test(text) ? text : crypto.hash('sha256', text, 'hex').slice(0, 32);
}

/** What the header says can take trust away, never add any: a banned tool is banned under any key, as is one whose pinned hash no header can show. */
function strictest(own: Vetting, seen: Vetting | undefined): Vetting {
  return seen === 'banned' ? seen : own;
}
