// The bytes of what a program ships: its own file, and the code beside it in its npm package. Read, never started.
import fs from 'node:fs';
import path from 'node:path';

const isCode = /\.(?:[cm]?js|wasm|node)$/;
const maxFiles = 4000;
/** Larger packages are read by their first part. */
const maxBytes = 2 ** 30;
const partBytes = 4 << 20;

export async function* shippedBytes(main: string): AsyncGenerator<Uint8Array> {
  let left = maxBytes;
  for (const file of [main, ...besides(main)]) {
    for await (const part of fs.createReadStream(file, { highWaterMark: partBytes })) {
      const bytes = Buffer.from(part);
      left -= bytes.length;
      if (left < 0) return;
      yield bytes;
    }
    // What ends one file and what begins the next are not one text.
    yield Buffer.from('\n');
  }
}

function besides(main: string): string[] {
  const parts = main.split('/');
  const at = parts.lastIndexOf('node_modules');
  // Outside of a package nobody can say what belongs to it.
  if (at < 0) return [];
  const depth = parts[at + 1]?.startsWith('@') ? 3 : 2;
  const found: string[] = [];
  const walk = (directory: string): void => {
    for (const entry of fs.readdirSync(directory, { withFileTypes: true })) {
      const file = path.join(directory, entry.name);
      if (entry.isDirectory() && entry.name !== 'node_modules') walk(file);
      else if (entry.isFile() && isCode.test(entry.name) && file !== main && found.length < maxFiles) found.push(file);
    }
  };
  walk(parts.slice(0, at + depth).join('/'));
  return found.toSorted();
}
