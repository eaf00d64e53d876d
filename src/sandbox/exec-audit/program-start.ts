// What a process is about to start, read from its memory and its directory in /proc while the kernel holds it. A process that shares the
// memory may change it after it was read: this is an audit and a guard rail, the boundary is the sandbox.
import fs from 'node:fs';
import path from 'node:path';
import type { Notice } from './notice.ts';

export interface ProgramStart {
  /** As it was called, made absolute. */
  readonly path: string;
  /** Where its links lead. */
  readonly realPath: string;
  readonly argv: readonly string[];
  readonly cwd: string;
}

/** What is kept of one start: the rest of a longer argument list is named by its number. Bytes, and arguments. */
const limits = { path: 4096, argument: 2048, all: 16_384, arguments: 256 } as const;
const pageBytes = 4096n;

/** @throws when the process is gone or cannot be read */
export function readStart(notice: Notice): ProgramStart {
  const process = `/proc/${notice.pid}`;
  const memory = fs.openSync(`${process}/mem`, 'r');
  try {
    const cwd = readlink(`${process}/cwd`);
    const called = notice.isByDescriptor ? '' : text(memory, notice.path, limits.path);
    const base = notice.directoryFd === undefined ? cwd : readlink(`${process}/fd/${notice.directoryFd}`);
    const start = called === '' ? base : path.resolve(base, called);
    return { path: start, realPath: followed(`${process}/root`, start), argv: argumentsOf(memory, notice.argv), cwd };
  } finally {
    fs.closeSync(memory);
  }
}

/** The path of a file that is looked for inside, where it does not exist, and that the host has. */
export function missingPath(notice: Notice): string | undefined {
  const process = `/proc/${notice.pid}`;
  let memory: number | undefined;
  try {
    memory = fs.openSync(`${process}/mem`, 'r');
    const called = text(memory, notice.path, limits.path);
    if (called === '') return undefined;
    const base = path.isAbsolute(called)
      ? '/'
      : readlink(`${process}/${notice.directoryFd === undefined ? 'cwd' : `fd/${notice.directoryFd}`}`);
    const wanted = path.resolve(base, called);
    return fs.existsSync(`${process}/root${wanted}`) || !fs.existsSync(wanted) ? undefined : wanted;
  } catch {
    return undefined;
  } finally {
    if (memory !== undefined) fs.closeSync(memory);
  }
}

function argumentsOf(memory: number, at: bigint): string[] {
  const found: string[] = [];
  if (at === 0n) return found;
  const pointer = Buffer.alloc(8);
  let room: number = limits.all;
  for (let i = 0; ; i++) {
    // A short read is the end of the memory: the kernel will fail this start.
    if (fs.readSync(memory, pointer, 0, 8, Number(at) + 8 * i) < 8) return found;
    const next = pointer.readBigUInt64LE();
    if (next === 0n) return found;
    if (i >= limits.arguments || room <= 0) return [...found, '… (more arguments)'];
    const argument = text(memory, next, Math.min(limits.argument, room));
    room -= argument.length + 1;
    found.push(argument);
  }
}

/** Text up to NUL, at most `most` bytes. Reads page by page: the memory after the text need not exist. */
function text(memory: number, at: bigint, most: number): string {
  const chunks: Buffer[] = [];
  let left = most;
  for (let from = at; left > 0; ) {
    const chunk = Buffer.alloc(Math.min(left, Number(pageBytes - (from % pageBytes))));
    const count = fs.readSync(memory, chunk, 0, chunk.length, Number(from));
    const end = chunk.subarray(0, count).indexOf(0);
    chunks.push(chunk.subarray(0, end < 0 ? count : end));
    if (end >= 0 || count < chunk.length) return Buffer.concat(chunks).toString();
    from += BigInt(count);
    left -= count;
  }
  return `${Buffer.concat(chunks).toString()}…`;
}

function readlink(file: string): string {
  return fs.readlinkSync(file);
}

/** Follows the links at the end of a path, as the process sees it. */
function followed(root: string, start: string): string {
  let at = start;
  for (let links = 0; links < 16; links++) {
    try {
      at = path.resolve(path.dirname(at), fs.readlinkSync(root + at));
    } catch {
      return at;
    }
  }
  return at;
}
