// What a session in direct mode leaves, looked at by an ordinary user: root reads a directory that the agent closed all the same.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { FileChanges } from './direct-changes.ts';

const scratch = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'intramur-changes-')));
const isRoot = process.geteuid?.() === 0;
if (isRoot) fs.chownSync(scratch, 4711, 4711);
afterAll(() => {
  spawnSync('chmod', ['-R', 'u+rwX', scratch]);
  fs.rmSync(scratch, { recursive: true, force: true });
});

let count = 0;
const evil = String.raw`printf '[core]\n\tfsmonitor = evil\n'`;
const modules = (name: string): string => JSON.stringify(path.join(import.meta.dirname, name));

const socket = (name: string): string =>
  `'${process.execPath}' -e 'require("net").createServer().listen("${name}", () => process.kill(process.pid, 9))' || :`;

/** As a session would: `first` before it, `second` in it, without the mounts. */
function changesOf(first: string, second: string): Pick<FileChanges, 'disarmed' | 'sensitive' | 'forbidden'> {
  const directory = path.join(scratch, String(count++));
  const code = `
    import { spawnSync } from 'node:child_process';
    import fs from 'node:fs';
    import { protect } from ${modules('protection.ts')};
    import { directChanges } from ${modules('direct-changes.ts')};
    const workspace = ${JSON.stringify(path.join(directory, 'w'))};
    fs.mkdirSync(workspace, { recursive: true });
    const sh = (script) => spawnSync('/bin/sh', ['-ec', script], { cwd: workspace, encoding: 'utf8' });
    sh(${JSON.stringify(first)});
    await new Promise((resolve) => setTimeout(resolve, 20));
    const protection = protect(workspace, ${JSON.stringify(path.join(directory, 'cache'))});
    sh(${JSON.stringify(second)});
    protection.release();
    const { disarmed, sensitive, forbidden } = directChanges(workspace, protection);
    console.log(JSON.stringify({ disarmed, sensitive, forbidden }));`;
  const user = isRoot ? { uid: 4711, gid: 4711 } : {};
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
    ...user,
    cwd: scratch,
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  return JSON.parse(stdout);
}

describe('a directory that the agent closed', () => {
  const made = `mkdir -p src/sub/.git; ${evil} > src/sub/.git/config`;
  const gone = ['src/sub/.git/config.disarmed-by-intramur'];
  it.each<[string, string, string, string[]]>([
    ['that was there', 'mkdir src', `${made}; chmod 0300 src`, gone],
    ['that can be read and not entered', 'mkdir src', `${made}; chmod 0400 src`, gone],
    ['that was closed, opened and closed again', 'mkdir src; chmod 0300 src', `chmod 0700 src; ${made}; chmod 0300 src`, gone],
    ['with another in it', 'mkdir -p src/sub', `${made}; chmod 0300 src/sub/.git src/sub src`, gone],
    ['that is the workspace', 'mkdir src', `${made}; chmod 0300 .`, gone],
  ])('%s is looked into', (_name, first, second, disarmed) => {
    expect(changesOf(first, second).disarmed).toEqual(disarmed);
  });

  it('before the session is reported and left closed', () => {
    expect(changesOf('mkdir src; chmod 0300 src', 'true')).toEqual({ disarmed: [], sensitive: ['src'], forbidden: [] });
  });
});

describe('what would never be applied is named', () => {
  const leaves = 'a link that leaves the workspace';
  const rights = 'setuid or setgid';
  it.each<[string, string, string, Readonly<Record<string, string>>]>([
    ['a file that gains rights', ': > run', 'chmod u+s run; : > group; chmod g+s group', { group: rights, run: rights }],
    ['a pipe and a socket', ':', `mkfifo pipe; ${socket('door')}`, { door: 'a socket', pipe: 'a named pipe' }],
    ['a link to a place outside', ':', 'ln -s /etc abs; mkdir d; ln -s ../../x d/up', { abs: leaves, 'd/up': leaves }],
    ['a link by way of another', 'ln -s /etc old', 'ln -s old/passwd way; ln -s loop loop', { loop: leaves, way: leaves }],
    ['what an old link leads through', ': > x; ln -s x link', 'rm x; ln -s /etc x', { x: leaves }],
    ['not what stays inside', 'mkdir d', 'ln -s d/../y in; ln -s "$PWD/d" whole; mkdir s; chmod g+s s; ln -s nowhere d/dangling', {}],
    ['not what was there before', 'mkfifo p; ln -s /etc out; : > run; chmod u+s run', ': > new', {}],
  ])('%s', (_name, first, second, named) => {
    expect(changesOf(first, second).forbidden).toEqual(Object.entries(named).map(([file, why]) => ({ path: file, why })));
  });
});
