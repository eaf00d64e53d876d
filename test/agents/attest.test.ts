// The event that started the product, repeated with the real program: Claude Code 2.1.197 hides time zone and base URL in the punctuation
// of its date line, later versions do not. Both are run, boxed, against the rehearsal model, and so are the other real agents; the slower
// ones with fewer surroundings here. `npm run bench -- attest` varies everything, three times over.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { run } from '../../src/cli/attest.ts';
import { doctor } from '../../src/sandbox/index.ts';
import { type AgentRecipe, agentRecipes, claudeCode2x1x197 } from '../../src/testing/index.ts';

const modules = path.join(import.meta.dirname, 'node_modules');
const { mode } = await doctor();
let home: string;

beforeAll(() => {
  home = fs.mkdtempSync(path.join(os.tmpdir(), 'attest-claude-'));
  fs.mkdirSync(path.join(home, 'work'));
});
afterAll(() => fs.rmSync(home, { recursive: true, force: true }));

async function attestation(recipe: AgentRecipe, vary = 'timezone,base-url'): Promise<unknown> {
  const stdout = new PassThrough();
  const env = { INTRAMUR_HOME: path.join(home, 'state'), PATH: process.env['PATH'] };
  const command = [...(recipe.needsNode ? [process.execPath] : []), path.join(modules, recipe.program), ...recipe.args(prompt)];
  const args = ['--json', '--vary', vary, '--', ...command];
  const io = { stdout, stderr: new PassThrough().resume(), stdin: new PassThrough(), env, cwd: path.join(home, 'work'), home };
  await run(args, io, async () => {});
  stdout.end();
  return JSON.parse(await text(stdout));
}

const prompt = 'Create the file hello.txt with one line that says hello, then stop.';

function why({ program }: AgentRecipe): string | undefined {
  if (mode === 'none') return 'no sandbox here';
  return fs.existsSync(path.join(modules, program)) ? undefined : 'this version is not installed';
}

const old = claudeCode2x1x197;
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

/** Where a start takes long, less is varied. Codex, a static program with times in its ids, is also shown another date. */
const varied: Readonly<Record<string, string>> = {
  'qwen-code': 'timezone',
  opencode: 'timezone',
  ...(process.arch === 'x64' ? { codex: 'timezone,base-url,date' } : {}),
};

for (const recipe of agentRecipes) {
  const missing = why(recipe);
  it.skipIf(missing !== undefined)(
    `${recipe.id} as it is today passes${missing === undefined ? '' : `, skipped: ${missing}`}`,
    { timeout: 300_000 },
    async () => {
      const report = await attestation(recipe, varied[recipe.id]);
      expect(report).toMatchObject({ agent: recipe.id, covert: [], failures: [], passed: true });
      expect((report as { tokensCompared: number }).tokensCompared).toBeGreaterThan(5000);
    },
  );
}
