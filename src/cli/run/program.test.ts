import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { programOf } from './program.ts';

const cwd = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'intramur-run-')));
afterAll(() => fs.rmSync(cwd, { recursive: true, force: true }));
const env = { PATH: cwd };
fs.writeFileSync(path.join(cwd, 'python3'), '#!/bin/sh\n', { mode: 0o755 });
fs.writeFileSync(path.join(cwd, 'script.py'), '');
fs.symlinkSync('round', path.join(cwd, 'round'));

it.each<[string, readonly string[], string]>([
  ['a script', ['script.py', 'x'.repeat(5000)], 'script.py'],
  ['code too long for a file name', ['-c', `print("${'x'.repeat(300)}")`], 'python3'],
  ['code with a path too long', ['-c', `open("${'/dir'.repeat(2000)}")`], 'python3'],
  ['a link in a circle', ['round'], 'python3'],
  ['what no name may hold', ['-c', 'a\0b'], 'python3'],
])('an interpreter with %s', async (_name, args, file) => {
  expect((await programOf(['python3', ...args], { env, cwd })).file).toBe(path.join(cwd, file));
});
