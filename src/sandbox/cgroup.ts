// Limits on a session as a whole, through a control group of its own, where this user may make one (cgroups(7)): a delegated part
// of the unified hierarchy, or, for root, the older one. Where it is not possible the limit is reported as not in force.
import { accessSync, constants, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { product } from '../core/index.ts';
import type { LimitsInForce } from './plan.ts';

type Controller = 'memory' | 'pids' | 'cpu';

interface Place {
  readonly directory: string;
  readonly isUnified: boolean;
}

/** The groups of one session. The init enters them by itself, before anything else: moving it there would take the kernel longer. */
export interface SessionCgroup {
  /** Files that a process writes 0 to, to enter. */
  readonly entries: readonly string[];
  /** One line for each limit that the kernel holds for this process. */
  linesFor(pid: number): readonly string[];
  remove(): void;
  /** How many processes the kernel ended because the limit on memory was reached. Known when the groups are removed. */
  readonly memoryKills: number;
}

const limitFiles = {
  memory: { unified: 'memory.max', legacy: 'memory.limit_in_bytes' },
  pids: { unified: 'pids.max', legacy: 'pids.max' },
  cpu: { unified: 'cpu.max', legacy: 'cpu.cfs_quota_us' },
} as const satisfies Record<Controller, { unified: string; legacy: string }>;

const members = 'cgroup.procs';
/**
 * Whoever moves itself by its one thread moves at once: to move a whole process the kernel first stops every start of one and waits until
 * all processors have seen that, 4 to 30 ms. The unified hierarchy has no such file for groups that hold memory or processes.
 */
const oneMember = 'tasks';

const noController = 'no control group with this controller may be made here';

/** What of this a control group does not hold for the session, with the reason. */
export function notHeldBy(
  held: readonly string[],
  { memoryBytes, cpus }: { memoryBytes?: number; cpus?: number },
  isRoot: boolean,
): LimitsInForce['notHeld'] {
  const holds = (word: string): boolean => held.some((line) => line.startsWith(word));
  const missing: LimitsInForce['notHeld'][number][] = [];
  if (isRoot && !holds('processes'))
    missing.push({ limit: 'processes', line: `processes: ${noController}, and the kernel holds root to no number` });
  if (!holds('memory'))
    missing.push({
      limit: 'memory',
      line: `memory in all: ${memoryBytes === undefined ? 'not asked for (--limit-memory)' : noController}`,
    });
  if (!holds('processor'))
    missing.push({ limit: 'cpu', line: `processor time in all: ${cpus === undefined ? 'not asked for (--limit-cpus)' : noController}` });
  return missing;
}

/** Can the total memory of a session be limited here? */
export function memoryLimit(): { available: true } | { available: false; reason: string; fix: string } {
  if (placeFor('memory')) return { available: true };
  return {
    available: false,
    reason: 'no control group with a memory controller may be made here (file sizes, tmpfs sizes and processes are limited all the same)',
    fix: 'systemd-run --user --scope $SHELL   # a shell in which control groups are delegated',
  };
}

let made = 0;

interface Limits {
  readonly pids: number;
  readonly memoryBytes?: number;
  readonly cpus?: number;
}

/** Where groups for these limits may be made. */
export type Places = Readonly<Record<Controller, Place | undefined>>;

export function placesFor({ memoryBytes, cpus }: Limits): Places {
  return {
    pids: placeFor('pids'),
    memory: memoryBytes === undefined ? undefined : placeFor('memory'),
    cpu: cpus === undefined ? undefined : placeFor('cpu'),
  };
}

/** Makes the groups with their limits; nobody is in them yet. What cannot be made is not in force, and not reported as such. */
export function sessionCgroup(limits: Limits, places: Places): SessionCgroup {
  const name = `${product.name}-${process.pid}-${made++}`;
  const set: { group: string; entry: string; line: string }[] = [];
  const limit = (controller: Controller, value: number | string, line: string): void => {
    const place = places[controller];
    if (!place) return;
    const group = path.join(place.directory, name);
    try {
      mkdirSync(group, { recursive: true });
      writeFileSync(path.join(group, limitFiles[controller][place.isUnified ? 'unified' : 'legacy']), String(value));
      if (controller === 'memory') withoutSwap(group, place.isUnified, Number(value));
      set.push({ group, entry: path.join(group, place.isUnified ? members : oneMember), line });
    } catch {
      // One group of the unified hierarchy may hold several limits.
      if (!set.some((other) => other.group === group)) removeGroup(group);
    }
  };
  limit('pids', limits.pids, `processes in all: ${limits.pids} (control group)`);
  if (limits.memoryBytes !== undefined) limit('memory', limits.memoryBytes, `memory in all: ${limits.memoryBytes} bytes (control group)`);
  // Microseconds in each period of 100 ms, which is what both hierarchies begin with.
  if (limits.cpus !== undefined)
    limit('cpu', String(Math.round(limits.cpus * 100_000)), `processor time in all: ${limits.cpus} CPUs (control group)`);
  const groups = [...new Set(set.map(({ group }) => group))];
  let memoryKills = 0;
  return {
    entries: [...new Set(set.map(({ entry }) => entry))],
    linesFor(pid) {
      const entered = groups.filter((group) => read(path.join(group, members))?.split('\n').includes(String(pid)));
      return set.filter(({ group }) => entered.includes(group)).map(({ line }) => line);
    },
    remove() {
      if (limits.memoryBytes !== undefined) memoryKills ||= Math.max(0, ...groups.map(killsIn));
      removeGroups(groups);
    },
    get memoryKills() {
      return memoryKills;
    },
  };
}

/** Both hierarchies count under the same word, in files of their own. */
function killsIn(group: string): number {
  const counters = read(path.join(group, 'memory.events')) ?? read(path.join(group, 'memory.oom_control')) ?? '';
  return Number(/^oom_kill (\d+)$/m.exec(counters)?.[1] ?? 0);
}

/** A limit on memory that swap can be used to get around is none. Kernels without swap accounting lack the file. */
function withoutSwap(group: string, isUnified: boolean, value: number): void {
  try {
    writeFileSync(path.join(group, isUnified ? 'memory.swap.max' : 'memory.memsw.limit_in_bytes'), isUnified ? '0' : String(value));
  } catch {}
}

function removeGroup(group: string): boolean {
  try {
    rmdirSync(group);
    return true;
  } catch {
    return false;
  }
}

let inUse: readonly string[] = [];
let isTriedAtEnd = false;

/** The last processes inside may outlive bubblewrap's outer one by a moment: what is still in use is tried again, at last when this process ends. */
function removeGroups(groups: readonly string[]): void {
  inUse = [...inUse, ...groups].filter((group) => !removeGroup(group));
  if (inUse.length === 0 || isTriedAtEnd) return;
  isTriedAtEnd = true;
  process.once('exit', () => inUse.forEach(removeGroup));
}

/** The nearest group above ours in which children with this controller may be made. */
function placeFor(controller: Controller): Place | undefined {
  const own = read('/proc/self/cgroup')?.split('\n') ?? [];
  const mounts = read('/proc/self/mountinfo')?.split('\n') ?? [];
  const legacy = own.map((line) => line.split(':')).find(([, names = '']) => names.split(',').includes(controller));
  if (legacy) {
    const root = mountPoint(mounts, 'cgroup', controller);
    const directory = root && path.join(root, legacy[2] ?? '');
    return directory && mayMakeIn(directory) ? { directory, isUnified: false } : undefined;
  }
  const unified = own.find((line) => line.startsWith('0::'))?.slice(3);
  const root = mountPoint(mounts, 'cgroup2', undefined);
  if (unified === undefined || root === undefined) return undefined;
  for (let at = path.join(root, unified); at.startsWith(root); at = path.dirname(at)) {
    const isEnabled = read(path.join(at, 'cgroup.subtree_control'))?.split(/\s+/).includes(controller);
    if (isEnabled && mayMakeIn(at)) return { directory: at, isUnified: true };
  }
  return undefined;
}

/** mountinfo (proc_pid_mountinfo(5)): the fifth field is the mount point; after the dash the type, the source and the options. */
function mountPoint(mounts: readonly string[], type: string, controller: Controller | undefined): string | undefined {
  for (const line of mounts) {
    const [before = '', after = ''] = line.split(' - ');
    const [kind, , options = ''] = after.split(' ');
    if (kind === type && (controller === undefined || options.split(',').includes(controller))) return before.split(' ')[4];
  }
  return undefined;
}

function mayMakeIn(directory: string): boolean {
  try {
    accessSync(directory, constants.W_OK);
    accessSync(path.join(directory, members), constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
