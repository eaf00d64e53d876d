// The user's own login file, read and written as its agent does. Vendors make a refresh token void once it was used, so the user's agent
// outside needs the new one; and it may renew at any time itself, so nothing is written over what has changed.
import fs from 'node:fs/promises';
import path from 'node:path';
import type { KeyPath, LoginFlow } from '../../core/index.ts';

export interface StoredLogin {
  readonly access: string;
  readonly refresh: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number | undefined;
  readonly identity: string | undefined;
  /** Where the access token is good, of several hosts. */
  readonly host: string | undefined;
}

const maxBytes = 1024 * 1024;

/** `undefined` when there is no such login (any more). */
export async function readLogin(file: string, flow: LoginFlow): Promise<StoredLogin | undefined> {
  return loginIn(await tableOf(file).catch(() => undefined), flow);
}

/**
 * Puts new tokens in the place of `before`, whole or not at all, with the file's own mode and owner; a symbolic link stays one.
 * @returns false when the file no longer holds `before`, or cannot be written: then it is as it was
 */
export async function writeLogin(file: string, flow: LoginFlow, before: StoredLogin, next: StoredLogin, now: Date): Promise<boolean> {
  let temporary: string | undefined;
  try {
    const real = await fs.realpath(file);
    const { mode, uid, gid } = await fs.stat(real);
    const table = await tableOf(real);
    const { access, refresh, identity, expiresAt, renewedAt, host } = flow.file;
    set(table, access, next.access);
    set(table, refresh, next.refresh);
    if (identity && next.identity !== undefined) set(table, identity, next.identity);
    if (host && next.host !== undefined) set(table, host, next.host);
    if (expiresAt && next.expiresAt !== undefined) set(table, expiresAt, next.expiresAt);
    if (renewedAt) set(table, renewedAt, now.toISOString());
    temporary = path.join(path.dirname(real), `.${path.basename(real)}.${process.pid}.${now.getTime()}`);
    const handle = await fs.open(temporary, 'wx', 0o600);
    try {
      await handle.writeFile(`${JSON.stringify(table, undefined, 2)}\n`);
      await handle.chmod(mode & 0o777);
      if (process.geteuid?.() === 0) await handle.chown(uid, gid);
      await handle.sync();
    } finally {
      await handle.close();
    }
    const found = await readLogin(real, flow);
    if (found?.refresh !== before.refresh || found.access !== before.access) return false;
    await fs.rename(temporary, real);
    temporary = undefined;
    return true;
  } catch {
    return false;
  } finally {
    if (temporary !== undefined) await fs.rm(temporary, { force: true });
  }
}

type Table = Record<string, unknown>;

async function tableOf(file: string): Promise<Table> {
  const { size } = await fs.stat(file);
  if (size > maxBytes) throw new Error('too large for a login');
  const value: unknown = JSON.parse(await fs.readFile(file, 'utf8'));
  if (!isTable(value)) throw new Error('no login');
  return value;
}

function loginIn(table: Table | undefined, { file, access: { hosts } }: LoginFlow): StoredLogin | undefined {
  const [access, refresh] = [get(table, file.access), get(table, file.refresh)];
  if (typeof access !== 'string' || typeof refresh !== 'string' || access === '' || refresh === '') return undefined;
  const expiresAt = file.expiresAt && get(table, file.expiresAt);
  const identity = file.identity && get(table, file.identity);
  const host = file.host && get(table, file.host);
  return {
    access,
    refresh,
    expiresAt: typeof expiresAt === 'number' ? expiresAt : undefined,
    identity: typeof identity === 'string' ? identity : undefined,
    host: hosts.find((known) => known === host),
  };
}

function isTable(value: unknown): value is Table {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

function get(table: unknown, path: KeyPath): unknown {
  let here: unknown = table;
  for (const key of path) here = isTable(here) && Object.hasOwn(here, key) ? here[key] : undefined;
  return here;
}

/** @throws Error when a table on the way is missing: a file of another form is not ours to change */
function set(table: Table, keys: KeyPath, value: string | number): void {
  const at = keys.length === 1 ? table : get(table, keys.slice(0, -1) as unknown as KeyPath);
  if (!isTable(at)) throw new Error('the file has another form');
  at[keys.at(-1) ?? ''] = value;
}
