// The sandboxes that are tried beside ours, each as strict as its own documentation makes it, for one workspace in a home.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import type { Place } from '../../test/escape/attempt.ts';
import { secretVariables } from '../../test/escape/attempts/credentials.ts';

export interface Where {
  readonly place: Place;
  /** A directory for the tool's own settings, beside the home. */
  readonly scratch: string;
  /** The attempts and their Node: must be readable inside. */
  readonly kit: string;
  /** Where the peers were copied to. */
  readonly peers: string;
}

export interface Tool {
  readonly name: string;
  /** What it was told, in words. */
  readonly configured: string;
  /** The program, below the bench's peers or of the system. */
  readonly program: string;
  /** Answers with a version. */
  readonly version: readonly string[];
  /** The command line that runs a program in it, with what it wants in the environment. */
  command(where: Where, argv: readonly string[]): { argv: readonly string[]; env?: Readonly<Record<string, string>> };
}

const secrets = secretVariables.filter((name) => name !== 'NODE_CHANNEL_FD');

const none: Tool = {
  name: 'no sandbox',
  configured: 'the control: an attempt that fails here says nothing about a sandbox',
  program: '/bin/sh',
  version: [],
  command: (_where, argv) => ({ argv }),
};

const bubblewrap: Tool = {
  name: 'bwrap',
  configured:
    'by hand: every namespace, no capabilities, new session, empty environment, /usr read-only, sized tmpfs for HOME and /tmp, .git read-only; no seccomp program, as it brings none',
  program: '/usr/bin/bwrap',
  version: ['--version'],
  command({ place, kit }, argv) {
    const { home, workspace } = place;
    const links = ['/bin', '/sbin', '/lib', '/lib64'].filter((at) => fs.lstatSync(at, { throwIfNoEntry: false })?.isSymbolicLink());
    const bytes = String(place.limits.tmpfsBytes);
    const git = path.join(workspace, '.git');
    return {
      argv: [
        '/usr/bin/bwrap',
        ...['--unshare-all', '--unshare-user', '--disable-userns', '--cap-drop', 'ALL', '--new-session', '--die-with-parent'],
        ...['--hostname', 'box', '--clearenv', '--setenv', 'PATH', '/usr/bin:/bin', '--setenv', 'HOME', home],
        ...['--ro-bind', '/usr', '/usr', ...links.flatMap((at) => ['--symlink', fs.readlinkSync(at), at])],
        ...['/etc/ld.so.cache', '/etc/passwd', '/etc/group', '/etc/nsswitch.conf'].flatMap((at) => ['--ro-bind-try', at, at]),
        ...[
          '--proc',
          '/proc',
          '--dev',
          '/dev',
          '--size',
          bytes,
          '--tmpfs',
          '/dev/shm',
          '--size',
          bytes,
          '--tmpfs',
          '/tmp',
          '--size',
          bytes,
          '--tmpfs',
          home,
        ],
        ...['--ro-bind', kit, kit, '--bind', workspace, workspace, '--ro-bind', git, git],
        ...['--remount-ro', '/dev', '--remount-ro', '/', '--chdir', workspace, '--', ...argv],
      ],
    };
  },
};

const firejail: Tool = {
  name: 'firejail',
  configured:
    'by hand: no network, no capabilities, seccomp with its default list, no new privileges, no root, no new namespaces, private /dev, /tmp and /etc, own IPC, own machine id, limits, secret variables removed; of HOME only the workspace, .git read-only',
  program: '/usr/bin/firejail',
  version: ['--version'],
  command({ place, kit }, argv) {
    const { workspace, limits } = place;
    return {
      argv: [
        '/usr/bin/firejail',
        ...[
          '--quiet',
          '--noprofile',
          '--net=none',
          '--caps.drop=all',
          '--seccomp',
          '--seccomp.block-secondary',
          '--nonewprivs',
          '--noroot',
        ],
        ...['--restrict-namespaces', '--protocol=unix,inet,inet6', '--private-dev', '--private-tmp', '--ipc-namespace', '--nogroups'],
        ...['--private-etc=ld.so.cache,passwd,group,nsswitch.conf,alternatives', '--machine-id', '--hostname=box', '--noinput'],
        ...['--dbus-user=none', '--dbus-system=none', `--rlimit-fsize=${limits.fileBytes}`, `--rlimit-nproc=${limits.pids}`],
        ...secrets.map((name) => `--rmenv=${name}`),
        ...[`--whitelist=${workspace}`, `--whitelist=${kit}`, `--read-only=${kit}`, `--read-only=${path.join(workspace, '.git')}`],
        ...['--', ...argv],
      ],
    };
  },
};

