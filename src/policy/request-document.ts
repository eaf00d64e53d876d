// A request written by a person: in a case of a pack, or for `policy explain --request`. Strict: an unknown key or word is an
// error that says where, because a case that tests something else than it says is worse than none.
import {
  type Act,
  classifications,
  dialects,
  egressClasses,
  labels,
  nearest,
  type Principal,
  perimeters,
  purposes,
  type Request,
  type Target,
  vettings,
} from '../core/index.ts';
import type { Facts } from './question.ts';
import { protocols } from './schema.ts';
import { invalid } from './source.ts';

export interface RequestDocument {
  readonly request: Request;
  readonly facts: Facts;
}

/** A map with the path by which errors name it. */
export class Reader {
  readonly #fields: ReadonlyMap<string, unknown>;
  readonly #path: string;
  readonly #joint: string;

  /**
   * @param joint what stands between a path and a key: ': ' after the name of a file
   * @throws IntramurError POLICY_INVALID when `value` is no map or has a key outside `keys`
   */
  constructor(value: unknown, path: string, keys: readonly string[], joint: '.' | ': ' = '.') {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(`${path}: must be a map`);
    this.#fields = new Map(Object.entries(value));
    this.#path = path;
    this.#joint = joint;
    for (const key of this.#fields.keys()) {
      if (keys.includes(key)) continue;
      const meant = nearest(key, keys);
      throw invalid(
        `${path}: unknown key ${JSON.stringify(key.slice(0, 40))}${meant ? `; did you mean "${meant}"?` : `; there are ${keys.join(', ')}`}`,
      );
    }
  }

  fail(key: string, why: string): never {
    throw invalid(`${this.#at(key)}: ${why}`);
  }

  has(key: string): boolean {
    return this.#fields.has(key);
  }

  raw(key: string): unknown {
    return this.#fields.get(key);
  }

  text(key: string, fallback?: string): string {
    const value = this.#fields.get(key) ?? fallback;
    return typeof value === 'string' ? value : this.fail(key, value === undefined ? 'is missing' : 'must be text');
  }

  word<T extends string>(key: string, words: readonly T[], fallback?: T): T {
    return this.#word(key, this.text(key, fallback), words);
  }

  words<T extends string>(key: string, words: readonly T[]): T[] {
    return this.list(key).map((value) =>
      this.#word(key, typeof value === 'string' ? value : this.fail(key, 'must be a list of text'), words),
    );
  }

  flag(key: string, fallback: boolean): boolean {
    const value = this.#fields.get(key) ?? fallback;
    return typeof value === 'boolean' ? value : this.fail(key, 'must be true or false');
  }

  port(key: string, fallback: number): number {
    const value = this.#fields.get(key) ?? fallback;
    return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 65_535 ? value : this.fail(key, 'must be a port');
  }

  list(key: string): readonly unknown[] {
    const value = this.#fields.get(key) ?? [];
    return Array.isArray(value) ? value : this.fail(key, 'must be a list');
  }

  child(key: string, keys: readonly string[]): Reader {
    return new Reader(this.#fields.get(key) ?? {}, this.#at(key), keys);
  }

  #at(key: string): string {
    return `${this.#path}${this.#joint}${key}`;
  }

  #word<T extends string>(key: string, text: string, words: readonly T[]): T {
    const found = words.find((word) => word === text);
    if (found !== undefined) return found;
    const meant = nearest(text, words);
    return this.fail(
      key,
      `does not know ${JSON.stringify(text.slice(0, 40))}; ${meant ? `did you mean "${meant}"?` : `there are ${words.join(', ')}`}`,
    );
  }
}

const principalKeys = ['session', 'user', 'team', 'agent', 'agentVersion', 'vetting', 'purpose', 'classification', 'workspace', 'via'];
const placeKeys = ['action', 'class', 'host', 'port', 'isDirect', 'isGranted'];
const actKeys = {
  'llm.invoke': ['action', 'host', 'port', 'dialect', 'method', 'path', 'requestedModel', 'targets'],
  'http.request': [...placeKeys, 'scheme', 'method', 'path', 'isRenewal', 'servesModels'],
  'net.connect': [...placeKeys, 'protocol'],
  'process.exec': ['action', 'path', 'realPath', 'argv', 'cwd'],
  'secret.use': ['action', 'name', 'isGranted'],
} as const;
const actions = ['llm.invoke', 'http.request', 'net.connect', 'process.exec', 'secret.use'] as const;

