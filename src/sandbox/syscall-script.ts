// A program of system calls: constants, bytes, values stored by an earlier call, and the program's own arguments. A call that fails
// reports its step and errno and ends the program. It has jumps, so that a process can be told from its child and a loop can be
// written, sums and a look at memory, so that a loop can go through what the kernel wrote, and nothing else: no functions, no stack.
// `elf.ts` makes it executable.
import { type Arch, type SyscallName, syscallNumbers } from './syscall-number.ts';

/** A call by name, or by its number on each machine. */
export type Syscall = SyscallName | Readonly<Record<Arch, number>>;

/** Bytes in the program's data segment. `bytes` may be filled in until the program is built. */
export interface Datum {
  readonly kind: 'datum';
  readonly offset: number;
  readonly bytes: Buffer;
}

export type Argument =
  | number
  | bigint
  /** A constant that has another value on each machine. */
  | Readonly<Record<Arch, number>>
  /** The address of these bytes. */
  | Datum
  /** The 32-bit value that stands in these bytes when the call is made. */
  | { readonly load: Datum }
  /** The n-th argument of the program (0 is its own name), a pointer to text. */
  | { readonly argv: number }
  /** The argument vector from the n-th argument on. */
  | { readonly argvFrom: number }
  /** The environment of the program. */
  | { readonly environment: true };

export type Step =
  | {
      readonly kind: 'call';
      readonly number: Readonly<Record<Arch, number>>;
      readonly args: readonly Argument[];
      /** Where the 32-bit result goes. */
      readonly store?: Datum;
      /** Number of the stage that is reported when the result is negative; left out: failure is ignored. */
      readonly stage?: number;
      /** The only result that counts as success. */
      readonly exactly?: number;
    }
  /** Ends the program unless the 32-bit value in `datum` is zero. */
  | { readonly kind: 'zero'; readonly datum: Datum; readonly stage: number }
  /** Sets every byte to zero; the length is a multiple of eight. */
  | { readonly kind: 'clear'; readonly datum: Datum }
  | { readonly kind: 'place'; readonly label: Label }
  /** Goes on at the label: always, or when the 32-bit value in `ifZero` is zero. */
  /** Goes on at the label: always, or when the 32-bit value in `when` is zero, or is below it. */
  | { readonly kind: 'jump'; readonly to: Label; readonly when?: { readonly is: 'zero' | 'negative'; readonly value: Datum } }
  /** Adds to the 32-bit value in `to`, or takes away from it. */
  | { readonly kind: 'add'; readonly to: Datum; readonly value: number | Datum; readonly sign: 1 | -1 }
  /** Puts into `to` what stands `offset` bytes after the address in `at`. */
  | { readonly kind: 'peek'; readonly to: Datum; readonly at: Datum; readonly offset: number; readonly bytes: 1 | 2 };

/** A place in the program, numbered from 0. */
export type Label = number;

export interface Program {
  readonly steps: readonly Step[];
  readonly data: Buffer;
  /** Places in `data` that hold the address of another place in `data`. */
  readonly pointers: readonly { readonly at: number; readonly to: number }[];
  /** Names of the stages; a failure report carries an index into this list. */
  readonly stages: readonly string[];
  /** Where failure reports are written to. */
  readonly reportFd: number;
  /** Scratch bytes for the report: errno and stage, 32 bits each. */
  readonly report: Datum;
}

const wordBytes = 8;

const numberOf = (call: Syscall): Readonly<Record<Arch, number>> => (typeof call === 'string' ? syscallNumbers[call] : call);

export class SyscallScript {
  readonly #steps: Step[] = [];
  readonly #chunks: Buffer[] = [];
  readonly #pointers: { at: number; to: number }[] = [];
  readonly #stages: string[] = [];
  readonly #reportFd: number;
  readonly #report: Datum;
  #size = 0;
  #labels = 0;

  constructor(reportFd: number) {
    this.#reportFd = reportFd;
    this.#report = this.space(2 * wordBytes);
  }

