// Decisions come from the compiled policies; what they mean is cedar-wasm's word. A daemon that cannot ask it soon allows nothing.
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { configFor, createRig, type Rig } from '../e2e/rig.ts';

const key = `sk-test-${crypto.randomBytes(12).toString('hex')}`;
let rig: Rig;
beforeEach(async () => {
  rig = await createRig();
  rig.configure(`${configFor(rig.upstream)}keys: [{ id: ide, sha256: ${crypto.hash('sha256', key)}, purpose: research }]\n`);
});
afterEach(() => rig.close());

it('cedar-wasm is missing: from its first recheck on every call is refused, on record, and the upstream hears of none', async () => {
  const hooks = path.join(rig.dir, 'hooks.mjs');
  fs.writeFileSync(
    hooks,
    `import { registerHooks } from 'node:module';
registerHooks({ resolve(name, context, next) { if (name.includes('cedar-wasm')) throw new Error('gone'); return next(name, context); } });`,
  );
  const started = await rig.intramur(['up', '--background'], { env: { NODE_OPTIONS: `--import ${hooks}` } });
  expect(started, started.stderr).toMatchObject({ code: 0 });
  const { gateway } = JSON.parse((await rig.intramur(['status', '--json'])).stdout) as { gateway: { url: string } };
  const call = async () => {
    const before = rig.upstream.received.length;
    const response = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
      body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'hello' }] }),
    });
    return { status: response.status, text: await response.text(), reached: rig.upstream.received.length - before };
  };
  expect(await call()).toMatchObject({ status: 200, reached: 1 });
  await expect.poll(async () => (await call()).status, { timeout: 15_000, interval: 200 }).toBe(400);
  const refused = await call();
  expect(refused).toMatchObject({
    status: 400,
    reached: 0,
    text: expect.stringContaining('Intramur refused: a policy failed to evaluate'),
  });
  expect((await rig.entries()).at(-1)).toMatchObject({ action: 'llm.invoke', decision: 'deny' });
  expect(fs.readFileSync(path.join(rig.state, 'state', 'daemon.log'), 'utf8')).toContain('cedar-wasm cannot be asked');
});