/** `{ principal?, act, facts? }`; what is left out is an ordinary developer's. */
export function readRequest(document: Reader): RequestDocument {
  const who = document.child('principal', principalKeys);
  const principal: Principal = {
    session: who.text('session', 'session'),
    user: who.text('user', 'alice'),
    ...(who.has('team') ? { team: who.text('team') } : {}),
    agent: who.text('agent', 'claude-code'),
    ...(who.has('agentVersion') ? { agentVersion: who.text('agentVersion') } : {}),
    vetting: who.word('vetting', vettings, 'unvetted'),
    purpose: who.word('purpose', purposes, 'research'),
    classification: who.word('classification', classifications, 'internal'),
    ...(who.has('workspace') ? { workspace: who.text('workspace') } : {}),
    via: who.word('via', ['sandbox', 'key'], 'sandbox'),
  };
  const found = document.child('facts', ['labels', 'classification', 'now']);
  const now = new Date(found.text('now', '2026-01-01T00:00:00Z'));
  if (Number.isNaN(now.getTime())) found.fail('now', 'must be a time such as 2026-01-01T00:00:00Z');
  const facts: Facts = {
    labels: found.words('labels', labels),
    classification: found.word('classification', classifications, principal.classification),
    now,
  };
  return { request: { principal, act: readAct(document) }, facts };
}

function readAct(document: Reader): Act {
  const every = [...new Set(Object.values(actKeys).flat())];
  const action = document.child('act', every).word('action', actions);
  const act = document.child('act', actKeys[action]);
  if (action === 'process.exec') {
    const path = act.text('path');
    const argv = act.list('argv').map((item) => (typeof item === 'string' ? item : act.fail('argv', 'must be a list of text')));
    return { action, path, realPath: act.text('realPath', path), argv, cwd: act.text('cwd', '/') };
  }
  if (action === 'secret.use') return { action, name: act.text('name'), use: 'sign', what: '', isGranted: act.flag('isGranted', false) };
  const http = { method: act.text('method', action === 'llm.invoke' ? 'POST' : 'GET'), path: act.text('path', '/') };
  const host = act.text('host', action === 'llm.invoke' ? 'api.anthropic.com' : undefined);
  if (action === 'llm.invoke') {
    const dialect = act.word('dialect', dialects, 'anthropic-messages');
    const targets = act
      .list('targets')
      .map((target, i) => readTarget(new Reader(target, `targets[${i}]`, ['id', 'dialect', 'perimeter', 'vetted'])));
    return {
      action,
      class: 'model',
      host,
      port: act.port('port', 443),
      dialect,
      ...http,
      requestedModel: act.text('requestedModel', 'claude'),
      targets,
    };
  }
  const place = {
    class: act.word('class', egressClasses, 'other'),
    host,
    port: act.port('port', 443),
    isDirect: act.flag('isDirect', false),
    isGranted: act.flag('isGranted', false),
  };
  return action === 'http.request'
    ? {
        action,
        ...place,
        scheme: act.word('scheme', ['http', 'https'], 'https'),
        ...http,
        isRenewal: act.flag('isRenewal', false),
        servesModels: act.flag('servesModels', false),
      }
    : { action, ...place, protocol: act.word('protocol', protocols, 'tcp') };
}

function readTarget(target: Reader): Target {
  const id = target.text('id');
  const slash = id.indexOf('/');
  if (slash < 1) target.fail('id', 'must be PROVIDER/MODEL');
  const perimeter = target.word('perimeter', perimeters);
  return {
    provider: id.slice(0, slash),
    model: id.slice(slash + 1),
    dialect: target.word('dialect', dialects, 'openai-chat'),
    perimeter,
    vetted: target.flag('vetted', perimeter !== 'public'),
  };
}
