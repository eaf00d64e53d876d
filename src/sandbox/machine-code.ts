// Machine code of a syscall script, for x86_64 and aarch64. Each encoder is a table of the few instructions that are needed:
// Intel SDM volume 2 and the Arm Architecture Reference Manual (C6, A64 base instructions) have the encodings.
import { type Arch, syscallNumbers } from './syscall-number.ts';
import type { Argument, Datum, Label, Program } from './syscall-script.ts';

/** @param base address at which `program.data` will stand */
export function machineCode(program: Program, arch: Arch, base: bigint): Buffer {
  return arch === 'x64' ? x64(program, base) : arm64(program, base);
}

/** Jumps whose distance is filled in when every label has its place. Places are indices into the code. */
class Jumps {
  readonly #places = new Map<Label, number>();
  readonly #pending: { readonly at: number; readonly to: Label }[] = [];

  place(label: Label, at: number): void {
    if (this.#places.has(label)) throw new RangeError('a label stands at one place');
    this.#places.set(label, at);
  }

  from(at: number, to: Label): void {
    this.#pending.push({ at, to });
  }

  resolve(fill: (at: number, target: number) => void): void {
    for (const { at, to } of this.#pending) {
      const target = this.#places.get(to);
      if (target === undefined) throw new RangeError('a jump to a label that stands nowhere');
      fill(at, target);
    }
  }
}

const addressOf = (datum: Datum, base: bigint): bigint => base + BigInt(datum.offset);

const wordsOf = (datum: Datum, base: bigint): bigint[] =>
  Array.from({ length: datum.bytes.length / 8 }, (_, i) => addressOf(datum, base) + BigInt(8 * i));

function u32(value: number): number[] {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return [...bytes];
}

function u64(value: bigint): number[] {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt.asUintN(64, value));
  return [...bytes];
}

/** The argument vector begins one word above the stack pointer that the kernel gives us. */
const argvOffset = (index: number): number => 8 + 8 * index;

// rdi, rsi, rdx, r10, r8, r9: the six argument registers of a system call.
const x64Registers = [
  { immediate: [0x48, 0xbf], fromEax: [0x89, 0xc7], rex: 0x48, modrm: 0xbd },
  { immediate: [0x48, 0xbe], fromEax: [0x89, 0xc6], rex: 0x48, modrm: 0xb5 },
  { immediate: [0x48, 0xba], fromEax: [0x89, 0xc2], rex: 0x48, modrm: 0x95 },
  { immediate: [0x49, 0xba], fromEax: [0x41, 0x89, 0xc2], rex: 0x4c, modrm: 0x95 },
  { immediate: [0x49, 0xb8], fromEax: [0x41, 0x89, 0xc0], rex: 0x4c, modrm: 0x85 },
  { immediate: [0x49, 0xb9], fromEax: [0x41, 0x89, 0xc1], rex: 0x4c, modrm: 0x8d },
] as const;

/** movzx eax, byte or word of [rax+disp32] */
const x64Peeks = { 1: [0x0f, 0xb6, 0x80], 2: [0x0f, 0xb7, 0x80] } as const;

