// A running daemon follows its configuration: keys, models and providers as the files now stand, for callers with a key and for sessions
// alike; a broken file changes nothing.
import crypto from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type FakeUpstream, startFakeUpstream } from '../../src/testing/index.ts';
import { createRig, type Rig } from './rig.ts';

const [key, other] = ['a', 'b'].map((end) => `sk-test-${crypto.randomBytes(12).toString('hex')}${end}`) as [string, string];
let rig: Rig;
let second: FakeUpstream;
let url = '';

const configOf = (upstream: FakeUpstream, ...keys: string[]): string => `organization: test
providers: [{ id: chat, dialect: openai-chat, url: "${upstream.url}/v1", perimeter: onprem }]
models: { "*": [chat/rehearsal] }
keys: [${keys.map((text, i) => `{ id: k${i}, sha256: ${crypto.hash('sha256', text)}, purpose: research }`).join(', ')}]
`;

beforeAll(async () => {
  second = await startFakeUpstream({ script: [{ text: 'from the second' }] });
  rig = await createRig();
  rig.configure(configOf(rig.upstream, key));
  expect(await rig.intramur(['up', '--background'])).toMatchObject({ code: 0 });
  url = (JSON.parse((await rig.intramur(['status', '--json'])).stdout) as { gateway: { url: string } }).gateway.url;
});
afterAll(async () => {
  await rig.close();
  await second.close();
});

async function call(as: string): Promise<{ status: number; text: string }> {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${as}` },
    body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'hello' }] }),
  });
  return { status: response.status, text: await response.text() };
}

/** The files are looked at twice a second. */
async function callUntil(as: string, isMeant: (told: { status: number; text: string }) => boolean): Promise<boolean> {
  for (let i = 0; i < 100; i++) {
    if (isMeant(await call(as))) return true;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return false;
}

it('callers with a key: a provider that was changed, a key that was added, a key that was taken away', async () => {
  expect([(await call(key)).text.includes('rehearsed'), (await call(other)).status]).toEqual([true, 401]);
  rig.configure(configOf(second, other));
  expect(await callUntil(key, ({ status }) => status === 401)).toBe(true);
  expect((await call(other)).text).toContain('from the second');
});

it('what was taken away is gone for the first call after it, without a call in between', async () => {
  rig.configure(configOf(second, other));
  await callUntil(other, ({ status }) => status === 200);
  rig.configure(configOf(second, key));
  await new Promise((resolve) => setTimeout(resolve, 2000));
  expect((await call(other)).status).toBe(401);
  rig.configure(configOf(second, other));
  await callUntil(other, ({ status }) => status === 200);
});

it('a session sees what the file says when it starts, and the gateway with it', async () => {
  rig.configure(configOf(rig.upstream, other));
  const { stdout } = await rig.intramur([
    'run',
    '--',
    'sh',
    '-c',
    `curl -sS -m 20 https://api.openai.com/v1/chat/completions -H 'content-type: application/json' -d '{"model":"x","messages":[{"role":"user","content":"hello"}]}'`,
  ]);
  expect(stdout).toContain('rehearsed');
});

it('a broken file is not in force, and what was before stays', async () => {
  rig.configure('providers: [{ id: ');
  await new Promise((resolve) => setTimeout(resolve, 1100));
  expect([(await call(other)).status, (await call(other)).status]).toEqual([200, 200]);
  rig.configure(configOf(second, other));
  expect(await callUntil(other, ({ text }) => text.includes('from the second'))).toBe(true);
  const exported = await rig.intramur(['ledger', 'export', '--format', 'jsonl']);
  expect(exported.stdout.split('\n').filter((line) => line.includes('"daemon.reload"')).length).toBeGreaterThanOrEqual(3);
});
