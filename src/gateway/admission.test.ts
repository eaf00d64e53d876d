import http from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { type FakeUpstream, startFakeUpstream } from '../testing/index.ts';
import { ask, bearer, chatBody, provider, type Rig, startRig, type Told, until } from './test-rig.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one.close();
});

async function rigWith(limits: Parameters<typeof startRig>[0]['limits']): Promise<{ rig: Rig; upstream: FakeUpstream }> {
  const upstream = await startFakeUpstream({ script: [{ text: 'hello back' }], chunkDelayMs: 20 });
  open.push(upstream);
  const rig = await startRig({
    config: { providers: [provider({ id: 'p', url: `${upstream.url}/v1` })], models: [{ match: '*', targets: ['p/*'] }] },
    limits,
  });
  open.push(rig);
  return { rig, upstream };
}

const call = (rig: Rig, fields: Readonly<Record<string, unknown>> = {}): Promise<Told> =>
  ask(`${rig.url}/v1/chat/completions`, { headers: bearer, body: chatBody(fields) });

describe('too much at once', () => {
  it('of calls is a 429 with retry-after, and room again when they are done', async () => {
    const { rig } = await rigWith({ maxCalls: 2 });
    const told = await Promise.all(Array.from({ length: 5 }, () => call(rig, { stream: true })));
    const turnedAway = told.filter(({ status }) => status === 429);
    expect([told.filter(({ status }) => status === 200).length, turnedAway.length]).toEqual([2, 3]);
    for (const { headers, text } of turnedAway)
      expect([headers['retry-after'], JSON.parse(text).error]).toEqual([
        '2',
        expect.objectContaining({ message: expect.stringMatching(/^Intramur refused: too many/), code: 'rate_limit_exceeded' }),
      ]);
    expect((await call(rig)).status).toBe(200);
  });

  it('of bytes is a refusal', async () => {
    const { rig, upstream } = await rigWith({ maxHeldBytes: 2000 });
    const told = await call(rig, { pad: 'x'.repeat(3000) });
    expect([told.status, JSON.parse(told.text).error.message, upstream.received]).toEqual([
      400,
      expect.stringContaining('hold too much'),
      [],
    ]);
    expect((await call(rig)).status).toBe(200);
  });

  it('is given back by a caller that leaves', async () => {
    const { rig, upstream } = await rigWith({ maxCalls: 1 });
    upstream.setFault('hang');
    const request = http.request(`${rig.url}/v1/chat/completions`, { method: 'POST', headers: bearer });
    request.on('error', () => {});
    request.end(chatBody({ stream: true }));
    await until(() => upstream.received.length === 1);
    expect((await call(rig)).status).toBe(429);
    request.destroy();
    upstream.setFault(undefined);
    let status = 429;
    for (let i = 0; i < 50 && status === 429; i++) status = (await call(rig)).status;
    expect(status).toBe(200);
  });
});

it('metrics count calls, tokens, refusals, and hold no word of a caller', async () => {
  const { rig } = await rigWith({});
  await call(rig, { model: 'a-name-of-the-caller' });
  await call(rig, { stream: true });
  await ask(`${rig.url}/v1/chat/completions`, { headers: bearer, body: '{' });
  const text = rig.gateway.metrics();
  expect(text).toContain('intramur_calls_total{provider="p",perimeter="onprem",status="200"} 2\n');
  expect(text).toContain('intramur_refusals_total{why="fault"} 1\n');
  expect(text).toMatch(/intramur_tokens_total\{provider="p",perimeter="onprem",type="output"\} [1-9]/);
  expect(text).toContain('intramur_call_seconds_count{provider="p",perimeter="onprem"} 2\n');
  expect(text).toContain('intramur_calls_under_way 0\n');
  expect(text).not.toContain('a-name-of-the-caller');
});
