// What the kernel refuses to a contained program, call by call, with the reason. Everything else is allowed: an agent runs
// compilers, runtimes and test suites, and the namespaces already decide what it can see. Numbers: x86_64, then aarch64.
import type { Arch } from './syscall-number.ts';

/** `absent`: the call answers "no such call", so that programs fall back; `forbidden`: "not permitted". */
export type Answer = 'absent' | 'forbidden';

export interface DeniedCall {
  readonly name: string;
  readonly number: Readonly<Partial<Record<Arch, number>>>;
  readonly answer: Answer;
  readonly why: string;
}

const row =
  (answer: Answer, why: string) =>
  (name: string, x64: number | undefined, arm64: number | undefined = x64): DeniedCall => ({
    name,
    number: { ...(x64 === undefined ? {} : { x64 }), ...(arm64 === undefined || arm64 < 0 ? {} : { arm64 }) },
    answer,
    why,
  });

/** For calls that aarch64 does not have. */
const none = -1;

const uring = row('absent', 'does I/O that no filter sees, and has been the richest source of kernel exploits since 2020');
const flags = row('absent', 'passes its flags in memory, where a filter cannot read them; the C libraries and Go fall back to clone');
const kernel = row('forbidden', 'extends or inspects the kernel');
const debug = row('forbidden', 'reads or writes the memory or descriptors of another process');
const keys = row('forbidden', 'kernel keyrings are not divided by namespaces: the keys of the user are in reach');
const mounts = row('forbidden', 'rebuilds the view of the files that the sandbox made');
const namespaces = row('forbidden', 'a new namespace gives capabilities inside it, and with them most of the attack surface of the kernel');
const handles = row('forbidden', 'opens files by number, past the view of the files that the sandbox made');
const machine = row('forbidden', 'administers the machine');
const numa = row('forbidden', 'moves memory of other processes; rarely used and often broken');
const old = row('forbidden', 'obsolete, kept by the kernel for programs that no longer exist');
const pages = row('forbidden', 'building block of known exploits, with no use to a coding agent');

export const deniedCalls: readonly DeniedCall[] = [
  uring('io_uring_setup', 425),
  uring('io_uring_enter', 426),
  uring('io_uring_register', 427),
  flags('clone3', 435),

  kernel('bpf', 321, 280),
  kernel('perf_event_open', 298, 241),
  kernel('init_module', 175, 105),
  kernel('finit_module', 313, 273),
  kernel('delete_module', 176, 106),
  kernel('kexec_load', 246, 104),
  kernel('kexec_file_load', 320, 294),
  kernel('syslog', 103, 116),
  kernel('lookup_dcookie', 212, 18),
  kernel('lsm_set_self_attr', 460),

  debug('ptrace', 101, 117),
  debug('process_vm_readv', 310, 270),
  debug('process_vm_writev', 311, 271),
  debug('process_madvise', 440),
  debug('pidfd_getfd', 438),
  debug('kcmp', 312, 272),

  keys('keyctl', 250, 219),
  keys('add_key', 248, 217),
  keys('request_key', 249, 218),

  mounts('mount', 165, 40),
  mounts('umount2', 166, 39),
  mounts('pivot_root', 155, 41),
  mounts('chroot', 161, 51),
  mounts('open_tree', 428),
  mounts('open_tree_attr', 467),
  mounts('move_mount', 429),
  mounts('fsopen', 430),
  mounts('fsconfig', 431),
  mounts('fsmount', 432),
  mounts('fspick', 433),
  mounts('mount_setattr', 442),
  mounts('listmount', 458),
  mounts('statmount', 457),

  namespaces('unshare', 272, 97),
  namespaces('setns', 308, 268),

  handles('name_to_handle_at', 303, 264),
  handles('open_by_handle_at', 304, 265),
  handles('fanotify_init', 300, 262),
  handles('fanotify_mark', 301, 263),

  machine('reboot', 169, 142),
  machine('swapon', 167, 224),
  machine('swapoff', 168, 225),
  machine('settimeofday', 164, 170),
  machine('clock_settime', 227, 112),
  machine('clock_adjtime', 305, 266),
  machine('adjtimex', 159, 171),
  machine('acct', 163, 89),
  machine('quotactl', 179, 60),
  machine('quotactl_fd', 443),
  machine('iopl', 172, none),
  machine('ioperm', 173, none),
  machine('vhangup', 153, 58),

  numa('mbind', 237, 235),
  numa('set_mempolicy', 238, 237),
  numa('set_mempolicy_home_node', 450),
  numa('migrate_pages', 256, 238),
  numa('move_pages', 279, 239),

  old('sysfs', 139, none),
  old('_sysctl', 156, none),
  old('uselib', 134, none),
  old('nfsservctl', 180, 42),
  old('modify_ldt', 154, none),
  old('remap_file_pages', 216, 234),

  pages('userfaultfd', 323, 282),
  pages('vmsplice', 278, 75),
];

/** Calls that are decided by an argument. */
export const conditional = {
  clone: { x64: 56, arm64: 220 },
  ioctl: { x64: 16, arm64: 29 },
  socket: { x64: 41, arm64: 198 },
  socketpair: { x64: 53, arm64: 199 },
  personality: { x64: 135, arm64: 92 },
  seccomp: { x64: 317, arm64: 277 },
} as const satisfies Record<string, Record<Arch, number>>;

/** clone(2): every flag that makes a new namespace (mount, cgroup, uts, ipc, user, pid, net, time). */
export const newNamespaceFlags = 0x7e020080;

/** ioctl(2) requests that act on the terminal of the user, beyond what a program needs. Compared as 32 bits, as the kernel does. */
export const deniedIoctls = [
  { name: 'TIOCSTI', request: 0x5412, why: 'types into the terminal: a command for the shell that comes after us' },
  { name: 'TIOCLINUX', request: 0x541c, why: 'the same on the Linux console' },
  { name: 'TIOCSETD', request: 0x5423, why: 'loads line disciplines, a row of kernel exploits' },
  { name: 'TIOCCONS', request: 0x541d, why: 'redirects the console' },
] as const;

/** Socket families and protocols that exist inside. The rest (vsock to the hypervisor, packet, alg, bluetooth, netfilter, …) do not. */
export const socketFamilies = { unix: 1, inet: 2, inet6: 10, netlink: 16 } as const;
export const inetProtocols = { any: 0, icmp: 1, tcp: 6, udp: 17, icmpv6: 58 } as const;

/** personality(2): Linux, with address randomisation off or legacy layout, and the query. */
export const personalities = [0, 0x8, 0x20000, 0x20008, 0x40000, 0x40008, 0xffffffff] as const;

/** seccomp(2) with this flag would let one contained program decide the calls of another. */
export const seccompNewListener = 0x8;
