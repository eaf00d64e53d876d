// The keys of one repository, file by file: one line of JSON, then the keys as they lie in memory (little endian), file after file; all
// of it sealed, names of files too.
import fs from 'node:fs';
import type { Keys } from './keyer.ts';
import { seal, unsealFile } from './sealed.ts';

export interface FileKeys {
  readonly path: string;
  readonly sha256: string;
  readonly lines: number;
  readonly keys: Keys;
}

const VERSION = 'intramur/keys/2';

export function writeKeys(file: string, secret: Uint8Array, files: readonly FileKeys[]): void {
  const header = {
    version: VERSION,
    files: files.map(({ path, sha256, lines, keys }) => [path, sha256, lines, keys.low.length]),
  };
  const plain = Buffer.concat([
    Buffer.from(`${JSON.stringify(header)}\n`),
    ...files.flatMap(({ keys }) => [bytesOf(keys.high), bytesOf(keys.low)]),
  ]);
  const draft = `${file}.${process.pid}.tmp`;
  fs.writeFileSync(draft, Buffer.concat(seal(secret, KIND, plain)), { mode: 0o600 });
  fs.renameSync(draft, file);
}

const KIND = 'keys';

function bytesOf(words: Uint32Array): Uint8Array {
  return new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
}

/** `undefined` when there is no such file or it is not whole: the repository is then read anew. */
export function readKeys(file: string, secret: Uint8Array): FileKeys[] | undefined {
  try {
    return parseKeys(Buffer.from(unsealFile(secret, KIND, file)));
  } catch {
    return undefined;
  }
}

function parseKeys(bytes: Buffer): FileKeys[] | undefined {
  const headerEnd = bytes.indexOf(0x0a);
  const header: unknown = JSON.parse(bytes.toString('utf8', 0, headerEnd));
  if (typeof header !== 'object' || header === null || !('version' in header) || header.version !== VERSION) return undefined;
  if (!('files' in header) || !Array.isArray(header.files)) return undefined;
  let position = headerEnd + 1;
  const words = (count: number) => {
    const copy = Uint8Array.from(bytes.subarray(position, position + 4 * count));
    position += 4 * count;
    return new Uint32Array(copy.buffer);
  };
  return header.files.map((row: unknown) => {
    const [path, sha256, lines, count]: unknown[] = Array.isArray(row) ? row : [];
    if (typeof path !== 'string' || typeof sha256 !== 'string' || typeof lines !== 'number' || typeof count !== 'number')
      throw new TypeError('row');
    if (position + 8 * count > bytes.length) throw new TypeError('cut off');
    return { path, sha256, lines, keys: { high: words(count), low: words(count) } };
  });
}
