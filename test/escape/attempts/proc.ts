// /proc, /sys and the program's own privileges.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import type { Attempt } from '../attempt.ts';

const group = 'proc and sys';

/** Kernel settings and triggers that a write would change for the whole machine. */
const switches = [
  ...[
    '/proc/sys/kernel/core_pattern',
    '/proc/sys/kernel/modprobe',
    '/proc/sys/kernel/hotplug',
    '/proc/sys/kernel/hostname',
    '/proc/sys/kernel/domainname',
  ],
  ...['/proc/sys/vm/overcommit_memory', '/proc/sys/vm/drop_caches', '/proc/sys/fs/binfmt_misc/register', '/proc/sysrq-trigger'],
  ...['/proc/sys/net/ipv4/ip_unprivileged_port_start', '/proc/sys/net/ipv4/ip_forward', '/proc/sys/net/ipv4/conf/all/route_localnet'],
  ...['/proc/sys/user/max_user_namespaces', '/proc/sys/kernel/ns_last_pid', '/proc/1/mem', '/proc/self/uid_map', '/proc/self/setgroups'],
  ...['/sys/kernel/uevent_helper', '/sys/fs/cgroup/release_agent', '/sys/kernel/debug/x', '/sys/class/net/lo/mtu', '/sys/power/state'],
];

/** What says something of the machine that is not the program's business. */
const leaks = [
  ...[
    '/proc/kcore',
    '/proc/kmsg',
    '/proc/keys',
    '/proc/key-users',
    '/proc/kallsyms',
    '/proc/kpageflags',
    '/proc/kpagecount',
    '/proc/timer_list',
  ],
  ...['/proc/slabinfo', '/proc/vmallocinfo', '/proc/iomem', '/proc/sched_debug', '/proc/1/mem', '/proc/config.gz', '/proc/modules'],
];

const statusField = (name: string): string =>
  new RegExp(`^${name}:\\s*(\\S+)`, 'm').exec(fs.readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '';

export const proc: readonly Attempt[] = [
  ...switches.map(
    (file): Attempt => ({
      id: `write ${file}`,
      group,
      layer: file.startsWith('/sys') ? 'mount namespace' : 'read-only mount',
      inside() {
        const before = contentOf(file);
        fs.writeFileSync(file, before === '' ? '1' : before);
        return true;
      },
    }),
  ),
  ...leaks.map(
    (file): Attempt => ({
      id: `read ${file}`,
      group,
      layer: 'mount namespace',
      inside() {
        const fd = fs.openSync(file, 'r');
        return fs.readSync(fd, Buffer.alloc(64)) > 0;
      },
    }),
  ),
  {
    id: 'any writable file of the kernel in /proc',
    group,
    layer: 'read-only mount',
    inside: () => writableBelow('/proc', 3).join(' ') !== '',
  },
  {
    id: "the launcher's environment in /proc/1/environ",
    group,
    layer: 'empty environment',
    inside: () => fs.readFileSync('/proc/1/environ', 'latin1'),
  },
  {
    id: 'the policy in /proc/1/cmdline',
    group,
    layer: 'closed descriptors',
    inside: () => /--(?:ro-)?bind|--setenv|--seccomp/.test(fs.readFileSync('/proc/1/cmdline', 'latin1')),
  },
  {
    id: 'environments of all processes',
    group,
    layer: 'pid namespace',
    inside: () =>
      fs
        .readdirSync('/proc')
        .filter((name) => /^\d+$/.test(name))
        .map((pid) => contentOf(`/proc/${pid}/environ`))
        .join(''),
  },
  {
    id: 'a process of the host by its number',
    group,
    layer: 'pid namespace',
    inside: ({ hostPid }) => contentOf(`/proc/${hostPid}/environ`),
  },
  {
    id: 'more processes than our own',
    group,
    layer: 'pid namespace',
    inside: () => fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name)).length > 20,
  },
  {
    id: 'a capability in force',
    group,
    layer: 'no capabilities',
    inside: () => !/^0+$/.test(statusField('CapEff') + statusField('CapPrm')),
  },
  {
    id: 'a capability to be gained',
    group,
    layer: 'no capabilities',
    inside: () => !/^0+$/.test(statusField('CapBnd') + statusField('CapInh') + statusField('CapAmb')),
  },
  { id: 'new privileges by exec', group, layer: 'no capabilities', inside: () => statusField('NoNewPrivs') !== '1' },
  { id: 'no filter in force', group, layer: 'seccomp', inside: () => statusField('Seccomp') !== '2' },
  { id: 'being root', group, layer: 'user namespace', inside: () => process.getuid?.() === 0 || process.geteuid?.() === 0 },
  {
    id: 'setuid programs',
    group,
    layer: 'no capabilities',
    inside: () => spawnSync('su', ['-c', 'id -u'], { input: '\n', encoding: 'utf8' }).stdout?.trim() === '0',
  },
  {
    id: 'a mount that honours setuid',
    group,
    layer: 'mount namespace',
    inside: () =>
      fs
        .readFileSync('/proc/self/mountinfo', 'utf8')
        .trim()
        .split('\n')
        .some((line) => !line.includes('nosuid')),
  },
  { id: 'sysfs', group, layer: 'mount namespace', inside: () => fs.readdirSync('/sys').length > 0 },
  { id: 'control groups', group, layer: 'mount namespace', inside: () => fs.readdirSync('/sys/fs/cgroup').length > 0 },
  {
    id: "the host's name",
    group,
    layer: 'uts namespace',
    inside: () => fs.readFileSync('/proc/sys/kernel/hostname', 'utf8').trim(),
    escaped: (_outside, said) => said === os.hostname(),
  },
  {
    id: "the host's machine id",
    group,
    layer: 'mount namespace',
    inside: () => fs.readFileSync('/etc/machine-id', 'utf8').trim(),
    escaped: ({ read }, said) => said !== '' && said === read('/etc/machine-id').trim(),
  },
  {
    id: "the host's users",
    group,
    layer: 'mount namespace',
    inside: () => fs.readFileSync('/etc/passwd', 'utf8').trim().split('\n').length > 3,
  },
];

function contentOf(file: string): string {
  try {
    return fs.readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}

/** Regular files that this user may write, outside of the directories of processes. */
function writableBelow(directory: string, depth: number): string[] {
  return fs.readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const at = `${directory}/${entry.name}`;
    if (/^\/proc\/(?:\d+|self|thread-self|net)$/.test(at)) return [];
    if (entry.isDirectory()) return depth > 0 ? writableBelow(at, depth - 1) : [];
    if (!fs.statSync(at).isFile()) return [];
    try {
      fs.accessSync(at, fs.constants.W_OK);
      return [at];
    } catch {
      return [];
    }
  });
}