const sandboxRuntime: Tool = {
  name: 'sandbox-runtime',
  configured:
    'its "workspace-only filesystem access": reads of the home and of /root denied but for the workspace, writes to the workspace alone, no domain allowed, the secret variables denied, its own list of protected files',
  program: '@anthropic-ai/sandbox-runtime/dist/cli.js',
  version: ['--version'],
  command({ place, kit, peers, scratch }, argv) {
    const settings = path.join(scratch, 'srt-settings.json');
    const { home, workspace } = place;
    const config = {
      network: { allowedDomains: [], deniedDomains: [] },
      filesystem: { denyRead: [home, '/root', '/boot', '/var'], allowRead: [workspace], allowWrite: [workspace], denyWrite: [] },
      credentials: { envVars: secrets.map((name) => ({ name, mode: 'deny' })) },
    };
    fs.writeFileSync(settings, JSON.stringify(config));
    const cli = path.join(peers, this.program);
    return { argv: [path.join(kit, 'bin', 'node'), cli, '--settings', settings, '--', ...argv] };
  },
};

const codex: Tool = {
  name: 'codex sandbox',
  configured:
    'a permission profile: reads of its minimal set and the attempts, writes to the project alone, no network; its environment policy inherits the core variables; its own list of protected files',
  program: '@openai/codex-linux-' + process.arch + '/vendor',
  version: ['--version'],
  command({ kit, peers, scratch }, argv) {
    const home = path.join(scratch, 'codex-home');
    fs.mkdirSync(home, { recursive: true });
    const vendor = path.join(peers, this.program);
    const program = path.join(vendor, fs.readdirSync(vendor)[0] ?? '', 'bin', 'codex');
    const config = `default_permissions = "strict"
[shell_environment_policy]
inherit = "core"
[permissions.strict.filesystem]
":minimal" = "read"
${[kit, program, path.join(home, 'tmp')].map((at) => `${JSON.stringify(at)} = "read"`).join('\n')}
[permissions.strict.filesystem.":project_roots"]
"." = "write"
[permissions.strict.network]
enabled = false
`;
    fs.writeFileSync(path.join(home, 'config.toml'), config);
    return { argv: [program, 'sandbox', '--', ...argv], env: { CODEX_HOME: home } };
  },
};

export const tools: readonly Tool[] = [none, bubblewrap, firejail, sandboxRuntime, codex];

/** @returns nothing when the tool is not there */
export function versionOf(tool: Tool, peers: string): string | undefined {
  if (path.isAbsolute(tool.program)) {
    if (!fs.existsSync(tool.program)) return undefined;
    if (tool.version.length === 0) return '';
    const { stdout } = spawnSync(tool.program, tool.version, { encoding: 'utf8' });
    return /\d+\.\d+\.\d+/.exec(stdout ?? '')?.[0] ?? '';
  }
  if (!fs.existsSync(path.join(peers, tool.program))) return undefined;
  const [scope = '', name = ''] = tool.program.split('/');
  const file = path.join(peers, scope, name, 'package.json');
  const { version } = JSON.parse(fs.readFileSync(file, 'utf8')) as { version: string };
  return version.replace(/-linux-.*$/, '');
}
