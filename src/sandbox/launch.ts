// Starts a program in the sandbox: compiles the init, describes the inside to bubblewrap by descriptor, takes over the listeners,
// and gives the word to start. INVARIANT: there is no path through this file on which the program runs unconfined.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, statfsSync, statSync } from 'node:fs';
import path from 'node:path';
import { Duplex } from 'node:stream';
import { IntramurError } from '../core/index.ts';
import { notHeldBy, type SessionCgroup, sessionCgroup } from './cgroup.ts';
import { compiled } from './compiled.ts';
import { openUnnamed, writeContent } from './content-fd.ts';
import type { FileChanges } from './direct-changes.ts';
import { elf } from './elf.ts';
import { exitOf, killAll, reportOf, signalProgram } from './exit.ts';
import { type GitOutside, gitOutside } from './git-outside.ts';
import { describedMessage, goMessage, initFds, initKey, initProgram, saysReady, starterProgram } from './init-program.ts';
import { inside, starterPath } from './inside.ts';
import { untilTied } from './lifeline.ts';
import { closeHandle, indexOf, listenersFrom, listenersOf, type Planned } from './listeners.ts';
import { bwrapMounts, type Mount } from './mount.ts';
import type { Change } from './overlay/change.ts';
import { holdsNothing, sweepEmpty } from './overlay/empty.ts';
import { type LayerPlace, layersFor } from './overlay/make.ts';
import { type Layer, readLayer, writeHolder } from './overlay/manifest.ts';
import { isWorthWarming } from './overlay/warm.ts';
import { requireReachable } from './owner.ts';
import type { Exit, Launched, LaunchPlan, LimitsInForce, Listeners } from './plan.ts';
import { type Prepared, prepare } from './prepare.ts';
import { followLinks } from './program.ts';
import type { Protection } from './protection.ts';
import { seccompProgram } from './seccomp.ts';
import { confinedStdin } from './stdin.ts';
import type { Supervision } from './supervision.ts';
import type { Arch } from './syscall-number.ts';
import { type Hearing, hearUnanswered, type OnUnanswered } from './unanswered.ts';

interface On {
  /** Called once, with every listener; the program starts when the result is settled. */
  listening(listeners: Listeners): void | Promise<void>;
  /** Called once, before the program starts, with what the kernel holds for it; the program does not start when it throws. */
  confined?(limits: LimitsInForce): void | Promise<void>;
  /** Called for each connection that the kernel refuses because nobody listens on the port. Left out, nobody watches. */
  unanswered?: OnUnanswered;
}

