// POSIX tar (ustar), with the sizes of pax and GNU: a header of one block for each member, then its content in whole blocks.
import type { Budget } from '../limits.ts';
import type { Span, View } from '../view.ts';
import type { Part } from './archive.ts';

const BLOCK = 512;
/** Name, name of a link, user, group, prefix of the name, and what nobody uses. */
const fields = [
  [0, 100],
  [157, 257],
  [265, 297],
  [297, 329],
  [345, 500],
  [500, 512],
] as const;

/** INVARIANT: what is no part is not read, and so a gap. A size that nobody can tell makes the archive opaque. */
export function* tarParts({ bytes, text }: View, budget: Budget): Generator<Part> {
  let paxSize: number | undefined;
  for (let at = 0; at + BLOCK <= bytes.length; ) {
    if (!isHeader(bytes, text, at)) {
      at += BLOCK;
      continue;
    }
    const written = sizeAt(bytes, text, at + 124);
    // Some read the one and some the other.
    if (written === undefined || (paxSize !== undefined && written > 0 && written !== paxSize)) budget.noteOpaque();
    const size = paxSize ?? written ?? 0;
    const start = at + BLOCK;
    const content: Span = { start, end: Math.min(bytes.length, start + size) };
    const type = text[at + 156];
    paxSize = type === 'x' || type === 'g' ? sizeInPax(bytes.subarray(content.start, content.end), budget) : undefined;
    const names = fields.map(([from, to]) => text.slice(at + from, at + to));
    const isPlain = names.every((name) => /^[^\0]*\0*$/.test(name));
    yield {
      names: names.map((name) => name.replace(/\0.*$/s, '')).filter((name) => name !== ''),
      content: bytes.subarray(content.start, content.end),
      span: { start: at, end: content.end },
      read: isPlain ? [{ start: at, end: content.end }] : [content],
    };
    at = start + Math.ceil(size / BLOCK) * BLOCK;
  }
}

function isHeader(bytes: Buffer, text: string, at: number): boolean {
  return text.startsWith('ustar', at + 257) || (bytes[at] !== 0 && sumOf(bytes, at) === Number.parseInt(text.slice(at + 148, at + 156), 8));
}

/** Of a header, in which the sum itself counts as blanks. */
function sumOf(bytes: Buffer, at: number): number {
  let sum = 8 * 0x20;
  for (let i = 0; i < BLOCK; i++) if (i < 148 || i >= 156) sum += bytes[at + i] ?? 0;
  return sum;
}

/** Octal digits or, with the highest bit set, a number in base 256; `undefined` when it is neither. */
function sizeAt(bytes: Buffer, text: string, at: number): number | undefined {
  const first = bytes[at] ?? 0;
  if (first < 0x80) {
    const octal = /^[ \0]*([0-7]*)[ \0]*$/.exec(text.slice(at, at + 12))?.[1];
    return octal === undefined ? undefined : Number.parseInt(`0${octal}`, 8);
  }
  let size = first & 0x7f;
  for (let i = 1; i < 12; i++) size = 256 * size + (bytes[at + i] ?? 0);
  return Number.isSafeInteger(size) ? size : undefined;
}

/** What a pax header says of the size of the member behind it. Each record begins with its length: "12 size=345\n". */
function sizeInPax(records: Buffer, budget: Budget): number | undefined {
  let size: number | undefined;
  for (let at = 0; at < records.length && records[at] !== 0; ) {
    const length = Number(/^\d{1,9}(?= )/.exec(records.toString('latin1', at, at + 10))?.[0] ?? 0);
    if (length === 0 || at + length > records.length) {
      budget.noteOpaque();
      return size;
    }
    const value = /^\d+ size=(.*)\n$/s.exec(records.toString('latin1', at, Math.min(at + length, at + 64)))?.[1];
    if (value !== undefined && /^\d{1,15}$/.test(value)) size = Number(value);
    else if (value !== undefined) budget.noteOpaque();
    at += length;
  }
  return size;
}
