// The vDSO: code of the kernel in every process, which reads the clock without a system call (vdso(7)). It is the same in all processes
// of a machine, so its functions are found in our own, and written over in another one by the system call that they spare.
import fs from 'node:fs';
import { IntramurError } from '../../core/index.ts';
import { clockCalls } from './clock-filter.ts';

export interface Patch {
  /** From the begin of the vDSO, bytes. */
  readonly at: number;
  readonly code: Buffer;
}

const functions: Readonly<Record<string, number>> = {
  __vdso_clock_gettime: clockCalls.clock_gettime,
  __vdso_gettimeofday: clockCalls.gettimeofday,
  __vdso_time: clockCalls.time,
};

/**
 * What has to be written over the vDSO so that it asks the kernel.
 * @throws IntramurError SANDBOX_UNAVAILABLE when this kernel's is not understood: a clock that could not be shifted would be the true one
 */
export function clockPatches(image: Buffer = ownVdso()): readonly Patch[] {
  const offsets = symbolsOf(image);
  return Object.entries(functions).map(([name, number]) => {
    const at = offsets.get(name);
    if (at === undefined || at + longestStub > image.length)
      throw new IntramurError('SANDBOX_UNAVAILABLE', `the vDSO of this kernel has no ${name}`);
    return { at, code: stub(number) };
  });
}

/** Begin of the vDSO in a process, from its auxiliary vector; 0 when it has none. */
export function vdsoBase(pid: number): number {
  const vector = fs.readFileSync(`/proc/${pid}/auxv`);
  const [atNull, atSysinfoEhdr] = [0n, 33n];
  for (let at = 0; at + 16 <= vector.length; at += 16) {
    const type = vector.readBigUInt64LE(at);
    if (type === atSysinfoEhdr) return Number(vector.readBigUInt64LE(at + 8));
    if (type === atNull) break;
  }
  return 0;
}

const longestStub = 8;

/** `mov eax, NUMBER; syscall; ret`. */
function stub(number: number): Buffer {
  const code = Buffer.from([0xb8, 0, 0, 0, 0, 0x0f, 0x05, 0xc3]);
  code.writeUInt32LE(number, 1);
  return code;
}

function ownVdso(): Buffer {
  const line = fs
    .readFileSync('/proc/self/maps', 'utf8')
    .split('\n')
    .find((one) => one.endsWith('[vdso]'));
  const [, from = '0', to = '0'] = /^([0-9a-f]+)-([0-9a-f]+) /.exec(line ?? '') ?? [];
  const image = Buffer.alloc(Number(`0x${to}`) - Number(`0x${from}`));
  const memory = fs.openSync('/proc/self/mem', 'r');
  try {
    fs.readSync(memory, image, 0, image.length, Number(`0x${from}`));
  } finally {
    fs.closeSync(memory);
  }
  return image;
}

/** Names and offsets of the dynamic symbols of a 64-bit ELF image that is linked at 0 (elf(5)). */
function symbolsOf(image: Buffer): Map<string, number> {
  const found = new Map<string, number>();
  const [dynamicSymbols, symbolBytes] = [11, 24];
  if (image.length < 64 || image.readUInt32BE(0) !== 0x7f454c46) return found;
  const [table, size, count] = [Number(image.readBigUInt64LE(40)), image.readUInt16LE(58), image.readUInt16LE(60)];
  const section = (index: number): Buffer => image.subarray(table + index * size, table + (index + 1) * size);
  const contentOf = (header: Buffer): Buffer => {
    const [at, length] = [Number(header.readBigUInt64LE(24)), Number(header.readBigUInt64LE(32))];
    return image.subarray(at, at + length);
  };
  for (let index = 0; index < count && section(index).length === size; index++) {
    const header = section(index);
    if (header.readUInt32LE(4) !== dynamicSymbols) continue;
    const names = contentOf(section(header.readUInt32LE(40)));
    const symbols = contentOf(header);
    for (let at = 0; at + symbolBytes <= symbols.length; at += symbolBytes) {
      const start = symbols.readUInt32LE(at);
      const name = names.toString('latin1', start, names.indexOf(0, start));
      found.set(name, Number(symbols.readBigUInt64LE(at + 8)));
    }
  }
  return found;
}