function x64(program: Program, base: bigint): Buffer {
  const code: number[] = [];
  const jumps = new Jumps();
  const jumpsToFailure: number[] = [];
  const syscall = (number: number): void => void code.push(0xb8, ...u32(number), 0x0f, 0x05);
  const loaded = (datum: Datum): number[] => [0xa1, ...u64(addressOf(datum, base))]; // mov eax,[…]
  const stored = (datum: Datum): number[] => [0xa3, ...u64(addressOf(datum, base))]; // mov […],eax
  const argument = (value: Argument, index: number): void => {
    const register = x64Registers[index];
    if (!register) throw new RangeError('a system call has at most six arguments');
    if (typeof value === 'number' || typeof value === 'bigint') code.push(...register.immediate, ...u64(BigInt(value)));
    else if ('x64' in value) code.push(...register.immediate, ...u64(BigInt(value.x64)));
    else if ('load' in value) code.push(...loaded(value.load), ...register.fromEax);
    else if ('argv' in value) code.push(register.rex, 0x8b, register.modrm, ...u32(argvOffset(value.argv)));
    else if ('argvFrom' in value) code.push(register.rex, 0x8d, register.modrm, ...u32(argvOffset(value.argvFrom)));
    else if ('environment' in value)
      code.push(0x48, 0x8b, 0x45, 0x00, register.rex, 0x8d, 0x44 | (register.modrm & 0x38), 0xc5, 0x10); // mov rax,[rbp]; lea …,[rbp+rax*8+16]
    else code.push(...register.immediate, ...u64(addressOf(value, base)));
  };
  /** mov edi, stage; jmp failure: ten bytes, which the conditional jump before it steps over. */
  const failure = (stage: number): void => {
    code.push(0xbf, ...u32(stage), 0xe9);
    jumpsToFailure.push(code.length);
    code.push(0, 0, 0, 0);
  };

  code.push(0x48, 0x89, 0xe5); // mov rbp, rsp
  for (const step of program.steps) {
    if (step.kind === 'zero') {
      code.push(0xa1, ...u64(addressOf(step.datum, base)), 0x48, 0x98, 0x48, 0x85, 0xc0, 0x74, 0x0a); // mov eax,[…]; cdqe; test rax,rax; je +10
      failure(step.stage);
      continue;
    }
    if (step.kind === 'clear') {
      code.push(0x31, 0xc0); // xor eax,eax
      for (const word of wordsOf(step.datum, base)) code.push(0x48, 0xa3, ...u64(word)); // mov [word],rax
      continue;
    }
    if (step.kind === 'place') {
      jumps.place(step.label, code.length);
      continue;
    }
    if (step.kind === 'jump') {
      // mov eax,[…]; test eax,eax; je … or js …
      if (step.when) code.push(...loaded(step.when.value), 0x85, 0xc0, 0x0f, step.when.is === 'zero' ? 0x84 : 0x88);
      else code.push(0xe9); // jmp …
      jumps.from(code.length, step.to);
      code.push(0, 0, 0, 0);
      continue;
    }
    if (step.kind === 'add') {
      if (typeof step.value === 'number')
        code.push(0xb9, ...u32(step.value)); // mov ecx,imm32
      else code.push(...loaded(step.value), 0x89, 0xc1); // mov eax,[…]; mov ecx,eax
      code.push(...loaded(step.to), step.sign === 1 ? 0x01 : 0x29, 0xc8, ...stored(step.to)); // mov eax,[…]; add or sub eax,ecx; mov […],eax
      continue;
    }
    if (step.kind === 'peek') {
      code.push(...loaded(step.at), ...x64Peeks[step.bytes], ...u32(step.offset), ...stored(step.to));
      continue;
    }
    step.args.forEach(argument);
    syscall(step.number.x64);
    if (step.store) code.push(0xa3, ...u64(addressOf(step.store, base)));
    if (step.stage === undefined) continue;
    if (step.exactly === undefined)
      code.push(0x48, 0x85, 0xc0, 0x79, 0x0a); // test rax,rax; jns +10
    else code.push(0x48, 0x3d, ...u32(step.exactly), 0x74, 0x0a); // cmp rax,imm32; je +10
    failure(step.stage);
  }
  code.push(0xbf, ...u32(0)); // falling off the end is a failure of stage 0 too
  for (const at of jumpsToFailure) code.splice(at, 4, ...u32(code.length - (at + 4)));
  jumps.resolve((at, target) => void code.splice(at, 4, ...u32(target - (at + 4))));
  const report = addressOf(program.report, base);
  code.push(0xa3, ...u64(report), 0x89, 0xf8, 0xa3, ...u64(report + 4n)); // mov [report],eax; mov eax,edi; mov [report+4],eax
  [program.reportFd, report, 8].forEach(argument);
  syscall(syscallNumbers.write.x64);
  code.push(0xbf, ...u32(125));
  syscall(syscallNumbers.exit.x64);
  return Buffer.from(code);
}

/** cbz w0, …; b.mi …: the distance stands at the same place in both. */
const arm64Jumps = { zero: 0x34000000, negative: 0x54000004 } as const;
/** ldrb or ldrh w0, [x0, x2] */
const arm64Peeks = { 1: 0x38626800, 2: 0x78626800 } as const;

