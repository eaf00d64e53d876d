// The stretches of JSON that are long: copied without their commonest escapes by WebAssembly (kernel/json.kernel.ts), a part of the text at a time.
// A fault in it is a trap, so an exception, so a refusal.
import { jsonCode } from '../kernel/json.code.ts';
import * as K from '../kernel/json.kernel.ts';
import { tableOf } from '../kernel/memory.ts';
import { startKernel } from '../kernel/start.ts';
import { letters } from './escapes.ts';
import type { Numbers } from './numbers.ts';

interface Kernel {
  readonly memory: WebAssembly.Memory;
  copyText(from: number, to: number, out: number, read: number, written: number): number;
}

const { memory, copyText: run } = startKernel<Kernel>(jsonCode);
new Uint8Array(memory.buffer).set(tables());
const text = new Uint8Array(memory.buffer, K.TEXT, K.PART);
const copied = new Uint8Array(memory.buffer, K.OUT, K.PART);
const stopped = new Int32Array(memory.buffer, K.STOPPED, 3);
const places = new Int32Array(memory.buffer, K.SHIFTS, K.SHIFTS_SIZE / 4);
const shifts = new Int32Array(memory.buffer, K.SHIFTS + K.SHIFTS_SIZE, K.SHIFTS_SIZE / 4);
/** The first part is small, for most strings are; each further one is twice as large. */
const FIRST_PART = 1024;

/**
 * Copies `bytes` from `from` on to `out` at `written`, up to a quote or to an escape that is none of the commonest. Says where it stopped in
 * both.
 */
export function copyText(
  bytes: Buffer,
  from: number,
  out: Buffer,
  written: number,
  at: Numbers,
  shift: Numbers,
): { read: number; wrote: number } {
  let read = from;
  let wrote = written;
  let isAtEnd = true;
  for (let most = FIRST_PART; isAtEnd && read < bytes.length; most = Math.min(2 * most, K.PART)) {
    const size = Math.min(bytes.length - read, most);
    text.set(bytes.subarray(read, read + size));
    run(K.TEXT, K.TEXT + size, K.OUT, K.TEXT - read, K.OUT - wrote);
    const [end = 0, outEnd = 0, count = 0] = stopped;
    out.set(copied.subarray(0, outEnd - K.OUT), wrote);
    if (count > 0) {
      at.append(places, count);
      shift.append(shifts, count);
    }
    read += end - K.TEXT;
    wrote += outEnd - K.OUT;
    isAtEnd = end === K.TEXT + size;
  }
  return { read, wrote };
}

/** What the kernel looks up; it changes nothing of it. */
export function tables(): Uint8Array {
  const all = new Uint8Array(K.TEXT);
  all.set(tableOf('"\\'), K.SPECIAL);
  all.set(letters, K.LETTERS);
  return all;
}
