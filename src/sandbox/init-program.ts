// The init: the program that stands between the launcher and bubblewrap. It makes the namespaces that bubblewrap must not own,
// so that the agent can never hold a capability over its network, opens the listeners there, hands them to the launcher, and
// becomes bubblewrap, which prepares the inside while the launcher takes the listeners over. It is a list of system calls compiled for
// one user and one list of ports; everything that changes from run to run comes by argument.
//
// Called as: init [GROUP…] [DIRECTORY UPPER WORK]… PROGRAM ARGUMENT… with the descriptors of `initFds`.
import { warm } from './overlay/warm.ts';
import type { Supervision } from './supervision.ts';
import type { Program } from './syscall-script.ts';
import { type Datum, SyscallScript } from './syscall-script.ts';
import { watchRefusals } from './unanswered-script.ts';

export interface InitOptions {
  /** The user and group that the sandbox runs as, on the host and as it appears inside. */
  readonly outer: { readonly uid: number; readonly gid: number };
  readonly inner: { readonly uid: number; readonly gid: number };
  /** Started by root: drop the supplementary groups and become `outer` first. */
  readonly isRoot: boolean;
  readonly hasIpv6: boolean;
  /** How many control groups it enters. */
  readonly groups: number;
  /** How many directories become views: the workspace first. */
  readonly overlays: number;
  /** A process takes the first looks at the overlay of the workspace while the program starts. */
  readonly warmsOverlay: boolean;
  readonly listeners: readonly Listener[];
  readonly limits: { readonly pids: number; readonly fileBytes: number };
  /** Descriptors from this one on are closed before bubblewrap starts: the caller's own must not be seen inside. */
  readonly firstForeignFd: number;
  /** The launcher hears of connections that nobody answers by this descriptor, which is at or above `firstForeignFd`. */
  readonly unansweredFd?: number | undefined;
  /** Asks the launcher about system calls of all that follows, bubblewrap included. Its descriptors are at or above `firstForeignFd`. */
  readonly supervision?: Pick<Supervision, 'key' | 'supervise'> | undefined;
}

export interface Listener {
  readonly protocol: 'tcp' | 'udp';
  readonly family: 4 | 6;
  /** `loopback` is 127.0.0.1. `any` with family 6 and TCP takes IPv4 too. */
  readonly address: 'any' | 'loopback';
  readonly port: number;
}

/** Descriptors of the init and of the starter: Node's IPC channel, and where they report a failure. */
export const initFds = { channel: 3, report: 4 } as const;

const clone = { newNs: 0x20000, newUser: 0x10000000, newNet: 0x40000000 };
const af = { inet: 2, inet6: 10, netlink: 16 };
const atFdCwd = -100;
const oCloexec = 0o2000000;
const oPath = 0o10000000;
const oDirectory = 0o200000;
/** Where the three directories of an overlay are held while it is mounted. Numbers in the options keep host paths and their special characters out of them. */
const overlayFds = { lower: 200, upper: 201, work: 202 } as const;

/** What Node's channel says back for each handle it was sent. */
const acknowledgement = '{"cmd":"NODE_HANDLE_ACK"}\n';
/** The launcher's word that bubblewrap can read what it is told. INVARIANT: sent before the first acknowledgement, so that the init can tell where it ends. */
export const describedMessage = { described: true } as const;
/** The starter's word that the inside is finished. */
const readyMessage = { ready: true } as const;
export const saysReady = (message: unknown): boolean => typeof message === 'object' && message !== null && 'ready' in message;
/** The launcher's word that every listener is taken over and the program may start. INVARIANT: said to a starter that is ready, and only then. */
export const goMessage = { go: true } as const;

/** Everything that the program depends on, in few characters. */
export function initKey(options: InitOptions, arch: string): string {
  const { outer, inner, isRoot, hasIpv6, groups, overlays, warmsOverlay, listeners, limits, firstForeignFd, unansweredFd, supervision } =
    options;
  const doors = listeners.map(({ protocol, family, address, port }) => `${protocol[0]}${family}${address[0]}${port}`).join('.');
  return [
    `init-${arch}`,
    [outer.uid, outer.gid, inner.uid, inner.gid].join('.'),
    [isRoot, hasIpv6, overlays, warmsOverlay, groups].map(Number).join(''),
    doors,
    [limits.pids, limits.fileBytes, firstForeignFd].join('.'),
    ...(unansweredFd === undefined ? [] : [`u${unansweredFd}`]),
    ...(supervision ? [supervision.key] : []),
  ].join('-');
}