/** @param prepared what `prepare` found for this plan, where it was asked ahead */
export async function launch(plan: LaunchPlan, on: On, prepared: Prepared = prepare(plan)): Promise<Launched> {
  const { arch, bwrap, workspace, owner, hasIpv6 } = prepared;
  const git = gitOutside(workspace);
  const layers = plan.mode === 'overlay' ? await layersFor(plan.overlay, workspace, git, owner) : [];
  const overlay = layers.flatMap(({ over, upper, work }) => [over, upper, work]);
  requireReachable(owner, [...overlay, workspace, ...plan.argv.slice(0, 1), ...plan.readOnly]);
  mkdirSync(plan.cacheDir, { recursive: true, mode: 0o700 });
  const protection = plan.mode === 'direct' ? await protectionOf(plan, workspace, git) : undefined;
  const opened: number[] = [];
  let child: ChildProcess | undefined;
  let group: SessionCgroup | undefined;
  let begun: Promise<Exit> | undefined;
  try {
    const listeners = listenersOf(plan, hasIpv6);
    const mounts = mountsOf(plan, prepared, { protection, git, layers }, starterOf(plan, arch, listeners.length));
    const contents = mounts.filter((mount) => 'content' in mount).length;
    opened.push(
      openUnnamed(plan.cacheDir),
      openSync(
        compiled(plan.cacheDir, `seccomp-${arch}`, () => seccompProgram(arch)),
        'r',
      ),
    );
    while (opened.length < ownContents + contents) opened.push(openUnnamed(plan.cacheDir));
    group = sessionCgroup(plan.limits, prepared.groups);
    const argsFd = firstContentFd;
    const firstForeignFd = firstContentFd + opened.length;
    const unansweredFd = on.unanswered ? firstForeignFd : undefined;
    const supervision = await supervisionOf(plan, { arch, firstFd: firstForeignFd + (on.unanswered ? 1 : 0), bwrap });
    const options = {
      ...owner,
      hasIpv6,
      groups: group.entries.length,
      overlays: layers.length,
      warmsOverlay: plan.mode === 'overlay' && isWorthWarming({ type: statfsSync(workspace).type, size: statSync(workspace).size }),
      listeners: listeners.map(({ listener }) => listener),
      limits: plan.limits,
      firstForeignFd,
      unansweredFd,
      supervision,
    };
    const init = compiled(plan.cacheDir, initKey(options, arch), () => elf(initProgram(options), arch));
    const stdin = confinedStdin();
    child = spawn(init, [...group.entries, ...overlay, bwrap, '--args', String(argsFd), '--', starterPath, ...plan.argv], {
      // INVARIANT: empty. What bubblewrap's own process was started with can be read inside, whatever it sets for the program.
      env: {},
      cwd: '/',
      stdio: [
        stdin.stdio,
        'inherit',
        'inherit',
        'ipc',
        'pipe',
        ...opened,
        ...(on.unanswered ? (['pipe'] as const) : []),
        ...(supervision ? (['pipe', 'pipe'] as const) : []),
      ],
    });
    if (child.pid !== undefined) supervision?.attend(child);
    const hearing = hearingOf(child, unansweredFd, on);
    if (plan.mode === 'overlay' && plan.overlay && child.pid !== undefined) writeHolder(plan.overlay.upper, child.pid);
    child.once('exit', () => {
      protection?.release();
      void hearing?.end();
    });
    if (child.stdin) stdin.feed(child.stdin);
    let isReady = false;
    const { promise: ready, resolve } = Promise.withResolvers<void>();
    child.on('message', (message) => {
      if (!saysReady(message)) return;
      isReady = true;
      resolve();
    });
    // What the init was compiled from: only a failure needs it again.
    const exited = exitOf(
      child,
      () => initProgram(options),
      reportOf(child),
      () => isReady,
    );
    exited.then(group.remove, group.remove);
    begun = exited;
    // The init is at work, and waits for these before it becomes bubblewrap, which reads them.
    describe(plan, prepared, mounts, opened);
    if (child.connected) child.send(describedMessage, () => {}); // an init that is gone is heard of by its end
    return await started(
      child,
      { plan, exited, ready, group, listeners, hearing, changes: () => changesOf(plan, workspace, protection) },
      on,
    );
  } catch (fault) {
    // A process that did start waits for its word, which will not come; what it holds is released when it ends.
    if (child?.pid === undefined) {
      protection?.release();
      group?.remove();
    } else if (begun) await giveUp(child, begun);
    else child.kill('SIGKILL');
    throw fault;
  } finally {
    for (const fd of opened) closeSync(fd);
  }
}

function hearingOf(child: ChildProcess, fd: number | undefined, { unanswered }: On): Hearing | undefined {
  const records = fd === undefined ? undefined : child.stdio[fd];
  return records instanceof Duplex && unanswered ? hearUnanswered(records, unanswered) : undefined;
}

/** Ends what may be bubblewrap by now, and waits until it has: an outer process that is killed alone could leave an inner one behind. */
async function giveUp(child: ChildProcess, exited: Promise<Exit>): Promise<void> {
  killAll(child);
  // The init, or the starter, that waits for a word.
  if (child.connected) child.disconnect();
  await exited.catch(() => {});
}

/** The kernel takes one supervisor for each sandbox. */
async function supervisionOf(
  { decideStarts: decide, onMissing, clockAheadMs }: LaunchPlan,
  { bwrap, ...options }: { arch: Arch; firstFd: number; bwrap: string },
): Promise<Supervision | undefined> {
  if (decide && clockAheadMs !== undefined) throw new IntramurError('INTERNAL', 'one sandbox cannot have two supervisors');
  if (decide) {
    const { execAudit } = await import('./exec-audit/exec-audit.ts');
    return execAudit({ ...options, ownPrograms: [bwrap, starterPath], decide, onMissing });
  }
  if (clockAheadMs === undefined) return undefined;
  const { shiftedClock } = await import('./clock/shifted-clock.ts');
  return shiftedClock({ ...options, aheadMs: clockAheadMs });
}

