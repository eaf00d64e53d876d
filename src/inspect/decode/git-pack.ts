// Packs of git (gitformat-pack(5)), as a push sends them: each object is a view, a tree as the names in it, a delta as what it inserts.
import zlib from 'node:zlib';
import type { Budget } from '../limits.ts';
import { runView } from '../view.ts';
import { inflate } from './compressed.ts';
import type { Decoder } from './decoder.ts';

/** Versions 2 and 3 begin like this. */
const MARK = Buffer.from('PACK\0\0\0');
const HEADER = 12;
const HASH = 20;
const TREE = 2;
const OFFSET_DELTA = 6;
const HASH_DELTA = 7;

export const gitPack: Decoder = {
  id: 'git-pack',
  readsAll: true,
  *decode(view, budget) {
    const { bytes } = view;
    if (view.isRewritten) return;
    const start = bytes.indexOf(MARK);
    if (start === -1 || bytes.length - start < HEADER + HASH) return;
    let left = bytes.readUInt32BE(start + 8);
    for (let at = start + HEADER; left > 0; left--) {
      const object = objectAt(bytes, at, budget);
      if (!object) break;
      const { type, plain, end } = object;
      const text = type === TREE ? namesIn(plain) : type >= OFFSET_DELTA ? insertedBy(plain) : plain;
      budget.chargeView(text.length);
      yield runView(view, 'git-pack', text, { start: at, end });
      at = end;
    }
    // What could not be read may be anything.
    if (left > 0) budget.noteOpaque();
  },
};

function objectAt(bytes: Buffer, start: number, budget: Budget): { type: number; plain: Buffer; end: number } | undefined {
  budget.checkTime();
  const type = ((bytes[start] ?? 0) >> 4) & 7;
  let at = overNumber(bytes, start);
  if (type === OFFSET_DELTA) at = overNumber(bytes, at);
  if (type === HASH_DELTA) at += HASH;
  const opened = inflate(zlib.inflateSync, bytes.subarray(at), budget);
  return opened && { type, plain: opened.plain, end: at + opened.used };
}

/** Seven bits in each byte, and the eighth where one more follows. */
function overNumber(bytes: Buffer, start: number): number {
  let at = start;
  while (at < bytes.length && (bytes[at] ?? 0) >= 0x80) at += 1;
  return at + 1;
}

/** Mode, name, NUL, hash; again and again. */
function namesIn(tree: Buffer): Buffer {
  const names: string[] = [];
  for (let at = 0; at < tree.length; ) {
    const end = tree.indexOf(0, at);
    if (end === -1) break;
    const entry = tree.subarray(at, end);
    names.push(entry.toString('latin1', entry.indexOf(0x20) + 1));
    at = end + 1 + HASH;
  }
  return Buffer.from(names.join('\n'), 'latin1');
}

/** Two sizes, then commands: copy from what is known already, or insert what follows. */
function insertedBy(delta: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = overNumber(delta, overNumber(delta, 0)); at < delta.length; ) {
    const command = delta[at++] ?? 0;
    if (command < 0x80) {
      parts.push(delta.subarray(at, at + command), LINE_BREAK);
      at += command;
      continue;
    }
    for (let bit = 1; bit < 0x80; bit <<= 1) if ((command & bit) !== 0) at += 1;
  }
  return Buffer.concat(parts);
}

const LINE_BREAK = Buffer.from('\n');
