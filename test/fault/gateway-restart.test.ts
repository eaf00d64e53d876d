// The daemon goes away in the middle of a stream, by order and by force: the caller never sees a clean end, the upstream is let go, and the
// ledger has an outcome for each call, sooner or later.
import crypto from 'node:crypto';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Entry } from '../../src/core/index.ts';
import { configFor, createRig, type Rig } from '../e2e/rig.ts';

const key = `sk-test-${crypto.randomBytes(12).toString('hex')}`;
let rig: Rig;
beforeEach(async () => {
  rig = await createRig();
  rig.configure(`${configFor(rig.upstream)}keys: [{ id: ide, sha256: ${crypto.hash('sha256', key)}, purpose: research }]\n`);
});
afterEach(() => rig.close());

interface Status {
  readonly pid: number;
  readonly gateway: { readonly url: string };
}

async function up(): Promise<Status> {
  expect(await rig.intramur(['up', '--background'])).toMatchObject({ code: 0 });
  return JSON.parse((await rig.intramur(['status', '--json'])).stdout) as Status;
}

async function entries(): Promise<Entry[]> {
  const { stdout } = await rig.intramur(['ledger', 'export', '--format', 'jsonl']);
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Entry);
}

/** The text of a stream up to its end, and how it ended. */
async function streamed(url: string, begun: () => Promise<unknown>): Promise<{ text: string; isCut: boolean }> {
  const response = await fetch(`${url}/v1/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body: JSON.stringify({ model: 'm', max_tokens: 9, stream: true, messages: [{ role: 'user', content: 'hello' }] }),
  });
  const decoder = new TextDecoder();
  let text = '';
  let isFirst = true;
  try {
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk as Uint8Array, { stream: true });
      if (isFirst) await begun();
      isFirst = false;
    }
    return { text, isCut: false };
  } catch {
    return { text, isCut: true };
  }
}

it.each<[string, (status: Status) => Promise<unknown>, RegExp]>([
  ['stopped', () => rig.intramur(['down']), /./],
  ['killed', async ({ pid }) => process.kill(pid, 'SIGKILL'), /^the daemon ended before the outcome was known$/],
])('the daemon is %s in mid-stream', async (_name, end, reason) => {
  const status = await up();
  rig.upstream.setFault('stall');
  const { text, isCut } = await streamed(status.gateway.url, () => end(status));
  expect(text).toContain('message_start');
  expect(text).not.toContain('message_stop');
  // Cut, or told in the dialect's own words.
  expect(isCut || text.includes('event: error')).toBe(true);

  rig.upstream.setFault(undefined);
  const again = await up();
  const whole = await streamed(again.gateway.url, async () => {});
  expect([whole.isCut, whole.text.includes('message_stop')]).toEqual([false, true]);
  const all = await entries();
  const decision = all.find(({ action, decision: made }) => action === 'llm.invoke' && made === 'allow');
  const outcomes = all.filter(({ outcomeOf }) => outcomeOf === decision?.index);
  expect(outcomes).toEqual([expect.objectContaining({ action: 'llm.invoke', reason: expect.stringMatching(reason) })]);
  expect((await rig.intramur(['ledger', 'verify'])).code).toBe(0);
});
