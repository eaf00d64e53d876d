// What a push sends, as git itself packs it.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { githubToken } from '../detectors/github-checksum.ts';
import { createInspector } from '../inspector.ts';

const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'intramur-pack-'));
afterAll(() => fs.rmSync(directory, { recursive: true }));
const env = { PATH: process.env['PATH'], HOME: directory, GIT_CONFIG_NOSYSTEM: '1' };
const git = (args: readonly string[], input = '') =>
  execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...args], { cwd: directory, input, env });

const tokens = [1, 2, 3].map((seed) => githubToken('ghp_', seed));
const lines = Array.from({ length: 400 }, (_, i) => `line ${i} of a file that git keeps as what has changed in it ${(i * 7919) % 997}`);

function commit(name: string, text: string): void {
  fs.writeFileSync(path.join(directory, name), text);
  git(['add', '-A']);
  git(['commit', '-qm', 'a change']);
}

it('a token is found in a file, in what a later version of it adds, and in the name of a file', async () => {
  git(['init', '-q']);
  commit('a.txt', `${lines.join('\n')}\n${tokens[0]}\n`);
  commit('a.txt', `${lines.join('\n')}\n${tokens[0]}\n`.replace('line 200', `${tokens[1]} line 200`));
  commit(`${tokens[2]}.txt`, 'nothing\n');
  const pack = git(['pack-objects', '--stdout', '--revs', '--delta-base-offset', '-q'], 'HEAD\n');
  const line = `00${(0x60).toString(16)}${'0'.repeat(40)} ${'1'.repeat(40)} refs/heads/x\0a0000`;
  const { findings, isOpaque, refused } = await createInspector().inspect({
    bytes: Buffer.concat([Buffer.from(line), pack]),
    contentType: 'application/x-git-receive-pack-request',
    views: [],
  });
  expect(refused).toBeUndefined();
  expect(new Set(findings.filter(({ detector }) => detector === 'github-pat').map(({ redacted }) => redacted)).size).toBe(3);
  expect(isOpaque).toBeUndefined();
});
