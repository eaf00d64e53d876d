// A value of a table, and every stretch of a text that could be one, as the same two hashes: letters and digits alone, without case.
// Where a number is broken into groups and how an address is punctuated makes no difference: `DE89 3704` and `de893704` are one.
import { mix } from '../source/grams.ts';

const BASE_A = 0x01000193;
const BASE_B = 0x2c1b3c6d;
/** A value has at most so many letters and digits, and so many runs of them. */
export const LONGEST = 64;
export const MOST_RUNS = 8;

/** Lower case of letters and digits of ASCII, what is beyond ASCII as it is, 0 for all else. */
const folded = new Uint8Array(256);
for (let byte = 0x80; byte < 256; byte++) folded[byte] = byte;
for (const byte of Buffer.from('0123456789abcdefghijklmnopqrstuvwxyz')) folded[byte] = byte;
for (let byte = 0x41; byte <= 0x5a; byte++) folded[byte] = byte + 0x20;

export const powerA = powers(BASE_A);
const powerB = powers(BASE_B);

function powers(base: number): Int32Array {
  const list = new Int32Array(LONGEST + 1).fill(1);
  for (let i = 1; i <= LONGEST; i++) list[i] = Math.imul(list[i - 1] ?? 0, base);
  return list;
}

/** Runs of letters and digits of a text. Arrays that grow and are used again; only the first `count` elements mean anything. */
export interface Runs {
  count: number;
  start: Int32Array;
  end: Int32Array;
  a: Int32Array;
  b: Int32Array;
}

export function newRuns(size = 1 << 12): Runs {
  const array = () => new Int32Array(size);
  return { count: 0, start: array(), end: array(), a: array(), b: array() };
}

export function runsOf(bytes: Uint8Array, runs: Runs): void {
  if (runs.start.length < bytes.length / 2 + 1) Object.assign(runs, newRuns(bytes.length / 2 + (bytes.length >> 3) + 1));
  const { start, end, a, b } = runs;
  let count = 0;
  for (let i = 0; i < bytes.length; i++) {
    let byte = folded[bytes[i] ?? 0] ?? 0;
    if (byte === 0) continue;
    const from = i;
    let hashA = 0;
    let hashB = 0;
    for (; byte !== 0 && i < bytes.length; byte = folded[bytes[++i] ?? 0] ?? 0) {
      hashA = (Math.imul(hashA, BASE_A) + byte) | 0;
      hashB = (Math.imul(hashB, BASE_B) + byte) | 0;
    }
    start[count] = from;
    end[count] = i;
    a[count] = hashA;
    b[count] = hashB;
    count += 1;
  }
  runs.count = count;
}

/** The second hash of the stretch from run `first` to run `last`. */
export function secondOf({ start, end, b }: Runs, first: number, last: number): number {
  let hash = 0;
  for (let i = first; i <= last; i++) hash = (Math.imul(hash, powerB[(end[i] ?? 0) - (start[i] ?? 0)] ?? 0) + (b[i] ?? 0)) | 0;
  return hash;
}

/** Called with every stretch of one to MOST_RUNS runs from run `first` on whose length `isWanted`. */
export function stretchesFrom(
  { count, start, end, a, b }: Runs,
  first: number,
  isWanted: Uint8Array,
  onStretch: (last: number, a: number, b: number) => void,
): void {
  let length = 0;
  let hashA = 0;
  let hashB = 0;
  for (let i = first; i < first + MOST_RUNS && i < count; i++) {
    const size = (end[i] ?? 0) - (start[i] ?? 0);
    length += size;
    if (length > LONGEST) return;
    hashA = (Math.imul(hashA, powerA[size] ?? 0) + (a[i] ?? 0)) | 0;
    hashB = (Math.imul(hashB, powerB[size] ?? 0) + (b[i] ?? 0)) | 0;
    if (isWanted[length] === 1) onStretch(i, hashA, hashB);
  }
}

export interface Value {
  readonly a: number;
  readonly b: number;
  readonly length: number;
}

/** `undefined` for a value without letters and digits, and for one that is too long to be looked for. */
export function valueOf(cell: string): Value | undefined {
  let a = 0;
  let b = 0;
  let length = 0;
  let count = 0;
  let isInside = false;
  for (const byte of Buffer.from(cell.normalize('NFC'))) {
    const letter = folded[byte] ?? 0;
    if (letter !== 0 && !isInside) count += 1;
    isInside = letter !== 0;
    if (!isInside) continue;
    a = (Math.imul(a, BASE_A) + letter) | 0;
    b = (Math.imul(b, BASE_B) + letter) | 0;
    length += 1;
  }
  return length === 0 || length > LONGEST || count > MOST_RUNS ? undefined : { a, b, length };
}

/** What the secret of the installation makes of it, for one purpose; `of` ties it to a row. */
export function keyOf(a: number, b: number, lane: { readonly a: number; readonly b: number }, of = 0): { high: number; low: number } {
  return {
    high: mix(a ^ lane.a ^ Math.imul(of, 0x9e3779b1 | 0)) >>> 0,
    low: mix(b ^ lane.b ^ Math.imul(of, 0x85ebca6b | 0)) >>> 0,
  };
}
