// Links, renames and descriptors that lead out of the workspace.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { type Attempt, markOf } from '../attempt.ts';

const layer = 'mount namespace';
const group = 'links and races';
const secret = (home: string): string => path.join(home, '.ssh/id_ed25519');

export const links: readonly Attempt[] = [
  {
    id: 'read through a symbolic link out',
    group,
    layer,
    inside({ home, workspace }) {
      const link = path.join(workspace, 'link-out');
      fs.symlinkSync(secret(home), link);
      return fs.readFileSync(link, 'utf8');
    },
  },
  {
    id: 'write through a symbolic link out',
    group,
    layer,
    inside({ home, workspace }) {
      const link = path.join(workspace, 'link-write');
      fs.symlinkSync(path.join(home, 'linked'), link);
      fs.writeFileSync(link, markOf('link'));
      return false;
    },
    escaped: ({ exists, place }) => exists(path.join(place.home, 'linked')),
  },
  {
    id: 'read through a link to a directory above',
    group,
    layer,
    inside({ workspace }) {
      const link = path.join(workspace, 'up');
      fs.symlinkSync('../..', link);
      return fs
        .readdirSync(link)
        .map((name) => read(path.join(link, name, '.ssh/id_ed25519')))
        .join('');
    },
  },
  {
    id: 'hard link to a file outside',
    group,
    layer,
    inside({ home, workspace }) {
      fs.linkSync(secret(home), path.join(workspace, 'hard'));
      return fs.readFileSync(path.join(workspace, 'hard'), 'utf8');
    },
  },
  {
    id: 'hard link to a system file',
    group,
    layer,
    inside({ workspace }) {
      fs.linkSync('/usr/bin/env', path.join(workspace, 'hard-env'));
      return true;
    },
  },
  { id: 'climb from /proc/self/cwd', group, layer, inside: ({ home }) => read(`/proc/self/cwd/../../..${secret(home)}`) },
  { id: 'climb from /proc/self/root', group, layer, inside: ({ home }) => read(`/proc/self/root/../..${secret(home)}`) },
  { id: 'climb from /proc/1/root', group, layer: 'pid namespace', inside: ({ home }) => read(`/proc/1/root${secret(home)}`) },
  { id: 'climb from /proc/1/cwd', group, layer: 'pid namespace', inside: ({ home }) => read(`/proc/1/cwd/../..${secret(home)}`) },
  {
    id: 'reach the old root',
    group,
    layer,
    inside: ({ home }) =>
      ['/oldroot', '/newroot', '/old_root', '/.old', '/proc/1/root/oldroot'].map((root) => read(root + secret(home))).join(''),
  },
  {
    id: 'swap a directory for a link while writing',
    group,
    layer,
    inside({ home, workspace }) {
      const dir = path.join(workspace, 'swap');
      for (let i = 0; i < 300; i++) {
        fs.rmSync(dir, { recursive: true, force: true });
        if (i % 2) fs.mkdirSync(dir);
        else fs.symlinkSync(home, dir);
        fs.writeFileSync(path.join(dir, 'swapped'), markOf('swap'));
      }
      return false;
    },
    escaped: ({ exists, place }) => exists(path.join(place.home, 'swapped')),
  },
  {
    id: 'create the target of a dangling link',
    group,
    layer,
    inside({ beside, workspace }) {
      const link = path.join(workspace, 'dangling');
      fs.symlinkSync(path.join(beside, 'created'), link);
      fs.writeFileSync(link, markOf('dangling'));
      return false;
    },
    escaped: ({ exists, place }) => exists(path.join(place.beside, 'created')),
  },
  {
    id: 'rename the workspace away',
    group,
    layer,
    inside({ workspace }) {
      fs.renameSync(workspace, `${workspace}-moved`);
      fs.renameSync(`${workspace}-moved`, workspace);
      return true;
    },
  },
  {
    id: 'remove the workspace',
    group,
    layer,
    inside({ workspace }) {
      fs.rmdirSync(workspace);
      return true;
    },
  },
  {
    id: 'mount over the workspace by a tool',
    group,
    layer: 'seccomp',
    inside: ({ workspace, home }) => run('mount', ['--bind', home, workspace]),
  },
  { id: 'leave by chroot', group, layer: 'seccomp', inside: () => run('chroot', ['/proc/1/root', '/bin/true']) },
];

function read(file: string): string {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function run(command: string, args: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}