export function initProgram(options: InitOptions): Program {
  const script = new SyscallScript(initFds.report);
  const slot = script.space(8);
  enterGroups(script, slot, options.groups);
  if (options.isRoot) becomeOwner(script, options.outer);
  namespaces(script, slot, options);
  limits(script, options.limits);
  const first = 1 + options.groups;
  if (options.overlays > 0) privateMounts(script);
  for (let i = 0; i < options.overlays; i++) overlay(script, slot, first + 3 * i);
  const warming = options.warmsOverlay ? warm(script, { argv: first }) : undefined;
  loopback(script, slot, options.hasIpv6);
  options.listeners.forEach((listener, index) => open(script, listener, index));
  const watch = options.unansweredFd === undefined ? undefined : watchRefusals(script, options.unansweredFd);
  script.stage('the word to prepare');
  awaitBytes(script, messageBytes(describedMessage));
  const program = first + 3 * options.overlays;
  const supervisor = options.supervision?.supervise(script);
  script.stage('starting bubblewrap');
  disposition(script, ignore);
  script.call('close_range', [options.firstForeignFd, 0xffffffff, 0]);
  script.call('execve', [{ argv: program }, { argvFrom: program }, script.space(8)]);
  supervisor?.placeLoops();
  warming?.placeLoop();
  watch?.placeLoop();
  return script.build();
}

/**
 * What a key or a shell sends to everybody at the terminal is for the program. bubblewrap's own process would die of it and take the
 * program along, so it ignores them, and `starterProgram` undoes that inside.
 */
const groupSignals = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGTERM: 15 } as const;
const [byDefault, ignore] = [0, 1];

function disposition(script: SyscallScript, handler: number): void {
  // struct sigaction of the kernel: handler, flags, restorer, mask.
  const action = script.words([handler, 0, 0, 0]);
  for (const signal of Object.values(groupSignals)) script.call('rt_sigaction', [signal, action, 0, 8]);
}

/**
 * The first program inside: takes signals as any program does, says that it is there, waits for the launcher's word, and becomes the
 * program that was asked for. INVARIANT: nothing else starts inside before that word. The end of the channel, which is what a dead
 * launcher looks like, is too short and ends it; the channel is closed before the program starts, and the report by the start.
 * Called as: starter PROGRAM ARGUMENT…
 * @param handles how many listeners the init hands over: each is acknowledged on the channel before the word comes
 */
export function starterProgram(handles: number): Program {
  const script = new SyscallScript(initFds.report);
  const ready = script.bytes(Buffer.from(`${JSON.stringify(readyMessage)}\n`));
  const noSignal = 0x4000;
  script.stage('the word to start');
  // Before the launcher hears of it: a signal that it hands on from then on is not lost.
  disposition(script, byDefault);
  script.call('sendto', [initFds.channel, ready, ready.bytes.length, noSignal, 0, 0], { exactly: ready.bytes.length });
  awaitBytes(script, handles * acknowledgement.length + messageBytes(goMessage));
  script.stage('starting the program');
  const [setFd, closeOnExec] = [2, 1];
  script.call('close', [initFds.channel]);
  script.call('fcntl', [initFds.report, setFd, closeOnExec]);
  script.call('close_range', [initFds.report + 1, 0xffffffff, 0]);
  script.call('execve', [{ argv: 1 }, { argvFrom: 1 }, { environment: true }]);
  return script.build();
}

/**
 * Enters the control groups named by the first arguments, with whatever it starts, while it may still do so. Where that fails the launcher
 * finds the process missing there, and says which limit is not in force.
 */
function enterGroups(script: SyscallScript, slot: Datum, groups: number): void {
  const writeOnly = 1;
  const itself = script.text('0');
  for (let group = 1; group <= groups; group++) {
    script.attempt('openat', [atFdCwd, { argv: group }, writeOnly | oCloexec, 0], slot);
    script.attempt('write', [{ load: slot }, itself, 1]);
    script.attempt('close', [{ load: slot }]);
  }
}

