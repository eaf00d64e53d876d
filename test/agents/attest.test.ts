// The event that started the product, repeated with the real program: Claude Code 2.1.197 hides time zone and base URL in the punctuation
// of its date line, later versions do not. Both are run, boxed, against the rehearsal model.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { run } from '../../src/cli/attest.ts';
import { doctor } from '../../src/sandbox/index.ts';
import { agentRecipes, claudeCode2x1x197 } from '../../src/testing/index.ts';

const modules = path.join(import.meta.dirname, 'node_modules');
const { mode } = await doctor();
let home: string;

beforeAll(() => {
  home = fs.mkdtempSync(path.join(os.tmpdir(), 'attest-claude-'));
  fs.mkdirSync(path.join(home, 'work'));
});
afterAll(() => fs.rmSync(home, { recursive: true, force: true }));

async function attestation(program: string): Promise<unknown> {
  const stdout = new PassThrough();
  const env = { INTRAMUR_HOME: path.join(home, 'state'), PATH: process.env['PATH'] };
  const args = ['--json', '--vary', 'timezone,base-url', '--', path.join(modules, program), '-p', 'hi'];
  const io = { stdout, stderr: new PassThrough().resume(), stdin: new PassThrough(), env, cwd: path.join(home, 'work'), home };
  await run(args, io);
  stdout.end();
  return JSON.parse(await text(stdout));
}

function why(program: string): string | undefined {
  if (mode === 'none') return 'no sandbox here';
  return fs.existsSync(path.join(modules, program)) ? undefined : 'this version is not installed';
}

const old = claudeCode2x1x197.program;
it.skipIf(why(old) !== undefined)(
  `Claude Code 2.1.197 is found${why(old) ? `, skipped: ${why(old)}` : ''}`,
  { timeout: 300_000 },
  async () => {
    const report = await attestation(old);
    expect(report).toMatchObject({
      version: '2.1.197',
      passed: false,
      covert: [{ channel: 'value', where: expect.stringMatching(/^POST \/v1\/messages messages\[0\]\.content\[\d\]\.text$/) }],
    });
    const [{ tokens, variesWith }] = (report as { covert: [{ tokens: string[]; variesWith: string[] }] }).covert;
    expect(variesWith.toSorted()).toEqual(['base-url', 'timezone']);
    expect(tokens).toContain('"-" U+002D → "/" U+002F');
    expect(tokens.some((token) => token.startsWith('"\'" U+0027 → '))).toBe(true);
  },
);

const current = agentRecipes.find(({ id }) => id === 'claude-code')?.program ?? '';
it.skipIf(why(current) !== undefined)(
  `a later Claude Code passes${why(current) ? `, skipped: ${why(current)}` : ''}`,
  { timeout: 300_000 },
  async () => {
    expect(await attestation(current)).toMatchObject({ covert: [], passed: true });
  },
);
