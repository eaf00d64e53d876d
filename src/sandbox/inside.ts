// The file system as a contained program sees it: a minimal root made of tmpfs and read-only parts of the host, a HOME of its
// own, and the workspace at its own path. Whatever is not listed here does not exist inside.
import { existsSync, lstatSync, readdirSync, readlinkSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { IntramurError, product } from '../core/index.ts';
import { hostEtc, type Identity, insideEtc } from './inside-etc.ts';
import { depthOf, isWithin, type Mount } from './mount.ts';

export interface InsidePlan {
  readonly workspace: string;
  /** Mounts over parts of the workspace. */
  readonly protection: readonly Mount[];
  readonly identity: Identity;
  readonly homeFiles: readonly { readonly path: string; readonly text: string | Uint8Array }[];
  /** Host paths that are visible read-only: package trees. Symbolic links are rebuilt as links. */
  readonly readOnly: readonly string[];
  /** Of these, those that are views already: what is written there lands in a layer. */
  readonly layered: readonly string[];
  readonly caPem: string;
  /** The same for the JDK. */
  readonly javaStore?: Uint8Array;
  readonly tmpfsBytes: number;
  readonly host: HostSide;
  /** Sockets of the launcher's own, somewhere below /run. */
  readonly sockets: readonly { readonly source: string; readonly path: string }[];
  /** The executable that starts the program (`starterProgram`). */
  readonly starter: Uint8Array;
}

const rootLinks = ['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'];
export const starterPath = '/run/intramur/start';
const jdkRoot = '/usr/lib/jvm';

/**
 * Entries of /proc that say something of the host and not of the sandbox's own processes. Root as seen by the host owns them, so
 * for a sandbox started by root their mode alone would not protect them.
 */
const maskedProc = [
  ...['kcore', 'kmsg', 'keys', 'key-users', 'kallsyms', 'kpagecount', 'kpageflags', 'kpagecgroup', 'timer_list', 'sched_debug'],
  ...['slabinfo', 'vmallocinfo', 'pagetypeinfo', 'iomem', 'latency_stats', 'config.gz', 'modules'],
].map((name) => `/proc/${name}`);

/**
 * INVARIANT: the settings of the kernel are read-only. A write to `kernel/core_pattern` by the host's root, however it is called
 * inside, would run a program of its choice on the host.
 */
const readOnlyProc = ['sys', 'sysrq-trigger', 'irq', 'bus', 'fs', 'acpi', 'scsi', 'asound', 'driver', 'mtrr', 'pressure'].map(
  (name) => `/proc/${name}`,
);

/** What the inside takes from the host as it is, apart from what a session names: looked up before the session is known. */
export interface HostSide {
  /** The sandbox runs as the host's root: what belongs to root is not closed to it by modes. Each mount costs bubblewrap time, so others get none for that. */
  readonly isRoot: boolean;
  readonly system: readonly Mount[];
  /** Settings in /etc, with those of the JDKs, which are there when `hasJdk`. */
  readonly etc: readonly Mount[];
  readonly hasJdk: boolean;
  readonly zone: string | undefined;
}

export function hostSide(isRoot: boolean): HostSide {
  const hasJdk = existsSync(jdkRoot);
  return {
    isRoot,
    system: [
      { kind: 'bind', source: '/usr', path: '/usr', isWritable: false },
      ...rootLinks.flatMap(asOnHost),
      { kind: 'proc', path: '/proc' },
      ...(isRoot ? readOnlyProc.flatMap(asOnHost) : []),
      ...maskedProc
        .filter((at) => isReadable(at, isRoot))
        .map((at): Mount => ({ kind: 'bind', source: '/dev/null', path: at, isWritable: false })),
    ],
    etc: [...hostEtc.filter(existsSync).map(readOnlyEtc), ...(hasJdk ? javaSettings() : [])],
    hasJdk,
    zone: zoneFile(),
  };
}

/** The mounts in the order in which they are made. */
export function inside(plan: InsidePlan): Mount[] {
  const { identity, host, tmpfsBytes } = plan;
  const small = 16 << 20;
  const tmpfs = (at: string, mode: number, bytes = tmpfsBytes): Mount => ({ kind: 'tmpfs', path: at, bytes, mode });
  const etc = insideEtc(identity, plan.caPem, host.zone, host.hasJdk ? plan.javaStore : undefined);
  return [
    ...host.system,
    { kind: 'dev', path: '/dev' },
    tmpfs('/dev/shm', 0o1777),
    { kind: 'seal', path: '/dev' },
    tmpfs('/tmp', 0o1777),
    { kind: 'dir', path: '/var', mode: 0o755 },
    { kind: 'symlink', target: '../tmp', path: '/var/tmp' },
    tmpfs('/run', 0o755, small),
    { kind: 'file', path: starterPath, content: plan.starter, mode: 0o755 },
    ...plan.sockets.map(({ source, path: at }): Mount => ({ kind: 'bind', source, path: at, isWritable: true })),
    tmpfs('/etc', 0o755, small),
    ...etc,
    ...host.etc.filter((mount) => !etc.some(({ path: at }) => at === mount.path)),
    tmpfs(identity.home, 0o700),
    ...plan.homeFiles.map((file) => homeFile(file, plan)),
    ...trees(plan),
    ...plan.protection,
    { kind: 'seal', path: '/etc' },
    { kind: 'seal', path: '/run' },
    { kind: 'seal', path: '/' },
  ];
}

function readOnlyEtc(at: string): Mount {
  const real = realpathSync(at);
  return isWithin(real, '/usr') ? { kind: 'symlink', target: real, path: at } : { kind: 'bind', source: at, path: at, isWritable: false };
}

/** Debian keeps the settings of its JDKs in /etc; without them no Java starts. Passwords for remote management may be there, too. */
function javaSettings(): Mount[] {
  return readdirSync('/etc')
    .filter((name) => /^java-\d+-openjdk$/.test(name))
    .flatMap((name): Mount[] => {
      const at = `/etc/${name}`;
      const management = `${at}/management`;
      return [
        { kind: 'bind', source: at, path: at, isWritable: false },
        ...(existsSync(management) ? [{ kind: 'tmpfs', path: management, bytes: 4096, mode: 0o555 } as const] : []),
      ];
    });
}

/** Package trees and the workspace, outermost first, so that an inner one is mounted over an outer one. */
function trees(plan: InsidePlan): Mount[] {
  const wanted = new Map<string, Mount>();
  for (const at of plan.readOnly) {
    if (isWithin(at, '/usr') || isWithin(at, plan.workspace) || !existsSync(at)) continue;
    for (const mount of asOnHost(at)) wanted.set(mount.path, mount);
  }
  for (const at of plan.layered) wanted.set(at, { kind: 'bind', source: at, path: at, isWritable: true });
  wanted.set(plan.workspace, { kind: 'bind', source: plan.workspace, path: plan.workspace, isWritable: true });
  const ordered = [...wanted.values()].sort((a, b) => depthOf(a.path) - depthOf(b.path));
  // A read-only tree inside another one is there already.
  return ordered.filter((mount, i) => {
    const isCovered = ordered.slice(0, i).some((other) => other.kind === 'bind' && isWithin(mount.path, other.path));
    return mount.path === plan.workspace || plan.layered.includes(mount.path) || !isCovered;
  });
}

function isReadable(file: string, isHostRoot: boolean): boolean {
  const stat = lstatSync(file, { throwIfNoEntry: false });
  return stat !== undefined && (isHostRoot || (stat.mode & 0o004) !== 0);
}

/** A link as a link, anything else bound read-only. */
function asOnHost(at: string): Mount[] {
  const stat = lstatSync(at, { throwIfNoEntry: false });
  if (!stat) return [];
  if (stat.isSymbolicLink()) return [{ kind: 'symlink', target: readlinkSync(at), path: at }];
  return [{ kind: 'bind', source: at, path: at, isWritable: false }];
}

function homeFile({ path: name, text }: { path: string; text: string | Uint8Array }, { identity, workspace }: InsidePlan): Mount {
  const at = path.resolve(identity.home, name.replace(/^~\//, ''));
  if (!isWithin(at, identity.home) || at === identity.home || isWithin(at, workspace)) {
    throw new IntramurError('SANDBOX_SETUP', `the file ${name} cannot be put into HOME: it would land outside of it or in the workspace`);
  }
  return { kind: 'file', path: at, content: Buffer.from(text), mode: 0o600 };
}

/** The zone of the host by its name in /usr/share/zoneinfo, which is visible inside. */
function zoneFile(): string | undefined {
  try {
    const zone = realpathSync('/etc/localtime');
    return isWithin(zone, '/usr/share/zoneinfo') ? zone : undefined;
  } catch {
    return undefined;
  }
}

/** Directories that are part of the sandbox itself: a workspace that is or holds one of them would undo it. */
const ownPlaces = [
  '/usr/bin',
  '/usr/lib',
  '/bin',
  '/lib',
  '/sbin',
  '/etc',
  '/run',
  '/dev',
  '/proc',
  '/sys',
  '/tmp',
  '/var',
  '/boot',
  '/home',
  '/root',
];

/** Below a home: where programs keep keys and logins. What lies within the first is one, of the second the files at the top are. */
const keyPlaces = [
  '.ssh',
  '.gnupg',
  '.aws',
  '.azure',
  '.kube',
  '.docker',
  '.password-store',
  '.config/gcloud',
  '.config/gh',
  '.local/share/keyrings',
];
const loginPlaces = ['.claude', '.codex', '.qwen', '.gemini', '.local/share/opencode'];

/**
 * INVARIANT: the workspace is the only writable part of the host. It is never a home directory, whose rc files and keys would come
 * with it, nor a directory that programs outside use to meet, such as /tmp with its sockets.
 * @param homes the user's home as the host knows it, and HOME inside
 */
export function refuseWorkspace(workspace: string, homes: readonly string[]): void {
  const hint = `${product.name} run --workspace DIR -- …, with DIR a project's own directory`;
  const home = homes.find((one) => isWithin(one, workspace));
  if (home !== undefined && workspace !== '/') {
    const what = home === workspace ? 'is' : 'holds';
    throw new IntramurError(
      'SANDBOX_SETUP',
      `the workspace ${workspace} ${what} your home directory: its keys and settings would be inside`,
      { hint },
    );
  }
  const below = (names: readonly string[]): string[] => homes.flatMap((one) => names.map((name) => path.join(one, name)));
  const keys =
    below(keyPlaces).find((at) => isWithin(workspace, at)) ??
    below([...keyPlaces, ...loginPlaces]).find((at) => isWithin(at, workspace) && existsSync(at));
  if (keys !== undefined && workspace !== '/') {
    throw new IntramurError('SANDBOX_SETUP', `the workspace ${workspace} is, or holds, a directory of keys and logins (${keys})`, { hint });
  }
  const system = ownPlaces.find((one) => isWithin(one, workspace));
  if (system !== undefined || ['/proc', '/sys'].some((one) => isWithin(workspace, one))) {
    throw new IntramurError('SANDBOX_SETUP', `${workspace} cannot be a workspace: it is or holds a directory of the system`, { hint });
  }
}

/** HOME becomes a directory of the sandbox's own: it cannot stand in the place of what a program needs to start. */
export function refuseHome(home: string): void {
  const isTaken = ['/usr', '/bin', '/lib', '/lib64', '/sbin', '/etc', '/proc', '/sys', '/dev', '/run'].some((one) => isWithin(home, one));
  if (path.isAbsolute(home) && path.normalize(home) !== '/' && !isTaken) return;
  throw new IntramurError('SANDBOX_SETUP', `HOME is ${JSON.stringify(home)}, which cannot be a home inside`, {
    hint: `HOME=/home/agent ${product.name} run …`,
  });
}
