// A static ELF64 executable from a syscall script: one segment of data, one of code, a stack that is not executable (System V
// ABI, chapter 5). No toolchain and no checked-in binary: what runs before the sandbox closes can be read in TypeScript.
import { machineCode } from './machine-code.ts';
import type { Arch } from './syscall-number.ts';
import type { Program } from './syscall-script.ts';

const baseAddress = 0x400000;
/** The largest page size of the supported machines. */
const page = 0x10000;
const fileHeader = 64;
const programHeader = 56;
const headers = Math.ceil((fileHeader + 3 * programHeader) / 16) * 16;
const machines = { x64: 62, arm64: 183 } as const satisfies Record<Arch, number>;

export function elf(program: Program, arch: Arch): Buffer {
  // Data comes first: its address is then known before the code, which is full of addresses of data.
  const dataAddress = baseAddress + headers;
  const data = Buffer.from(program.data);
  for (const { at, to } of program.pointers) data.writeBigUInt64LE(BigInt(dataAddress + to), at);
  const code = machineCode(program, arch, BigInt(dataAddress));
  const codeOffset = Math.ceil((headers + data.length) / 16) * 16;
  // The next page, at the same place within it: the loader maps whole pages of the file.
  const codeAddress = baseAddress + (Math.floor(codeOffset / page) + 1) * page + (codeOffset % page);

  const head = Buffer.alloc(headers);
  head.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0]);
  head.writeUInt16LE(2, 16); // ET_EXEC
  head.writeUInt16LE(machines[arch], 18);
  head.writeUInt32LE(1, 20);
  head.writeBigUInt64LE(BigInt(codeAddress), 24);
  head.writeBigUInt64LE(BigInt(fileHeader), 32);
  head.writeUInt16LE(fileHeader, 52);
  head.writeUInt16LE(programHeader, 54);
  head.writeUInt16LE(3, 56);
  const segment = (index: number, type: number, flags: number, offset: number, address: number, size: number): void => {
    const at = fileHeader + index * programHeader;
    head.writeUInt32LE(type, at);
    head.writeUInt32LE(flags, at + 4);
    head.writeBigUInt64LE(BigInt(offset), at + 8);
    head.writeBigUInt64LE(BigInt(address), at + 16);
    head.writeBigUInt64LE(BigInt(address), at + 24);
    head.writeBigUInt64LE(BigInt(size), at + 32);
    head.writeBigUInt64LE(BigInt(size), at + 40);
    head.writeBigUInt64LE(BigInt(page), at + 48);
  };
  const [load, stack, read, write, execute] = [1, 0x6474e551, 4, 2, 1];
  segment(0, load, read | write, headers, dataAddress, data.length);
  segment(1, load, read | execute, codeOffset, codeAddress, code.length);
  segment(2, stack, read | write, 0, 0, 0);
  return Buffer.concat([head, data, Buffer.alloc(codeOffset - headers - data.length), code]);
}
