// What a launch looks up before its session is known: the machine, whom the sandbox runs as, and the host's side of the inside. It changes
// nothing, so the launcher does it while the daemon answers.
import { existsSync, realpathSync, statSync } from 'node:fs';
import os from 'node:os';
import { IntramurError } from '../core/index.ts';
import { type Places, placesFor } from './cgroup.ts';
import { type HostSide, hostSide, refuseHome, refuseWorkspace } from './inside.ts';
import { isWithin } from './mount.ts';
import { type Owner, ownerOf } from './owner.ts';
import type { LaunchPlan } from './plan.ts';
import type { Arch } from './syscall-number.ts';
import { bubblewrapMissing } from './unavailable.ts';

export interface Prepared {
  readonly arch: Arch;
  readonly bwrap: string;
  /** Real paths. */
  readonly workspace: string;
  readonly cwd: string;
  readonly owner: Owner;
  readonly hasIpv6: boolean;
  readonly side: HostSide;
  readonly groups: Places;
}

/** @throws IntramurError SANDBOX_UNAVAILABLE, SANDBOX_SETUP */
export function prepare(plan: Pick<LaunchPlan, 'workspace' | 'cwd' | 'home' | 'limits'>): Prepared {
  const arch = thisArch();
  const bwrap = bubblewrap();
  const workspace = realpathSync(plan.workspace);
  refuseHome(plan.home);
  refuseWorkspace(workspace, [plan.home, os.userInfo().homedir]);
  const cwd = realpathSync(plan.cwd);
  if (!isWithin(cwd, workspace)) throw new IntramurError('SANDBOX_SETUP', `the directory ${cwd} is not in the workspace ${workspace}`);
  const owner = ownerOf(workspace);
  return {
    arch,
    bwrap,
    workspace,
    cwd,
    owner,
    hasIpv6: existsSync('/proc/net/if_inet6'),
    side: hostSide(owner.outer.uid === 0),
    groups: placesFor(plan.limits),
  };
}

function thisArch(): Arch {
  if (process.platform === 'linux' && (process.arch === 'x64' || process.arch === 'arm64')) return process.arch;
  throw new IntramurError('SANDBOX_UNAVAILABLE', `there is no sandbox for ${process.platform} on ${process.arch}`, {
    hint: 'run on Linux (x86_64 or aarch64), for example in a virtual machine',
  });
}

/** The system's own: distributions attach their AppArmor profile to this path. */
export function bubblewrap(places: readonly string[] = ['/usr/bin/bwrap', '/bin/bwrap', '/usr/local/bin/bwrap']): string {
  const found = places.find((file) => (statSync(file, { throwIfNoEntry: false })?.mode ?? 0) & 0o111);
  if (found === undefined) throw new IntramurError('SANDBOX_UNAVAILABLE', bubblewrapMissing.reason, { hint: bubblewrapMissing.fix });
  return found;
}
