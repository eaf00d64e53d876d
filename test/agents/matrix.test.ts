// Every agent with every dialect as the only one that the model server speaks, in the sandbox and, with a virtual key, outside of it:
// what one asks for and the other answers is translated, and a file gets written by a tool call.
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Dialect } from '../../src/core/index.ts';
import { type AgentRecipe, agentRecipes, type FakeUpstream, type ModelRequest, startFakeUpstream } from '../../src/testing/index.ts';
import { createRig, finished, type Rig, root } from '../e2e/rig.ts';
import { type Gate, openGate } from './loopback-only.ts';

const dialects: readonly Dialect[] = ['anthropic-messages', 'openai-responses', 'openai-chat', 'gemini'];
const modules = path.join(root, 'test', 'agents', 'node_modules');
const key = `sk-test-${crypto.randomBytes(12).toString('hex')}`;
const limits = { limitMs: 170_000, timeout: 180_000 };

/** The prompt names the file, so that one model serves many workspaces at once. */
const script = ({ turn, text }: ModelRequest) => {
  const [, file] = /Create the file (\S+\.txt)/.exec(text) ?? [];
  return turn === 0 && file
    ? { acts: [{ do: 'write', path: file, content: 'hello from a tool call\n' } as const] }
    : { text: 'It is done.' };
};

function commandOf(recipe: AgentRecipe, prompt: string): string[] {
  return [...(recipe.needsNode ? [process.execPath] : []), path.join(modules, recipe.program), ...recipe.args(prompt)];
}

/** An installation whose only provider speaks one dialect. */
async function createSite(dialect: Dialect, upstream: FakeUpstream, perimeter: string): Promise<{ rig: Rig; gate: Gate; url: string }> {
  const rig = await createRig();
  const base = dialect.startsWith('openai') ? `${upstream.url}/v1` : upstream.url;
  rig.configure(`organization: test
providers: [{ id: only, dialect: ${dialect}, url: "${base}", perimeter: ${perimeter} }]
models: { "*": [only/rehearsal] }
inspect: { secrets: block }
keys: [{ id: outside, sha256: ${crypto.hash('sha256', key)}, user: alice, tool: editor, purpose: research }]
tools: { ${[...agentRecipes.map(({ id }) => id), 'editor'].map((id) => `${id}: { status: vetted }`).join(', ')} }
`);
  const started = await rig.intramur(['up', '--background']);
  if (started.code !== 0) throw new Error(started.stderr);
  const { url } = (JSON.parse((await rig.intramur(['status', '--json'])).stdout) as { gateway: { url: string } }).gateway;
  return { rig, url, gate: await openGate(url, rig.dir) };
}

/** Empty ones each time, so that a second try does not see what the first has written. */
function placeFor(rig: Rig, name: string): { workspace: string; home: string } {
  const place = (kind: string) => fs.mkdtempSync(path.join(rig.dir, `${kind}-${name}-`));
  return { workspace: place('workspace'), home: place('home') };
}

describe.each(dialects)('a model that speaks %s alone', (dialect) => {
  let upstream: FakeUpstream;
  let site: { rig: Rig; gate: Gate; url: string };
  beforeAll(async () => {
    upstream = await startFakeUpstream({ script, dialects: [dialect] });
    site = await createSite(dialect, upstream, 'onprem');
  });
  afterAll(async () => {
    await site.gate.close();
    await site.rig.close();
    await upstream.close();
  });

  it.concurrent.each(agentRecipes)('serves $id inside', { timeout: limits.timeout }, async (recipe) => {
    const { workspace } = placeFor(site.rig, `${recipe.id}-inside`);
    const file = path.join(workspace, 'greeting.txt');
    const args = ['run', '--mode', 'direct', '--', ...commandOf(recipe, `Create the file ${file} with a greeting.`)];
    const outcome = await site.rig.intramur(args, { cwd: workspace, env: recipe.env, limitMs: limits.limitMs });
    expect(written(file), JSON.stringify(outcome)).toBe('hello from a tool call');
    expect(outcome.code, JSON.stringify(outcome)).toBe(0);
  });

  // Once more where a vendor's program, which here talks to nobody else, ends badly after its work: seen once in some fifty runs.
  it.concurrent.each(agentRecipes)('serves $id outside', { timeout: limits.timeout, retry: 1 }, async (recipe) => {
    const { workspace, home } = placeFor(site.rig, `${recipe.id}-outside`);
    const { env, files } = recipe.outside({ url: site.url, key, model: 'rehearsal' });
    for (const { path: name, text } of files) {
      fs.mkdirSync(path.dirname(path.join(home, name)), { recursive: true });
      fs.writeFileSync(path.join(home, name), text);
    }
    const file = path.join(workspace, 'greeting.txt');
    const command = commandOf(recipe, `Create the file ${file} with a greeting.`);
    const child = site.gate.start(command, { workspace, home, env: { ...recipe.env, ...env } });
    const outcome = await finished(child, { limitMs: limits.limitMs });
    expect(written(file), JSON.stringify(outcome)).toBe('hello from a tool call');
    expect(outcome.code, JSON.stringify(outcome)).toBe(0);
  });
});

function written(file: string): string | undefined {
  return fs.existsSync(file) ? fs.readFileSync(file, 'utf8').trim() : undefined;
}
