// Where things are on disk (docs/architecture.md, "On disk"). Everything follows from the environment, which comes in as an argument.
import path from 'node:path';
import { product } from './product.ts';

export interface Places {
  /** Holds `intramur.yaml` of the user. */
  readonly config: string;
  readonly state: string;
  readonly cache: string;
  readonly ledger: string;
  readonly index: string;
  readonly fingerprints: string;
  readonly sessions: string;
  readonly socket: string;
  readonly system: string;
}

/**
 * @param env the process environment; `INTRAMUR_HOME` puts all places under one directory
 * @param home the user's home directory
 */
export function placesFrom(env: Readonly<Record<string, string | undefined>>, home: string): Places {
  const { name } = product;
  const one = env['INTRAMUR_HOME'];
  const config = one ? path.resolve(one) : path.join(env['XDG_CONFIG_HOME'] || path.join(home, '.config'), name);
  const state = one ? path.join(path.resolve(one), 'state') : path.join(env['XDG_STATE_HOME'] || path.join(home, '.local', 'state'), name);
  const cache = one ? path.join(path.resolve(one), 'cache') : path.join(env['XDG_CACHE_HOME'] || path.join(home, '.cache'), name);
  return {
    config,
    state,
    cache,
    ledger: path.join(state, 'ledger'),
    index: path.join(state, 'index.db'),
    fingerprints: path.join(state, 'fingerprints'),
    sessions: path.join(state, 'sessions'),
    socket: path.join(state, 'daemon.sock'),
    system: path.join('/etc', name),
  };
}