function arm64(program: Program, base: bigint): Buffer {
  const code: number[] = [];
  const jumps = new Jumps();
  const jumpsToFailure: number[] = [];
  const [frame, scratch, stageRegister, callNumber] = [29, 9, 19, 8];
  /** movz, then movk for the three upper halves: always four instructions. */
  const immediate = (register: number, value: bigint): void => {
    const bits = BigInt.asUintN(64, value);
    for (let half = 0; half < 4; half++) {
      const part = Number((bits >> BigInt(16 * half)) & 0xffffn);
      code.push(((half === 0 ? 0xd2800000 : 0xf2800000) | (half << 21) | (part << 5) | register) >>> 0);
    }
  };
  const syscall = (number: number): void => {
    immediate(callNumber, BigInt(number));
    code.push(0xd4000001);
  };
  /** ldr w0, [x9] */
  const load = (datum: Datum): void => {
    immediate(scratch, addressOf(datum, base));
    code.push(0xb9400120);
  };
  const argument = (value: Argument, register: number): void => {
    if (typeof value === 'number' || typeof value === 'bigint') return immediate(register, BigInt(value));
    if ('arm64' in value) return immediate(register, BigInt(value.arm64));
    if ('load' in value) {
      immediate(scratch, addressOf(value.load, base));
      code.push((0xb9400000 | (scratch << 5) | register) >>> 0); // ldr wN, [x9]
    } else if ('argv' in value) {
      code.push((0xf9400000 | ((argvOffset(value.argv) / 8) << 10) | (frame << 5) | register) >>> 0); // ldr xN, [x29, #…]
    } else if ('argvFrom' in value) {
      code.push((0x91000000 | (argvOffset(value.argvFrom) << 10) | (frame << 5) | register) >>> 0); // add xN, x29, #…
    } else if ('environment' in value) {
      code.push(0xf94003a9, 0x8b090fa9, (0x91004120 | register) >>> 0); // ldr x9, [x29]; add x9, x29, x9, lsl #3; add xN, x9, #16
    } else immediate(register, addressOf(value, base));
  };
  /** Five instructions, which the conditional branch before it steps over. */
  const failure = (stage: number): void => {
    immediate(stageRegister, BigInt(stage));
    jumpsToFailure.push(code.length);
    code.push(0);
  };

  code.push(0x910003fd); // mov x29, sp
  for (const step of program.steps) {
    if (step.kind === 'zero') {
      immediate(scratch, addressOf(step.datum, base));
      code.push(0xb9800120, 0xb4000000 | (6 << 5)); // ldrsw x0, [x9]; cbz x0, +6
      failure(step.stage);
      continue;
    }
    if (step.kind === 'clear') {
      for (const word of wordsOf(step.datum, base)) {
        immediate(scratch, word);
        code.push(0xf900013f); // str xzr, [x9]
      }
      continue;
    }
    if (step.kind === 'place') {
      jumps.place(step.label, code.length);
      continue;
    }
    if (step.kind === 'jump') {
      if (step.when) load(step.when.value);
      if (step.when?.is === 'negative') code.push(0x7100001f); // cmp w0, #0
      jumps.from(code.length, step.to);
      code.push(step.when ? arm64Jumps[step.when.is] : 0x14000000); // … or b …
      continue;
    }
    if (step.kind === 'add') {
      if (typeof step.value === 'number') immediate(1, BigInt(step.value));
      else {
        load(step.value);
        code.push(0x2a0003e1); // mov w1, w0
      }
      load(step.to);
      code.push(step.sign === 1 ? 0x0b010000 : 0x4b010000, 0xb9000120); // add or sub w0, w0, w1; str w0, [x9]
      continue;
    }
    if (step.kind === 'peek') {
      immediate(2, BigInt(step.offset));
      load(step.at);
      code.push(arm64Peeks[step.bytes]);
      immediate(scratch, addressOf(step.to, base));
      code.push(0xb9000120); // str w0, [x9]
      continue;
    }
    step.args.forEach(argument);
    syscall(step.number.arm64);
    if (step.store) {
      immediate(scratch, addressOf(step.store, base));
      code.push(0xb9000120); // str w0, [x9]
    }
    if (step.stage === undefined) continue;
    if (step.exactly === undefined)
      code.push((0xb6f80000 | (6 << 5)) >>> 0); // tbz x0, #63, +6
    else {
      immediate(scratch, BigInt(step.exactly));
      code.push(0xeb09001f, 0x54000000 | (6 << 5)); // cmp x0, x9; b.eq +6
    }
    failure(step.stage);
  }
  immediate(stageRegister, 0n);
  for (const at of jumpsToFailure) code[at] = (0x14000000 | ((code.length - at) & 0x3ffffff)) >>> 0; // b failure
  jumps.resolve((at, target) => {
    const isConditional = code[at] !== 0x14000000;
    const distance = isConditional ? ((target - at) & 0x7ffff) << 5 : (target - at) & 0x3ffffff;
    code[at] = ((code[at] ?? 0) | distance) >>> 0;
  });
  const report = addressOf(program.report, base);
  immediate(scratch, report);
  code.push(0xb9000120, 0xb9000533); // str w0, [x9]; str w19, [x9, #4]
  [program.reportFd, report, 8].forEach(argument);
  syscall(syscallNumbers.write.arm64);
  immediate(0, 125n);
  syscall(syscallNumbers.exit.arm64);
  const bytes = Buffer.alloc(code.length * 4);
  code.forEach((word, i) => bytes.writeUInt32LE(word >>> 0, i * 4));
  return bytes;
}