/** Root keeps nothing but the user it becomes: capabilities are confined to the new namespaces and dropped by the exec. */
function becomeOwner(script: SyscallScript, { uid, gid }: InitOptions['outer']): void {
  script.stage('giving up the rights of root');
  script.attempt('setgroups', [0, 0]);
  script.call('setresgid', [gid, gid, gid]);
  script.call('setresuid', [uid, uid, uid]);
  // PR_SET_DUMPABLE: after a change of user the kernel gives the files in /proc/self to root, and the maps could not be written.
  script.call('prctl', [4, 1, 0, 0, 0]);
}

function namespaces(script: SyscallScript, slot: Datum, options: InitOptions): void {
  const { outer, inner } = options;
  script.stage('user and network namespaces');
  script.call('unshare', [clone.newUser | clone.newNet | (options.overlays > 0 ? clone.newNs : 0)]);
  const maps: [string, string][] = [
    ['setgroups', 'deny'],
    ['uid_map', `${inner.uid} ${outer.uid} 1`],
    ['gid_map', `${inner.gid} ${outer.gid} 1`],
  ];
  script.stage('user and group maps');
  for (const [file, text] of maps) {
    const content = script.bytes(Buffer.from(text));
    script.call('openat', [atFdCwd, script.text(`/proc/self/${file}`), 1, 0], { store: slot });
    script.call('write', [{ load: slot }, content, content.bytes.length], { exactly: content.bytes.length });
    script.call('close', [{ load: slot }]);
  }
}

/**
 * The number of processes is counted per user namespace: set inside, the user's other processes do not count.
 * A core limit of one byte, not zero: a core handler that is a pipe runs on the host and ignores zero, but not one.
 */
function limits(script: SyscallScript, { pids, fileBytes }: InitOptions['limits']): void {
  const [fsize, core, nproc] = [1, 4, 6];
  script.stage('resource limits');
  for (const [resource, value] of [
    [fsize, fileBytes],
    [core, 1],
    [nproc, pids],
  ] as const) {
    script.call('prlimit64', [0, resource, script.words([value, value]), 0]);
  }
}

function privateMounts(script: SyscallScript): void {
  const privateRecursive = 0x4000 | 0x40000;
  script.stage('a private mount namespace');
  script.call('mount', [0, script.text('/'), 0, privateRecursive, 0]);
}

/** A directory becomes a view: reads fall through to the real files, writes land in UPPER. */
function overlay(script: SyscallScript, slot: Datum, first: number): void {
  const noSuidNoDev = 2 | 4;
  script.stage('the directories of the overlay');
  for (const [argv, fd] of [
    [first, overlayFds.lower],
    [first + 1, overlayFds.upper],
    [first + 2, overlayFds.work],
  ] as const) {
    script.call('openat', [atFdCwd, { argv }, oPath | oDirectory, 0], { store: slot });
    script.call('dup3', [{ load: slot }, fd, oCloexec]);
    script.call('close', [{ load: slot }]);
  }
  const { lower, upper, work } = overlayFds;
  const at = (fd: number): string => `/proc/self/fd/${fd}`;
  const text = script.text(`lowerdir=${at(lower)},upperdir=${at(upper)},workdir=${at(work)},userxattr`);
  const name = script.text('overlay');
  script.stage('the overlay of the workspace');
  script.call('mount', [name, { argv: first }, name, noSuidNoDev, text]);
}

/** `lo` up, and every address local to it (AnyIP): a connection to any address reaches our listeners and shows which it wanted. */
function loopback(script: SyscallScript, slot: Datum, hasIpv6: boolean): void {
  const [siocsifflags, iffUp, iffRunning] = [0x8914, 1, 0x40];
  const request = Buffer.alloc(40);
  request.write('lo');
  request.writeUInt16LE(iffUp | iffRunning, 16);
  script.stage('the loopback interface');
  script.call('socket', [af.inet, 2, 0], { store: slot });
  script.call('ioctl', [{ load: slot }, siocsifflags, script.bytes(request)]);
  script.call('close', [{ load: slot }]);

  script.call('socket', [af.netlink, 3, 0], { store: slot });
  for (const family of hasIpv6 ? [af.inet, af.inet6] : [af.inet]) {
    script.stage(family === af.inet ? 'the route for every IPv4 address' : 'the route for every IPv6 address');
    const message = localRoute(family);
    const reply = script.space(64);
    script.call('sendto', [{ load: slot }, script.bytes(message), message.length, 0, 0, 0]);
    script.call('recvfrom', [{ load: slot }, reply, reply.bytes.length, 0, 0, 0]);
    // A machine with IPv6 switched off has no route for it, and no way out by it.
    if (family === af.inet) script.expectZero(script.within(reply, 16, 4));
  }
  script.call('close', [{ load: slot }]);
}

