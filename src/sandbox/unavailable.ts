// Why a machine refuses namespaces, and the one command that changes it.
import { readFileSync } from 'node:fs';
import { getSystemErrorName } from 'node:util';
import { IntramurError, product } from '../core/index.ts';

/** Linux kernel settings that forbid what the sandbox needs. */
const switches = [
  {
    file: '/proc/sys/kernel/apparmor_restrict_unprivileged_userns',
    forbids: '1',
    fix: 'sudo intramur doctor --fix   # shows, then installs, a profile for the sandbox alone',
  },
  { file: '/proc/sys/kernel/unprivileged_userns_clone', forbids: '0', fix: 'sudo sysctl -w kernel.unprivileged_userns_clone=1' },
  { file: '/proc/sys/user/max_user_namespaces', forbids: '0', fix: 'sudo sysctl -w user.max_user_namespaces=15000' },
  { file: '/proc/sys/user/max_net_namespaces', forbids: '0', fix: 'sudo sysctl -w user.max_net_namespaces=15000' },
] as const;

export interface Refusal {
  readonly reason: string;
  readonly fix: string;
}

/** The setting that forbids namespaces, when it is one that we know. */
export function namespaceRefusal(read: (file: string) => string | undefined = readSetting): Refusal | undefined {
  const found = switches.find(({ file, forbids }) => read(file)?.trim() === forbids);
  return found && { reason: `${found.file} is ${found.forbids}`, fix: found.fix };
}

export const bubblewrapMissing: Refusal = {
  reason: 'bubblewrap (bwrap) is not installed',
  fix: 'sudo apt-get install bubblewrap   # or dnf, pacman, zypper, apk: the package has the same name',
};

/** Where nothing better is known; `doctor` itself has to know better. */
export const askDoctor = `${product.name} doctor`;

/** In a container the outer runtime decides. */
const inContainer = 'docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined …   # or run outside of the container';

/** The fault for a stage of the init that failed with `errno`. */
export function setupFault(stage: string, errno: number): IntramurError {
  const name = errno < 0 ? getSystemErrorName(errno) : 'an unexpected answer';
  const isNamespace = stage.includes('namespace') || stage.includes('maps');
  const refusal = isNamespace
    ? (namespaceRefusal() ?? { reason: 'the kernel or a container runtime forbids them', fix: inContainer })
    : undefined;
  if (refusal) {
    return new IntramurError('SANDBOX_UNAVAILABLE', `no ${stage}: ${name} (${refusal.reason})`, { hint: refusal.fix });
  }
  const fault = new IntramurError('SANDBOX_SETUP', `the sandbox could not be set up: ${stage} failed with ${name}`, {
    hint: hintFor(stage, name),
  });
  const layer = stage.includes('overlay') ? 'overlay' : /supervisor|filter of supervised calls/.test(stage) ? 'audit' : undefined;
  if (layer) lacking.set(fault, layer);
  return fault;
}

/** Layers without which a program is still contained. */
const lacking = new WeakMap<object, 'overlay' | 'audit'>();

/** The layer that a launch failed for, when the program could be contained without it. */
export function lackingLayer(fault: unknown): 'overlay' | 'audit' | undefined {
  return typeof fault === 'object' && fault !== null ? lacking.get(fault) : undefined;
}

function hintFor(stage: string, name: string): string {
  if (stage.includes('overlay'))
    return 'intramur run --mode direct -- …   # this file system carries no overlay (or holds other mounts); or --allow-degraded';
  if (name === 'EADDRINUSE') return 'remove the port that stands twice in the configuration';
  return askDoctor;
}

function readSetting(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
