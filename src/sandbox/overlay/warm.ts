// The kernel's first look at each path of a new overlay costs it some microseconds: it looks the path up in the layer and in the
// workspace, and makes an entry and an inode of its own. A process beside the session takes these first looks while the program starts,
// breadth first, with the rights of the program, and is gone soon after (docs/decisions/0028). It reads names and attributes, never a file.
//
// It is part of the init and inherits the overlay; the program has no way to it: it is in an outer process namespace, and in a process
// group of its own. What it walks may be hostile. INVARIANT: it goes by one name below a directory that it holds, follows no link, opens
// nothing but directories, and ends after so many entries, so much time, or with bubblewrap, whichever comes first.
import type { Argument, Datum, Label, SyscallScript } from '../syscall-script.ts';

export interface Warming {
  /** What the process itself does; to be placed where the init's own path never comes. */
  placeLoop(): void;
}

export interface Extent {
  /** Each takes about a kilobyte of the kernel's memory, which it takes back when it needs it. */
  readonly entries: number;
  /** The launch goes first: about as long as it needs from here to the start of the program. */
  readonly pauseMs: number;
}

const ordinary: Extent = { entries: 20_000, pauseMs: 20 };
const seconds = 3;
/** Each directory stays open until the end: the descriptors are the queue. */
const directories = 4096;

/**
 * File systems (statfs(2)) on which a look at a file asks nobody else: ext4, XFS, Btrfs, F2FS, tmpfs, bcachefs, ZFS. Over a network, or
 * through another program, the looks could cost more than they save.
 */
const local: ReadonlySet<number> = new Set([0xef53, 0x58465342, 0x9123683e, 0xf2f52010, 0x01021994, 0xca451a4e, 0x2fc12fc1]);

/**
 * The top is the only directory that layer and workspace have both: the kernel reads it as a whole, before it gives out the first name,
 * and keeps it locked meanwhile. Some 9,000 names, 8 ms.
 */
const topBytes = 256 << 10;

/** @param workspace the type of its file system, and the size of its directory */
export function isWorthWarming(workspace: { readonly type: number; readonly size: number }): boolean {
  return local.has(workspace.type) && workspace.size <= topBytes;
}

const childSignal = 17;
const [setPdeathsig, sigkill] = [1, 9];

/** From here on the overlay at `directory` is walked by a process of its own. Where there can be none, nothing is lost. */
export function warm(script: SyscallScript, directory: Argument, { entries, pauseMs } = ordinary): Warming {
  const slot = script.space(8);
  const child = script.label();
  script.attempt('clone', [childSignal, 0, 0, 0, 0], slot);
  script.jump(child, slot);
  return {
    placeLoop() {
      script.place(child);
      script.stage('the first look at the workspace');
      giveWay(script);
      script.call('nanosleep', [script.words([0, pauseMs * 1_000_000]), 0]);
      walk(script, directory, entries);
      script.call('exit', [0]);
    },
  };
}

/** What it inherits of the init is given up: descriptors first, since the launcher waits for their end, then rights, then priority. */
function giveWay(script: SyscallScript): void {
  const [resourceFiles, realTimer, idleClass] = [7, 0, 3 << 13];
  // Some, not all: who waits for a directory that this process has locked waits until it has its turn again.
  const niceness = 10;
  script.call('close_range', [0, 0xffffffff, 0]);
  script.call('prctl', [setPdeathsig, sigkill, 0, 0, 0]);
  script.call('capset', [script.words([0x20080522]), script.space(24)]);
  // A signal to its process group is the program's own business, and so are the keys of the terminal.
  script.call('setpgid', [0, 0]);
  script.attempt('setpriority', [0, 0, niceness]);
  script.attempt('ioprio_set', [1, 0, idleClass]);
  script.attempt('prlimit64', [0, resourceFiles, script.words([directories, directories]), 0]);
  script.call('setitimer', [realTimer, script.words([0, 0, seconds, 0]), 0]);
}

/** `struct linux_dirent64` (getdents64(2)): where an entry's length, type and name stand. */
const dirent = { length: 16, type: 18, name: 19 } as const;
const isDirectory = 4;

/** O_DIRECTORY and O_NOFOLLOW, which are not the same bits on both machines (include/uapi/asm-generic/fcntl.h and that of arch/arm64). */
const aDirectory = { x64: 0o200000 | 0o400000, arm64: 0o40000 | 0o100000 } as const;

/** Names, by how they begin, of directories that searches and `git status` leave out: hidden ones, `.` and `..` among them, and packages. */
const passedOver = ['.', 'node_modules\0'] as const;

/**
 * Breadth first, so that of a tree that is too large the top is known. Descriptors are given out in order and none is closed: the next
 * directory is the next number. A directory that is gone, or cannot be read, is as one that is empty.
 */
export function walk(script: SyscallScript, directory: Argument, entries: number): void {
  const [noFollow, noAutomount, doNotSync] = [0x100, 0x800, 0x4000];
  const atFdCwd = -100;
  const bufferBytes = 4096;
  const buffer = script.space(bufferBytes);
  const start = script.words([buffer]);
  const attributes = script.space(256);
  const cell = (value = 0): Datum => script.words([value]);
  const [current, ahead, budget] = [cell(), cell(1), cell(entries)];
  const [left, entry, name, value, opened] = [cell(), cell(), cell(), cell(), cell()];
  const label = (): Label => script.label();
  const [nextPart, nextEntry, below, step, nextDirectory, end] = [label(), label(), label(), label(), label(), label()];

  script.call('openat', [atFdCwd, directory, aDirectory, 0], { store: current });
  script.place(nextPart);
  script.attempt('getdents64', [{ load: current }, buffer, bufferBytes], left);
  script.jump(nextDirectory, left).jumpIfNegative(nextDirectory, left);
  script.clear(entry).add(entry, start);

  script.place(nextEntry);
  script.jump(end, budget).add(budget, -1);
  script.clear(name).add(name, entry).add(name, dirent.name);
  script.attempt('statx', [{ load: current }, { load: name }, noFollow | noAutomount | doNotSync, 0, attributes]);
  script.peek(value, entry, dirent.type, 1).add(value, -isDirectory).jump(below, value);
  script.place(step);
  script.peek(value, entry, dirent.length, 2).add(entry, value).subtract(left, value);
  script.jump(nextPart, left).jump(nextEntry);

  script.place(below);
  for (const prefix of passedOver) passOver(script, prefix, { entry, value, to: step });
  script.attempt('openat', [{ load: current }, { load: name }, aDirectory, 0], opened);
  script.jumpIfNegative(step, opened);
  script.add(ahead, 1).jump(step);

  script.place(nextDirectory);
  script.add(current, 1).add(ahead, -1);
  script.jump(end, ahead).jump(nextPart);
  script.place(end);
}

/** Goes on at `to` when the name begins so. */
function passOver(script: SyscallScript, prefix: string, { entry, value, to }: { entry: Datum; value: Datum; to: Label }): void {
  const differs = script.label();
  const bytes = Buffer.from(prefix);
  bytes.forEach((byte, i) => {
    const same = i === bytes.length - 1 ? to : script.label();
    script
      .peek(value, entry, dirent.name + i, 1)
      .add(value, -byte)
      .jump(same, value);
    if (same !== to) script.jump(differs).place(same);
  });
  script.place(differs);
}