const firstContentFd = initFds.report + 1;

/** Before the files of the inside: bubblewrap's arguments, and the seccomp program, which is the same from run to run. */
const ownContents = 2;

/** Writes what bubblewrap reads by descriptor: its arguments and the files of the inside. */
function describe(plan: LaunchPlan, prepared: Prepared, mounts: readonly Mount[], opened: readonly number[]): void {
  let next = ownContents;
  /** @returns the number that the descriptor has in the child */
  const put = (content: Uint8Array): number => {
    const fd = opened[next];
    if (fd === undefined) throw new IntramurError('INTERNAL', 'a content of the sandbox has no descriptor');
    writeContent(fd, content);
    next += 1;
    return firstContentFd + next - 1;
  };
  const args = bwrapArguments(plan, prepared, mounts, put);
  const [first] = opened;
  if (first === undefined || next !== opened.length) throw new IntramurError('INTERNAL', 'a descriptor of the sandbox has no content');
  writeContent(first, Buffer.from(args.map((arg) => `${arg}\0`).join('')));
}

function starterOf(plan: LaunchPlan, arch: Arch, handles: number): Buffer {
  return readFileSync(compiled(plan.cacheDir, `starter-${arch}-${handles}`, () => elf(starterProgram(handles), arch)));
}

function mountsOf(
  plan: LaunchPlan,
  { workspace, owner, side }: Prepared,
  { protection, git, layers }: { protection: Protection | undefined; git: GitOutside | undefined; layers: readonly LayerPlace[] },
  starter: Buffer,
): Mount[] {
  const { userName, hostName, home } = plan;
  const { uid, gid } = owner.inner;
  const shell = existsSync('/bin/bash') ? '/bin/bash' : '/bin/sh';
  return inside({
    workspace: workspace,
    protection: protection?.mounts ?? [],
    identity: { userName, hostName, home, uid, gid, shell },
    homeFiles: plan.homeFiles,
    // A workspace that was named through symbolic links is found by that name too.
    readOnly: [...plan.readOnly, ...followLinks(plan.workspace).links, ...(git ? [...git.way, git.directory] : [])],
    layered: layers.map(({ over }) => over).filter((over) => over !== workspace),
    caPem: plan.caPem,
    ...(plan.javaStore === undefined ? {} : { javaStore: plan.javaStore }),
    tmpfsBytes: plan.limits.tmpfsBytes,
    host: side,
    sockets: plan.sockets ?? [],
    starter,
  });
}

function bwrapArguments(
  plan: LaunchPlan,
  { owner, cwd }: Prepared,
  mounts: readonly Mount[],
  put: (content: Uint8Array) => number,
): string[] {
  const { uid, gid } = owner.inner;
  return [
    // Not the network: that namespace belongs to the init's user namespace, out of the program's reach.
    ...['--unshare-user', '--unshare-ipc', '--unshare-pid', '--unshare-uts', '--unshare-cgroup-try'],
    ...['--uid', String(uid), '--gid', String(gid), '--hostname', plan.hostName],
    ...['--cap-drop', 'ALL', '--die-with-parent', '--seccomp', String(firstContentFd + 1)],
    ...bwrapMounts(mounts, put),
    ...['--chdir', cwd, '--clearenv'],
    ...Object.entries(plan.env).flatMap(([name, value]) => ['--setenv', name, value]),
  ];
}

interface Start {
  readonly plan: LaunchPlan;
  /** The starter is there. */
  readonly ready: Promise<void>;
  readonly exited: Promise<Exit>;
  readonly group: SessionCgroup;
  readonly listeners: readonly Planned[];
  readonly hearing: Hearing | undefined;
  readonly changes: () => Promise<FileChanges>;
}

/** Only what a mode needs is loaded, and when it is needed: the program has ended when changes are asked for. */
async function protectionOf(plan: LaunchPlan, workspace: string, git: GitOutside | undefined): Promise<Protection> {
  const { protect } = await import('./protection.ts');
  return protect(workspace, plan.cacheDir, { scratch: plan.scratch ?? [], tmpfsBytes: plan.limits.tmpfsBytes, git });
}

