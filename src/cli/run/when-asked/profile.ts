// A profile: what a program needs beside the minimum, by name, in the user's own configuration directory. It is the user's word, as options
// are: hosts to grant, variables to pass, files to show read-only.
import fs from 'node:fs';
import path from 'node:path';
import { parseDocument } from 'yaml';
import { IntramurError, nearest } from '../../../core/index.ts';
import type { RunOptions } from '../options.ts';

export interface Profile {
  /** `HOST:PORT`, as `--allow` takes them. */
  readonly allow: readonly string[];
  /** Names of variables; one that is not set is passed over. */
  readonly env: readonly string[];
  /** Files and directories outside the workspace, `~/` for HOME. */
  readonly read: readonly string[];
}

export const emptyProfile: Profile = { allow: [], env: [], read: [] };
const keys = ['allow', 'env', 'read'] as const;
const maxBytes = 64 * 1024;

export function profileFile(configDirectory: string, name: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name)) {
    throw new IntramurError('USAGE', `--profile ${JSON.stringify(name)} is not a name of letters, digits and . _ -`);
  }
  return path.join(configDirectory, 'profiles', `${name}.yaml`);
}

/** @throws IntramurError CONFIG_NOT_FOUND, CONFIG_INVALID */
export function readProfile(file: string): Profile {
  if (!fs.existsSync(file))
    throw new IntramurError('CONFIG_NOT_FOUND', `there is no profile ${file}`, { hint: 'run --learn proposes one' });
  if (fs.statSync(file).size > maxBytes) throw new IntramurError('CONFIG_INVALID', `${file}: larger than ${maxBytes} bytes`);
  const document = parseDocument(fs.readFileSync(file, 'utf8'), { version: '1.2', schema: 'core', logLevel: 'error' });
  const [problem] = [...document.errors, ...document.warnings];
  if (problem) throw invalid(file, `not valid YAML: ${problem.message.split('\n')[0]}`);
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 0 });
  } catch {
    throw invalid(file, 'aliases are not taken');
  }
  if (value === null) return emptyProfile;
  if (typeof value !== 'object' || Array.isArray(value)) throw invalid(file, 'must be a map');
  for (const key of Object.keys(value)) {
    if (keys.some((known) => known === key)) continue;
    const meant = nearest(key, keys);
    throw invalid(file, `unknown key ${JSON.stringify(key)}${meant ? `; did you mean "${meant}"?` : `; there are ${keys.join(', ')}`}`);
  }
  const fields = new Map<string, unknown>(Object.entries(value));
  const list = (key: (typeof keys)[number]): string[] => {
    const items = fields.get(key) ?? [];
    if (!Array.isArray(items)) throw invalid(file, `${key} must be a list`);
    return items.map((item: unknown) => (typeof item === 'string' ? item : fail(file, `${key} must be a list of text`)));
  };
  return { allow: list('allow'), env: list('env'), read: list('read') };
}

/** @throws IntramurError CONFIG_INVALID for a file that would bring the user's home or a system directory in as a whole */
export function withProfile(
  options: RunOptions,
  profile: Profile,
  { file, home, env }: { readonly file: string; readonly home: string; readonly env: Readonly<Record<string, string | undefined>> },
): RunOptions {
  const read = profile.read.map((name) => {
    const at = path.normalize(name === '~' || name.startsWith('~/') ? path.join(home, name.slice(1)) : name);
    if (!path.isAbsolute(at)) throw invalid(file, `read: ${JSON.stringify(name)} must begin with / or ~/`);
    const closed = [home, ...closedPlaces].find((one) => one === at || one.startsWith(at === '/' ? at : `${at}/`));
    if (closed !== undefined) throw invalid(file, `read: ${JSON.stringify(name)} is or holds ${closed}, which stays outside`);
    return at;
  });
  return {
    ...options,
    allow: [...options.allow, ...profile.allow],
    env: [...options.env, ...profile.env.filter((name) => env[name] !== undefined && !options.env.includes(name))],
    read,
  };
}

const closedPlaces = ['/proc', '/sys', '/dev', '/run', '/var/run', '/home', '/root', '/tmp'];

function invalid(file: string, message: string): IntramurError {
  return new IntramurError('CONFIG_INVALID', `${file}: ${message}`);
}

function fail(file: string, message: string): never {
  throw invalid(file, message);
}