/** RTM_NEWROUTE `local default dev lo table local`, acknowledged (rtnetlink(7)). `lo` has index 1 in every network namespace. */
function localRoute(family: number): Buffer {
  const [newRoute, flags] = [24, 0x1 | 0x4 | 0x400]; // REQUEST, ACK, CREATE
  const [tableLocal, protocolBoot, scopeHost, typeLocal, attributeOif] = [255, 3, 254, 2, 4];
  const message = Buffer.alloc(36);
  message.writeUInt32LE(message.length, 0);
  message.writeUInt16LE(newRoute, 4);
  message.writeUInt16LE(flags, 6);
  message.writeUInt32LE(1, 8);
  message.set([family, 0, 0, 0, tableLocal, protocolBoot, scopeHost, typeLocal], 16);
  message.writeUInt16LE(8, 28);
  message.writeUInt16LE(attributeOif, 30);
  message.writeUInt32LE(1, 32);
  return message;
}

/** Opens one listener and sends it over Node's IPC channel, framed as Node's own children do (lib/internal/child_process.js). */
function open(script: SyscallScript, listener: Listener, index: number): void {
  const isUdp = listener.protocol === 'udp';
  const [solSocket, reuseAddress, ipv6Level, ipv6Only] = [1, 2, 41, 26];
  const address = Buffer.alloc(listener.family === 6 ? 28 : 16);
  address.writeUInt16LE(listener.family === 6 ? af.inet6 : af.inet, 0);
  address.writeUInt16BE(listener.port, 2);
  if (listener.address === 'loopback') address.set([127, 0, 0, 1], 4);

  // One control message (SCM_RIGHTS) with the descriptor, which the socket call stores in it.
  const control = Buffer.alloc(24);
  control.writeBigUInt64LE(20n, 0);
  control.writeUInt32LE(solSocket, 8);
  control.writeUInt32LE(1, 12);
  const rights = script.bytes(control);
  const fd = script.within(rights, 16, 4);
  const type = isUdp ? { type: 'dgram.Socket', dgramType: `udp${listener.family}` } : { type: 'net.Native' };
  const text = script.bytes(Buffer.from(`${JSON.stringify({ cmd: 'NODE_HANDLE', ...type, msg: { listener: index } })}\n`));
  const message = script.words([0, 0, script.words([text, text.bytes.length]), 1, rights, control.length, 0]);
  const one = script.bytes(Buffer.from([1, 0, 0, 0]));
  // A wildcard of UDP over IPv6 stays beside the one over IPv4; one of TCP takes both.
  const only = script.bytes(Buffer.from([isUdp ? 1 : 0, 0, 0, 0]));

  script.stage(`the listener on ${listener.protocol} port ${listener.port}`);
  script.call('socket', [listener.family === 6 ? af.inet6 : af.inet, (isUdp ? 2 : 1) | oCloexec, 0], { store: fd });
  script.call('setsockopt', [{ load: fd }, solSocket, reuseAddress, one, 4]);
  if (listener.family === 6) script.call('setsockopt', [{ load: fd }, ipv6Level, ipv6Only, only, 4]);
  script.call('bind', [{ load: fd }, script.bytes(address), address.length]);
  if (!isUdp) script.call('listen', [{ load: fd }, 511]);
  script.call('sendmsg', [initFds.channel, message, 0x4000], { exactly: text.bytes.length });
  script.call('close', [{ load: fd }]);
}

/** As Node writes it to its channel. */
const messageBytes = (message: object): number => `${JSON.stringify(message)}\n`.length;

/** Goes on when so many bytes came from the launcher. */
function awaitBytes(script: SyscallScript, size: number): void {
  const waitAll = 0x100;
  script.call('recvfrom', [initFds.channel, script.space(size), size, waitAll, 0, 0], { exactly: size });
}
