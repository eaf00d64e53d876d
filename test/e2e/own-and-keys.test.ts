// What the user asks for and would regret: a workspace in which the product's own directories stand, and a key that is handed in by name.
import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRig, type Rig } from './rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await createRig();
});
afterAll(() => rig.close());

describe('a workspace from which our own directories would be seen', () => {
  it.each<[string, (dir: string) => { workspace: string; env: NodeJS.ProcessEnv }]>([
    ['holds INTRAMUR_HOME', (dir) => ({ workspace: dir, env: { INTRAMUR_HOME: path.join(dir, '.im') } })],
    ['will hold it', (dir) => ({ workspace: dir, env: { INTRAMUR_HOME: path.join(dir, 'not', 'there') } })],
    [
      'holds it behind a link',
      (dir) => {
        fs.mkdirSync(path.join(dir, 'real'));
        fs.symlinkSync(path.join(dir, 'real'), `${dir}-link`);
        return { workspace: dir, env: { INTRAMUR_HOME: `${dir}-link` } };
      },
    ],
    ['is a part of the state', (dir) => ({ workspace: path.join(dir, 'state', 'sessions'), env: { INTRAMUR_HOME: dir } })],
    ['holds the state of the home', (dir) => ({ workspace: path.join(dir, '.local'), env: { INTRAMUR_HOME: '', HOME: dir } })],
    ['holds the cache of the home', (dir) => ({ workspace: path.join(dir, '.cache'), env: { INTRAMUR_HOME: '', HOME: dir } })],
    [
      'holds the configuration',
      (dir) => ({ workspace: path.join(dir, 'etc'), env: { INTRAMUR_HOME: '', HOME: dir, XDG_CONFIG_HOME: path.join(dir, 'etc') } }),
    ],
  ])('is refused: it %s', async (_how, place) => {
    const { workspace, env } = place(fs.mkdtempSync(path.join(rig.dir, 'own-')));
    fs.mkdirSync(workspace, { recursive: true });
    for (const mode of ['overlay', 'direct']) {
      const args = ['run', '--mode', mode, '--workspace', workspace, '--', 'touch', 'ran'];
      const { code, stderr } = await rig.intramur(args, { cwd: workspace, env });
      expect([code, stderr]).toEqual([3, expect.stringMatching(/is, holds or is part of a directory of intramur itself/)]);
    }
    expect(fs.existsSync(path.join(workspace, 'ran'))).toBe(false);
  });
});

describe('a key that --env names', () => {
  const key = 'sk-ant-api03-real-key-that-must-never-be-inside-0123456789';
  const run = (names: readonly string[], env: NodeJS.ProcessEnv) => {
    const passed = names.flatMap((name) => ['--env', name]);
    return rig.intramur(['run', ...passed, '--', 'bash', '-c', names.map((name) => `echo "$${name}"`).join(';')], { env });
  };

  it('stays outside when a vendor that is known gave it, whatever the program and however the variable is written', async () => {
    const { code, stdout, stderr } = await run(['ANTHROPIC_API_KEY', 'MINE'], { ANTHROPIC_API_KEY: key, MINE: `key=${key};` });
    expect(code).toBe(0);
    const [first = '', second = ''] = stdout.trim().split('\n');
    expect(first).toMatch(/^sk-ant-api03-\S{20,}$/);
    expect(second).toBe(`key=${first};`);
    expect(stdout + stderr).not.toContain(key);
    expect(stderr).toContain('keys: 1 placeholder ·');
  });

  it('stays outside under another name too', async () => {
    const { stdout } = await run(['MINE'], { ANTHROPIC_API_KEY: key, MINE: key });
    expect(stdout).toMatch(/^sk-ant-api03-\S{20,}\n$/);
    expect(stdout).not.toContain(key);
  });

  it('is named in the first line when nobody here knows it', async () => {
    const { stdout, stderr } = await run(['OTHER'], { OTHER: 'as it is' });
    expect(stdout).toBe('as it is\n');
    expect(stderr).toContain('keys: none inside · as they are: OTHER ·');
  });
});
