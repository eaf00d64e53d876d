// The secrets that the company already has, as a session is asked about them: those of the `.env` files of its workspace, which its
// agent can read, and those of the files that the configuration names. Read once, when the session opens: what was inspected before
// is not inspected again, so what is looked for must stay the same.
import crypto from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';
import { IntramurError } from '../core/index.ts';
import { type KnownSecret, secretsOfEnvFile } from '../inspect/index.ts';

export interface KnownSecrets {
  readonly list: readonly KnownSecret[];
  /** Tells lists apart; empty for an empty one. */
  readonly version: string;
}

export const noSecrets: KnownSecrets = { list: [], version: '' };

/** A `.env` file of a tree is of no more bytes than this; of a file that is named, more is an error. */
const MOST_BYTES = 256 << 10;
const MOST_FILES = 200;
const MOST_DIRECTORIES = 5000;
const MOST_DEPTH = 6;
const MOST_SECRETS = 2000;

/** Templates hold stand-ins, and are shared on purpose. */
const isEnvFile = (name: string) => /^\.env(?:rc|\..+)?$/.test(name) && !/\.(?:example|sample|template|dist|defaults?|schema)$/i.test(name);
const foreign = new Set(['node_modules', '.git', '.venv', 'venv', 'vendor', 'target', 'dist', 'build', '__pycache__', '.next', '.cache']);

/**
 * @param files absolute paths, as `inspect.secretFiles` names them
 * @throws IntramurError CONFIG_NOT_FOUND, CONFIG_INVALID when one cannot be read: nothing is sent without a check that the company asked for
 */
export async function secretsOfFiles(files: readonly string[]): Promise<readonly KnownSecret[]> {
  const found = await Promise.all(files.map(async (file) => secretsOfEnvFile(await readNamed(file), path.basename(file))));
  return found.flat();
}

/** Of the `.env` files in a tree. Never throws. */
export async function secretsOfTree(workspace: string): Promise<readonly KnownSecret[]> {
  const found: KnownSecret[] = [];
  for (const file of await envFilesIn(workspace)) found.push(...(await readLoose(workspace, file)));
  return found;
}

/** One list of both, each value once. */
export function knownSecrets(found: readonly KnownSecret[]): KnownSecrets {
  const list = [...new Map(found.map((secret) => [secret.value, secret])).values()].slice(0, MOST_SECRETS);
  if (list.length === 0) return noSecrets;
  const digest = crypto.createHash('sha256');
  for (const { name, value } of list) digest.update(`${name.length} ${value.length} ${name}${value}`);
  return { list, version: digest.digest('hex').slice(0, 16) };
}

async function readNamed(file: string): Promise<string> {
  const hint = 'it is named in inspect.secretFiles';
  try {
    const bytes = await fs.readFile(file);
    if (bytes.length > MOST_BYTES) throw new IntramurError('CONFIG_INVALID', `${file} is longer than ${MOST_BYTES} bytes`, { hint });
    return bytes.toString();
  } catch (cause) {
    throw cause instanceof IntramurError ? cause : new IntramurError('CONFIG_NOT_FOUND', `${file} cannot be read`, { cause, hint });
  }
}

/** What the user cannot read, the agent cannot either. */
async function readLoose(workspace: string, file: string): Promise<KnownSecret[]> {
  const bytes = await fs.readFile(path.join(workspace, file)).catch(() => undefined);
  return bytes === undefined || bytes.length > MOST_BYTES ? [] : secretsOfEnvFile(bytes.toString(), file);
}

/** Breadth first, so that the files of the project itself come before those far below. Links are not followed. */
async function envFilesIn(root: string): Promise<string[]> {
  const files: string[] = [];
  let level = [''];
  let directories = 0;
  for (let depth = 0; depth < MOST_DEPTH && level.length > 0; depth++) {
    const next: string[] = [];
    for (const directory of level) {
      if (++directories > MOST_DIRECTORIES || files.length >= MOST_FILES) return files.slice(0, MOST_FILES);
      for (const entry of await fs.readdir(path.join(root, directory), { withFileTypes: true }).catch(() => [])) {
        const name = path.join(directory, entry.name);
        if (entry.isDirectory() && !foreign.has(entry.name)) next.push(name);
        else if (entry.isFile() && isEnvFile(entry.name)) files.push(name);
      }
    }
    level = next;
  }
  return files.slice(0, MOST_FILES);
}
