import { afterEach, describe, expect, it } from 'vitest';
import { type FakeUpstream, startFakeUpstream } from '../testing/index.ts';
import { ask, bearer, chatBody, provider, type Rig, startRig, until } from './test-rig.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one.close();
});

async function upstream(): Promise<FakeUpstream> {
  const started = await startFakeUpstream({ script: [{ text: 'hello back' }] });
  open.push(started);
  return started;
}

async function rig(...options: Parameters<typeof startRig>): Promise<Rig> {
  const started = await startRig(...options);
  open.push(started);
  return started;
}

/** An inside and an outside target for everything, in one dialect. */
async function twoTargets(
  options: Parameters<typeof startRig>[0] = {},
): Promise<{ inside: FakeUpstream; outside: FakeUpstream; rig: Rig }> {
  const [inside, outside] = [await upstream(), await upstream()];
  const started = await rig({
    ...options,
    config: {
      providers: [
        provider({ id: 'vendor', url: `${outside.url}/v1`, perimeter: 'public', key: 'env:VENDOR_KEY' }),
        provider({ id: 'coder', url: `${inside.url}/v1`, timeoutMs: 400 }),
      ],
      models: [{ match: '*', targets: ['vendor/gpt', 'coder/qwen3'] }],
      ...options.config,
    },
    env: { VENDOR_KEY: 'real-vendor-key' },
  });
  return { inside, outside, rig: started };
}

const hello = '/v1/chat/completions';

describe('one call', () => {
  it('goes inside first, with the name the map gives, every other byte unchanged', async () => {
    const { inside, outside, rig } = await twoTargets();
    const body = '{ "messages" : [{"role":"user","content":"h\\u00e9llo"}],"model":"coder" , "unknown":{"a":1e2} }';
    const told = await ask(`${rig.url}${hello}?trace=1`, { headers: bearer, body });
    expect(told.status).toBe(200);
    expect(outside.received).toEqual([]);
    expect(inside.received.map(({ path, body }) => [path, body.toString()])).toEqual([
      ['/v1/chat/completions?trace=1', body.replace('"coder"', '"qwen3"')],
    ]);
  });
  it('streams', async () => {
    const { rig } = await twoTargets();
    const told = await ask(`${rig.url}${hello}`, { headers: bearer, body: chatBody({ stream: true }) });
    expect([told.status, told.headers['content-type'], told.text.endsWith('data: [DONE]\n\n')]).toEqual([200, 'text/event-stream', true]);
    await until(() => rig.ledger.length === 2);
    expect(rig.ledger[1]).toMatchObject({ outcomeOf: 0, status: 200, provider: 'coder' });
  });
  it('inside down: a refusal, and outside is never called when policy allows inside only', async () => {
    const { inside, outside, rig } = await twoTargets({
      decide: (request) => {
        const targets = request.act.action === 'llm.invoke' ? request.act.targets.filter(({ perimeter }) => perimeter === 'onprem') : [];
        const [first] = targets;
        if (!first) throw new Error('no target');
        return { effect: 'allow', route: { kind: 'targets', targets: [first] }, policies: ['perimeter.inside'] };
      },
    });
    await inside.close();
    open.splice(open.indexOf(inside), 1);
    const told = await ask(`${rig.url}${hello}`, { headers: bearer, body: chatBody() });
    expect([told.status, JSON.parse(told.text).error.message]).toEqual([
      400,
      'Intramur refused: no allowed target answered: provider coder: the upstream could not be reached: the connection failed (policy perimeter.inside, ledger entry 0)',
    ]);
    expect(outside.received).toEqual([]);
  });
});
