// Layers in which an agent left what cannot be read or looked at: the rest of the session must not be stuck behind it. Root reads
// everything, so that another user looks here where the tests run as root.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { writeManifest } from './manifest.ts';

const scratch = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'intramur-unreadable-')));
afterAll(() => spawnSync('rm', ['-rf', scratch]));
const isRoot = process.geteuid?.() === 0;
const user = isRoot ? ['setpriv', '--reuid=65532', '--regid=65532', '--clear-groups', '--'] : [];

let home = '';
let count = 0;

/** Both are shell scripts: what the workspace holds, and what the layer does. */
async function layerOf(before: string, layer: string): Promise<void> {
  home = path.join(scratch, String(count++));
  const upper = path.join(home, 'state', 'sessions', 'first', 'upper');
  const workspace = path.join(home, 'workspace');
  for (const directory of [workspace, upper]) fs.mkdirSync(directory, { recursive: true });
  if (isRoot) spawnSync('chown', ['-R', '65532:65532', home]);
  fs.chmodSync(scratch, 0o755);
  as(['/bin/sh', '-ec', before], workspace);
  await new Promise((resolve) => setTimeout(resolve, 20));
  writeManifest(upper, workspace);
  if (isRoot) spawnSync('chown', ['-R', '65532:65532', path.dirname(upper)]);
  as(['/bin/sh', '-ec', layer], upper);
}

function as(argv: readonly string[], cwd: string) {
  const [program = '', ...args] = [...user, ...argv];
  const ended = spawnSync(program, args, { cwd, encoding: 'utf8', env: { ...process.env, HOME: home, INTRAMUR_HOME: home } });
  return { code: ended.status, out: ended.stdout, err: ended.stderr };
}

/** A command as its user calls it. */
function call(command: 'diff' | 'apply' | 'discard', ...args: string[]) {
  const code = `import { run } from ${JSON.stringify(path.join(import.meta.dirname, '..', '..', 'cli', `${command}.ts`))};
    const { stdin, stdout, stderr } = process;
    process.exitCode = await run(${JSON.stringify(args)}, { stdin, stdout, stderr, env: process.env, cwd: process.cwd(), home: ${JSON.stringify(home)} });`;
  return as([process.execPath, '--input-type=module', '-e', code], path.join(home, 'workspace'));
}

const inWorkspace = (): string[] => fs.readdirSync(path.join(home, 'workspace')).sort();
const isThere = (): boolean => fs.existsSync(path.join(home, 'state', 'sessions', 'first', 'upper'));

describe('a file that cannot be read', () => {
  const make = (): Promise<void> => layerOf('echo b > b; echo d > d', 'echo b > b; echo s > s; echo x > x; chmod 000 b x; mknod d p');

  it('is a conflict; the other changes are shown and applied', async () => {
    await make();
    expect(call('diff')).toMatchObject({
      code: 0,
      out: 'M b  [conflict: it cannot be read]\nM d  [forbidden: a named pipe]\nA s\nA x  [conflict: it cannot be read]\n',
    });
    expect(call('apply')).toMatchObject({
      code: 1,
      out: 'applied  s\nrefused  d: a named pipe\nconflict b: it cannot be read\nconflict x: it cannot be read\n',
    });
    expect(fs.readFileSync(path.join(home, 'workspace', 'b'), 'utf8')).toBe('b\n');
  });

  it('is given up alone, or with all', async () => {
    await make();
    expect(call('discard', '--only', 'b')).toMatchObject({ code: 0, out: 'discarded b\n' });
    expect(call('diff').out).not.toContain('M b');
    expect(call('discard').code).toBe(0);
    expect(isThere()).toBe(false);
  });

  it('in a directory that changed meanwhile is no fault', async () => {
    await make();
    as(['/bin/sh', '-c', 'rm b'], path.join(home, 'workspace'));
    expect(call('apply', '--only', 's', 'b')).toMatchObject({ code: 1, out: 'applied  s\nconflict b: it cannot be read\n' });
  });

  it('of the workspace, in a directory that cannot be read, is no fault', async () => {
    await layerOf('mkdir d e; echo a > d/a; echo a > e/a; chmod 000 d; chmod 600 e', 'echo d > d; mkdir e; echo b > e/a; echo s > s');
    expect(call('diff')).toMatchObject({ code: 0, out: 'M d\nm e/\nA e/a  [forbidden: it cannot be looked at: permission denied]\nA s\n' });
    const { code, out } = call('apply');
    expect([code, out]).toEqual([
      1,
      'applied  e\napplied  s\nrefused  e/a: it cannot be looked at: permission denied\nconflict d: the directory still holds something\n',
    ]);
    expect(inWorkspace()).toEqual(['d', 'e', 's']);
  });
});

describe('a directory of the workspace that may not be written to', () => {
  it('is told of in words', async () => {
    await layerOf('mkdir r; echo a > r/a; echo b > r/b; chmod 555 r', 'mkdir r; echo c > r/c; echo x > r/a; mknod r/b c 0 0; chmod 555 r');
    const { code, out } = call('apply');
    expect([code, out]).toEqual([
      1,
      'conflict r/a: it could not be written: permission denied\nconflict r/c: it could not be written: permission denied\nconflict r/b: it could not be removed: permission denied\n',
    ]);
  });
});

describe('a path that is too long', () => {
  const deep = `echo o > other; echo x > unlike; node=0
    name=$(printf '%0200d' 0)
    while [ $node -lt 60 ]; do mkdir $name && cd -P ./$name || exit 1; node=$((node + 1)); done; echo x > $(printf 'a\\377'); chmod 500 .`;

  it('is one forbidden change; the others are shown and applied, and all is given up', async () => {
    await layerOf('echo w > w', deep);
    const { code, out } = call('diff');
    expect(code).toBe(0);
    expect(out.replaceAll(/(?:0{200}\/)+0{200}/g, 'DEEP')).toBe('A DEEP  [forbidden: its path is too long]\nA other\nA unlike\n');
    expect(call('apply', '--only', 'other')).toMatchObject({ code: 0, out: 'applied  other\n' });
    expect(call('apply').code).toBe(1);
    expect(inWorkspace()).toEqual(['other', 'unlike', 'w']);
    expect(call('discard').code).toBe(0);
    expect(isThere()).toBe(false);
  });

  it('in a layer that cannot be compared at all does not keep it from being given up', async () => {
    await layerOf('', deep);
    as(['chmod', '000', '.'], path.join(home, 'state', 'sessions', 'first', 'upper'));
    if (!isRoot) expect(call('diff').code).not.toBe(0);
    expect(call('discard')).toMatchObject({ code: 0, out: '' });
    expect(isThere()).toBe(false);
  });
});
