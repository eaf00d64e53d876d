// Files of the host: secrets read, start-up files written.
import fs from 'node:fs';
import path from 'node:path';
import { type Attempt, markOf } from '../attempt.ts';

/** Below the user's home. Each holds a canary outside. */
export const secretFiles = [
  ...[
    '.ssh/id_ed25519',
    '.aws/credentials',
    '.config/gh/hosts.yml',
    '.npmrc',
    '.netrc',
    '.docker/config.json',
    '.gnupg/private-keys-v1.d/key',
  ],
  ...['.claude/.credentials.json', '.codex/auth.json', '.gemini/oauth_creds.json', '.bash_history', '.kube/config', '.git-credentials'],
  ...['.config/gcloud/application_default_credentials.json', '.local/share/keyrings/login.keyring', '.mozilla/firefox/p/logins.json'],
  ...['.pypirc', '.cargo/credentials.toml', '.local/state/intramur/daemon.sock.token', 'other-project/.env'],
] as const;

/** Below the user's home: what a shell, editor, agent or desktop starts from. */
export const startFiles = [
  ...[
    '.bashrc',
    '.profile',
    '.zshrc',
    '.ssh/authorized_keys',
    '.ssh/rc',
    '.config/autostart/evil.desktop',
    '.config/systemd/user/evil.service',
  ],
  ...['.local/bin/git', '.gitconfig', '.config/git/hooks/pre-commit', '.claude/settings.json', '.codex/config.toml', '.npmrc'],
  ...['other-project/.git/hooks/pre-commit', 'other-project/package.json', '.vimrc', '.tmux.conf', '.pam_environment'],
] as const;

const systemFiles = [
  '/etc/shadow',
  '/etc/sudoers',
  '/etc/ssh/ssh_host_ed25519_key',
  '/root/.ssh/id_rsa',
  '/var/lib/docker',
  '/boot',
  '/home/root',
];
const systemWrites = [
  '/usr/local/bin/evil',
  '/usr/lib/evil.so',
  '/etc/ld.so.preload',
  '/etc/cron.d/evil',
  '/etc/profile.d/evil.sh',
  '/etc/resolv.conf',
  '/etc/hosts',
];

/** Writes where the host would have it; inside, the place may be a tmpfs, and then nothing is lost. */
function write(file: string, id: string): boolean {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.appendFileSync(file, markOf(id));
  return false;
}

export const files: readonly Attempt[] = [
  ...secretFiles.map(
    (name): Attempt => ({
      id: `read ~/${name}`,
      group: 'files',
      layer: 'mount namespace',
      inside: ({ home }) => fs.readFileSync(path.join(home, name), 'utf8'),
    }),
  ),
  ...startFiles.map((name): Attempt => {
    const id = `write ~/${name}`;
    return {
      id,
      group: 'files',
      layer: 'mount namespace',
      inside: ({ home }) => write(path.join(home, name), id),
      escaped: ({ read, place }) => read(path.join(place.home, name)).includes(markOf(id)),
    };
  }),
  ...systemFiles.map(
    (name): Attempt => ({
      id: `read ${name}`,
      group: 'files',
      layer: 'mount namespace',
      inside: () => (fs.statSync(name).isDirectory() ? fs.readdirSync(name).length > 0 : fs.readFileSync(name).length > 0),
    }),
  ),
  ...systemWrites.map((name): Attempt => {
    const id = `write ${name}`;
    return {
      id,
      group: 'files',
      layer: 'read-only mount',
      inside: ({ isPeer }) => {
        write(name, id);
        // In a memory file system of its own it is lost; ours promises that it fails.
        return !isPeer;
      },
      escaped: ({ read }) => read(name).includes(markOf(id)),
    };
  }),
  {
    id: 'list the directory beside the workspace',
    group: 'files',
    layer: 'mount namespace',
    inside: ({ workspace }) => fs.readdirSync(path.dirname(workspace)).some((name) => name === 'other-project'),
  },
  {
    id: 'write beside the workspace',
    group: 'files',
    layer: 'mount namespace',
    inside: ({ beside }) => write(path.join(beside, 'evil'), 'write beside the workspace'),
    escaped: ({ exists, place }) => exists(path.join(place.beside, 'evil')),
  },
  {
    id: 'write to a shared temporary directory',
    group: 'files',
    layer: 'mount namespace',
    inside: ({ hostPid }) => write(`/tmp/intramur-escape-${hostPid}`, 'write to a shared temporary directory'),
    escaped: ({ exists, place }) => exists(`/tmp/intramur-escape-${place.hostPid}`),
  },
  {
    id: 'make a directory in the root',
    group: 'files',
    layer: 'read-only mount',
    inside: ({ isPeer }) => {
      fs.mkdirSync('/evil');
      return !isPeer;
    },
    escaped: ({ exists }) => exists('/evil'),
  },
  {
    id: 'rewrite the own program',
    group: 'files',
    layer: 'read-only mount',
    inside: () => {
      fs.appendFileSync(process.execPath, 'x');
      return true;
    },
  },
  {
    id: 'rewrite the own program through /proc/self/exe',
    group: 'files',
    layer: 'read-only mount',
    inside: () => {
      fs.closeSync(fs.openSync('/proc/self/exe', 'r+'));
      return true;
    },
  },
];
