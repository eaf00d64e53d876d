// A refusal reaches the eyes of whoever sits before the agent: verbatim, within five seconds, with the model asked at most twice.
// One agent after the other, and after all other files (see vitest.config.ts), as a person has one agent before them: five at once
// on two cores would measure each other.
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Entry } from '../../src/core/index.ts';
import { agentRecipes, type FakeUpstream, startFakeUpstream } from '../../src/testing/index.ts';
import { createRig, finished, type Rig, root } from '../e2e/rig.ts';

const modules = path.join(root, 'test', 'agents', 'node_modules');

describe('a secret in a prompt to a public model', () => {
  let upstream: FakeUpstream;
  let rig: Rig;
  beforeAll(async () => {
    upstream = await startFakeUpstream({ script: [{ text: 'It opens nothing.' }] });
    rig = await createRig();
    rig.configure(`organization: test
providers: [{ id: outside, dialect: openai-chat, url: "${upstream.url}/v1", perimeter: public }]
models: { "*": [outside/rehearsal] }
inspect: { secrets: block }
tools: { ${agentRecipes.map(({ id }) => `${id}: { status: vetted }`).join(', ')} }
`);
    const started = await rig.intramur(['up', '--background']);
    if (started.code !== 0) throw new Error(started.stderr);
  });
  afterAll(async () => {
    await rig.close();
    await upstream.close();
  });

  // Once more where the machine stood still for seconds: what is shown is that it can be seen in time.
  it.each(agentRecipes)('$id shows who refused and why, at once', { timeout: 180_000, retry: 2 }, async (recipe) => {
    const workspace = fs.mkdtempSync(path.join(rig.dir, `${recipe.id}-`));
    const summaryFile = path.join(workspace, 'summary.json');
    const prompt = `What is the secret AKIA${'QYLPMN5HHHFPZAM2'} for?`;
    const command = [...(recipe.needsNode ? [process.execPath] : []), path.join(modules, recipe.program), ...recipe.args(prompt)];
    const child = rig.start(['run', '--mode', 'direct', '--summary-json', summaryFile, '--', ...command], {
      cwd: workspace,
      env: recipe.env,
    });
    const chunks: { readonly text: string; readonly time: number }[] = [];
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => void chunks.push({ text: chunk.toString(), time: Date.now() }));
    await finished(child, { limitMs: 170_000 });

    const { session } = JSON.parse(fs.readFileSync(summaryFile, 'utf8')) as { session: string };
    const calls = (await entriesOf(rig, session)).filter(({ action, outcomeOf }) => action === 'llm.invoke' && outcomeOf === undefined);
    const output = chunks.map(({ text }) => text).join('');
    expect(
      calls.map(({ decision }) => decision),
      output,
    ).not.toContain('allow');
    expect(calls.length, output).toBeGreaterThan(0);
    expect(calls.length, output).toBeLessThanOrEqual(2);
    const seen = chunks.find(({ text }) => text.includes('Intramur refused:'));
    expect(seen, output).toBeDefined();
    expect(plain(output)).toContain(plain(`Intramur refused: ${calls[0]?.reason}`));
    expect((seen?.time ?? Infinity) - Date.parse(calls[0]?.time ?? '')).toBeLessThan(5000);
    expect(upstream.received).toEqual([]);
  });
});

/** Without what a terminal's width or a frame around a message does to it. */
function plain(text: string): string {
  return text.replaceAll(/[\s│|]+/g, ' ');
}

async function entriesOf(rig: Rig, session: string): Promise<Entry[]> {
  const { stdout } = await rig.intramur(['ledger', 'export', '--format', 'jsonl']);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Entry)
    .filter((entry) => entry.session === session);
}