async function changesOf(plan: LaunchPlan, workspace: string, protection: Protection | undefined): Promise<FileChanges> {
  if (protection) {
    const { directChanges } = await import('./direct-changes.ts');
    return directChanges(workspace, protection);
  }
  const found = await changesInLayer(plan);
  const count = (kind: Change['change']): number => found.filter(({ change }) => change === kind).length;
  return {
    changed: count('modified') + count('mode'),
    added: count('added'),
    deleted: count('deleted'),
    // What is forbidden is never applied: it cannot run or steer anything later.
    sensitive: found.filter((change) => change.class === 'sensitive').map((change) => change.path),
    disarmed: [],
  };
}

/** Whoever has removed the layer since the program ended has given up what was in it. */
async function changesInLayer(plan: LaunchPlan): Promise<readonly Change[]> {
  const layer = layerOf(plan);
  if (!layer) {
    if (plan.overlay && !existsSync(plan.overlay.upper)) return [];
    throw new IntramurError('SANDBOX_SETUP', 'the layer of the session cannot be read');
  }
  if (holdsNothing(layer)) return [];
  const { diffSession } = await import('./overlay/git-layer.ts');
  return diffSession(layer, plan.cacheDir);
}

function layerOf({ overlay }: LaunchPlan): Layer | undefined {
  return overlay && readLayer(path.dirname(overlay.upper));
}

/** A layer that cannot be read is spoken of at the end. */
function tidy(plan: LaunchPlan): void {
  const layer = layerOf(plan);
  if (layer) sweepEmpty(layer);
}

/** Resolves when the program may start; a failure of the init rejects. */
function started(
  child: ChildProcess,
  { plan, exited, ready, group, listeners: planned, hearing, changes }: Start,
  on: On,
): Promise<Launched> {
  const received = new Map<number, unknown>();
  return new Promise((resolve, reject) => {
    const fail = (fault: unknown): void => {
      // What was handed over and not taken would keep this process alive.
      if (received.size < planned.length) for (const handle of received.values()) closeHandle(handle);
      reject(fault);
    };
    child.once('error', (cause) => {
      fail(
        new IntramurError('SANDBOX_SETUP', 'the init program could not be started', {
          cause,
          hint: 'keep the cache directory on a file system that is not mounted noexec',
        }),
      );
    });
    const pid = child.pid ?? 0;
    const kill = (): void => killAll(child);
    const signal = (name: NodeJS.Signals): boolean => {
      const isHeard = signalProgram(child, name);
      if (!isHeard) kill();
      return isHeard;
    };
    // Until the program may start, an exit is the failure of the launch; but a signal may end the starter as it would the program.
    exited.then(({ signal }) => signal && fail(new IntramurError('SANDBOX_SETUP', 'the init program ended before it was set up')), fail);
    child.on('message', (message: unknown, handle: unknown) => {
      const index = indexOf(message);
      if (index === undefined || handle === undefined) return;
      received.set(index, handle);
      if (received.size < planned.length) return;
      const served = async (): Promise<void> => await on.listening(listenersFrom(planned, received));
      served()
        .then(
          async () => {
            const limits = limitsOf(plan, group.linesFor(pid));
            await on.confined?.(limits);
            await ready;
            await untilTied(child);
            if (child.connected) child.send(goMessage, () => child.connected && child.disconnect());
            resolve({
              pid,
              exited,
              limits,
              memoryKills: () => group.memoryKills,
              tidy: () => tidy(plan),
              heard: async () => await hearing?.end(),
              changes,
              signal,
              kill,
            });
          },
          (fault: unknown) => {
            for (const taken of received.values()) closeHandle(taken);
            fail(fault);
          },
        )
        .catch(fail);
    });
  });
}

function limitsOf({ limits }: LaunchPlan, byGroup: readonly string[]): LimitsInForce {
  const { pids, fileBytes, tmpfsBytes } = limits;
  // The kernel does not hold root to a number of processes: there only the control group counts.
  const isRoot = process.geteuid?.() === 0;
  const own = [`one file: ${fileBytes} bytes`, `each of HOME, /tmp, /dev/shm: ${tmpfsBytes} bytes`, ...byGroup];
  return { held: isRoot ? own : [`processes: ${pids}`, ...own], notHeld: notHeldBy(byGroup, limits, isRoot) };
}
