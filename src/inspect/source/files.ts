// Files of an index: written whole or not at all, readable by the owner only; and the secret of the installation among them.
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

const secretBytes = 32;

/** The secret that every key of an index is made with; made with the first of them, and anew for one that is cut short: nothing opens with that. */
export function secretOf(directory: string): Buffer {
  const file = path.join(directory, 'secret');
  const known = readIfThere(file);
  if (known?.length === secretBytes) return known;
  const made = crypto.randomBytes(secretBytes);
  writeWhole(file, [made]);
  return made;
}

export function readIfThere(file: string): Buffer | undefined {
  try {
    return fs.readFileSync(file);
  } catch (fault) {
    if (fault instanceof Error && 'code' in fault && fault.code === 'ENOENT') return undefined;
    throw fault;
  }
}

/** All or nothing: what was begun and cannot be ended is taken away. */
export function writeWhole(file: string, parts: readonly Uint8Array[]): void {
  fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.${process.pid}.tmp`;
  try {
    writeDraft(draft, parts);
    fs.renameSync(draft, file);
  } catch (fault) {
    fs.rmSync(draft, { force: true });
    throw fault;
  }
}

function writeDraft(draft: string, parts: readonly Uint8Array[]): void {
  const handle = fs.openSync(draft, 'w', 0o600);
  try {
    for (const part of parts)
      for (let at = 0; at < part.length; ) at += fs.writeSync(handle, part, at, Math.min(part.length - at, 1 << 30));
    fs.fsyncSync(handle);
  } finally {
    fs.closeSync(handle);
  }
}
