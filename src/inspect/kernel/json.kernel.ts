// The inner loop of reading JSON (decode/json.ts), written so that it can be compiled to WebAssembly: it copies a text, sixteen bytes at a time,
// and takes the commonest escapes off on the way. It stops at every quote that is not escaped and at every other escape.
import { among, copy16, ctz, halve, load8, store8, store32 } from './memory.ts';

/** The table of what is no plain byte: the quote and the backslash. */
export const SPECIAL = 0;
const HALVES = 16;
/** Where it stopped: in the text, in what is written, and how many shifts are noted. */
export const STOPPED = 48;
/** What a letter behind a backslash stands for; 0 for what is left to the caller. */
export const LETTERS = 64;
/** A part of the text, what is written of it, and two lists: where shifts begin, and how great they are. */
export const TEXT = 4096;
export const PART = 32768;
export const OUT = 40960;
export const SHIFTS = 77824;
export const SHIFTS_SIZE = 65536;
export const PAGES = 4;

const BACKSLASH = 0x5c;

/**
 * Copies the memory from `from` to `to` to where `out` is. Behind each escape, the lists get what was written until then, counted from `written`,
 * and what was read more than that, counted from `read`.
 */
export function copyText(from: number, to: number, out: number, read: number, written: number): number {
  let i = from;
  let o = out;
  let shift = SHIFTS;
  while (i < to) {
    halve(i, HALVES);
    const special = among(HALVES, SPECIAL);
    // What is copied beyond the first special byte is written over.
    copy16(o, i);
    const plain = ctz(special | 65536);
    i += plain;
    o += plain;
    if (special === 0) continue;
    if (i >= to || load8(i) !== BACKSLASH) break;
    const stands = load8(LETTERS + load8(i + 1));
    if (stands === 0 || i + 1 >= to) break;
    store8(o, stands);
    o += 1;
    i += 2;
    store32(shift, o - written);
    store32(shift + SHIFTS_SIZE, i - read - (o - written));
    shift += 4;
  }
  // Sixteen bytes at a time may run over the end, where anything may lie.
  const beyond = i > to ? i - to : 0;
  store32(STOPPED, i - beyond);
  store32(STOPPED + 4, o - beyond);
  store32(STOPPED + 8, (shift - SHIFTS) >> 2);
  return 0;
}
