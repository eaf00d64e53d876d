// Where this machine is no plain Linux, or a Linux that forbids namespaces, and what follows from it. Facts come in as an argument.
import { existsSync, readFileSync } from 'node:fs';

export interface MachineFacts {
  /** The content of a small file; `undefined` when it is not there. */
  read(file: string): string | undefined;
  exists(file: string): boolean;
}

export interface Surrounding {
  readonly kind: 'container' | 'wsl1' | 'wsl2' | 'apparmor-userns';
  readonly says: string;
}

export const thisMachine: MachineFacts = {
  read(file) {
    try {
      return readFileSync(file, 'utf8');
    } catch {
      return undefined;
    }
  },
  exists: existsSync,
};

export function surroundingsOf(facts: MachineFacts = thisMachine): Surrounding[] {
  const found: Surrounding[] = [];
  const container = containerOf(facts);
  if (container !== undefined) {
    found.push({
      kind: 'container',
      says: `a container (${container}): its runtime decides whether namespaces may be made; a limit of memory is the container's`,
    });
  }
  const release = facts.read('/proc/sys/kernel/osrelease')?.trim() ?? '';
  if (/microsoft/i.test(release)) {
    // WSL 2 runs a Linux kernel of Microsoft's build, 4.19 and later; WSL 1 answers as 4.4 and has no kernel of Linux at all.
    const isFirst = /^4\.4\./.test(release);
    found.push(
      isFirst
        ? { kind: 'wsl1', says: 'WSL 1: no Linux kernel, so no namespaces; convert the distribution to WSL 2 (wsl --set-version NAME 2)' }
        : { kind: 'wsl2', says: 'WSL 2: Windows programs can be started from the outside only; keep workspaces on the Linux file system' },
    );
  }
  if (facts.read('/proc/sys/kernel/apparmor_restrict_unprivileged_userns')?.trim() === '1') {
    found.push({
      kind: 'apparmor-userns',
      says: 'AppArmor restricts user namespaces (Ubuntu 23.10 and later): a profile lifts it for the sandbox alone',
    });
  }
  return found;
}

function containerOf({ read, exists }: MachineFacts): string | undefined {
  if (exists('/run/.containerenv')) return 'podman';
  if (exists('/.dockerenv')) return 'docker';
  const named = /^container=(?<name>[\w-]+)/m.exec(read('/proc/1/environ')?.replaceAll('\0', '\n') ?? '')?.groups?.['name'];
  if (named !== undefined) return named;
  return /kubepods|docker|containerd|lxc/.exec(read('/proc/1/cgroup') ?? '')?.[0];
}
