// Policy files as they lie on disk: packs by name and directories of the company's own. Bounded; nothing is skipped in silence.
import { open, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { IntramurError, nearest } from '../core/index.ts';

export interface PolicyFile {
  readonly path: string;
  /** The pack it belongs to: the first part of its policies' ids. */
  readonly pack: string;
  readonly bytes: Buffer;
}

const maxFileBytes = 1024 * 1024;
const maxFiles = 1000;

export const invalid = (message: string, hint?: string) => new IntramurError('POLICY_INVALID', message, hint === undefined ? {} : { hint });

export async function packDirectory(packsDir: string, name: string): Promise<string> {
  const known = (await readdir(packsDir, { withFileTypes: true }).catch(() => []))
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name);
  if (known.includes(name)) return path.join(packsDir, name);
  const meant = nearest(name, known);
  throw invalid(`unknown pack ${JSON.stringify(name)}; ${meant ? `did you mean "${meant}"?` : `there are ${known.join(', ')}`}`);
}

/** The `*.cedar` files of one directory, in the order of their names. */
export async function readPolicyFiles(directory: string, pack: string): Promise<readonly PolicyFile[]> {
  const entries = await readdir(directory).catch((cause: unknown) => {
    throw new IntramurError('POLICY_INVALID', `${directory}: not a directory that can be read`, { cause });
  });
  const names = entries.filter((name) => name.endsWith('.cedar')).toSorted();
  if (names.length > maxFiles) throw invalid(`${directory}: more than ${maxFiles} policy files`);
  const others = entries.filter((name) => !name.endsWith('.cedar') && !name.startsWith('.') && name !== 'cases' && name !== 'pack.json');
  for (const name of others) {
    // A forbid that lies one directory too deep would otherwise be missing without anybody noticing.
    const isNested = (await readdir(path.join(directory, name)).catch(() => [])).some((inner) => inner.endsWith('.cedar'));
    if (isNested)
      throw invalid(
        `${path.join(directory, name)}: policies in a subdirectory are not read`,
        'name that directory on its own under `policies`',
      );
  }
  if (names.length === 0 && others.length > 0) throw invalid(`${directory}: holds no *.cedar file`);
  return Promise.all(
    names.map(async (name) => ({ path: path.join(directory, name), pack, bytes: await readBounded(path.join(directory, name)) })),
  );
}

/** @throws IntramurError POLICY_INVALID when it is missing, unreadable, no regular file or too large */
export async function readBounded(file: string): Promise<Buffer> {
  try {
    const { size } = await stat(file).then((found) => (found.isFile() ? found : Promise.reject(new Error('not a regular file'))));
    if (size > maxFileBytes) throw invalid(`${file}: larger than ${maxFileBytes} bytes`);
    await using handle = await open(file);
    const bytes = await handle.readFile();
    if (bytes.length > maxFileBytes) throw invalid(`${file}: larger than ${maxFileBytes} bytes`);
    return bytes;
  } catch (cause) {
    if (cause instanceof IntramurError) throw cause;
    throw new IntramurError('POLICY_INVALID', `${file}: cannot be read`, { cause });
  }
}