  /** Names what the following calls are for; shown to a person when one of them fails. */
  stage(name: string): this {
    this.#stages.push(name);
    return this;
  }

  bytes(bytes: Uint8Array): Datum {
    const padding = (wordBytes - (this.#size % wordBytes)) % wordBytes;
    const copy = Buffer.from(bytes);
    const datum: Datum = { kind: 'datum', offset: this.#size + padding, bytes: copy };
    this.#chunks.push(Buffer.alloc(padding), copy);
    this.#size += padding + copy.length;
    return datum;
  }

  space(size: number): Datum {
    return this.bytes(Buffer.alloc(size));
  }

  /** Text ended by NUL, as the kernel wants paths. */
  text(text: string): Datum {
    return this.bytes(Buffer.from(`${text}\0`));
  }

  /** Part of an earlier datum, as a datum. */
  within(datum: Datum, offset: number, size = datum.bytes.length - offset): Datum {
    return { kind: 'datum', offset: datum.offset + offset, bytes: datum.bytes.subarray(offset, offset + size) };
  }

  /** 64-bit words: numbers, or the addresses of data (for iovec, msghdr). */
  words(words: readonly (number | Datum)[]): Datum {
    const table = this.space(words.length * wordBytes);
    words.forEach((word, i) => {
      if (typeof word === 'number') table.bytes.writeBigUInt64LE(BigInt(word), i * wordBytes);
      else this.#pointers.push({ at: table.offset + i * wordBytes, to: word.offset });
    });
    return table;
  }

  /** A call that must succeed. */
  call(call: Syscall, args: readonly Argument[], options: { store?: Datum; exactly?: number } = {}): this {
    this.#steps.push({ kind: 'call', number: numberOf(call), args, stage: this.#stages.length - 1, ...options });
    return this;
  }

  /** A call that may fail; the result, a negative errno included, goes to `store`. */
  attempt(call: Syscall, args: readonly Argument[], store?: Datum): this {
    this.#steps.push({ kind: 'call', number: numberOf(call), args, ...(store ? { store } : {}) });
    return this;
  }

  expectZero(datum: Datum): this {
    this.#steps.push({ kind: 'zero', datum, stage: this.#stages.length - 1 });
    return this;
  }

  clear(datum: Datum): this {
    if (datum.bytes.length % wordBytes !== 0) throw new RangeError('only whole words can be cleared');
    this.#steps.push({ kind: 'clear', datum });
    return this;
  }

  /** A name for a place that `place` says later, or has said. */
  label(): Label {
    return this.#labels++;
  }

  place(label: Label): this {
    this.#steps.push({ kind: 'place', label });
    return this;
  }

  jump(to: Label, ifZero?: Datum): this {
    this.#steps.push({ kind: 'jump', to, ...(ifZero ? { when: { is: 'zero', value: ifZero } } : {}) });
    return this;
  }

  jumpIfNegative(to: Label, value: Datum): this {
    this.#steps.push({ kind: 'jump', to, when: { is: 'negative', value } });
    return this;
  }

  /** A number may be below zero; sums are of 32 bits, which addresses of data fit into (`elf.ts`). */
  add(to: Datum, value: number | Datum): this {
    this.#steps.push({ kind: 'add', to, value, sign: 1 });
    return this;
  }

  subtract(to: Datum, value: Datum): this {
    this.#steps.push({ kind: 'add', to, value, sign: -1 });
    return this;
  }

  /** @param at holds an address */
  peek(to: Datum, at: Datum, offset: number, bytes: 1 | 2): this {
    this.#steps.push({ kind: 'peek', to, at, offset, bytes });
    return this;
  }

  build(): Program {
    return {
      steps: this.#steps,
      data: Buffer.concat(this.#chunks),
      pointers: this.#pointers,
      stages: this.#stages,
      reportFd: this.#reportFd,
      report: this.#report,
    };
  }
}
