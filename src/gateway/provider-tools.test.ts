// Tools that the provider would run itself.
import { afterEach, describe, expect, it } from 'vitest';
import type { Classification } from '../core/index.ts';
import { allow, ask, bearer, chatBody, until } from './test-rig.ts';
import { chat, closeAll, messageOf, pair } from './testdata/pair.ts';

afterEach(closeAll);

describe('tools that the provider runs', () => {
  const declared = chatBody({ tools: [{ type: 'web_search' }, { type: 'function', function: { name: 'f' } }] });
  const send = async (body: string, classification: Classification | undefined, providerTools: 'strip' | 'refuse' = 'strip') => {
    const both = await pair({
      config: { providerTools },
      mediate: async ({ act }, _body, append) => ({
        decision: allow(act.action === 'llm.invoke' ? act.targets.slice(0, 1) : []),
        entry: await append({ action: act.action, decision: 'allow' }),
        ...(classification ? { classification } : {}),
      }),
    });
    const told = await ask(both.rig.url + chat, { headers: bearer, body });
    await until(() => both.rig.ledger.length === 2);
    return { ...both, told };
  };

  it('are let through and named for data that everybody may see', async () => {
    const { inside, rig } = await send(declared, 'public');
    expect(inside.received[0]?.body.toString()).toBe(declared.replace('coder', 'qwen3'));
    expect(rig.ledger[1]).toMatchObject({ detail: { providerTools: ['web_search'] } });
  });

  it.each(['internal', 'restricted', undefined] as const)(
    'are taken out of a call with %s data, which the ledger and the reply say',
    async (classification) => {
      const { inside, rig, told } = await send(declared, classification);
      expect(inside.received[0]?.body.toString()).toBe(declared.replace('coder', 'qwen3').replace('{"type":"web_search"},', ''));
      expect(told.headers['x-intramur-lossy']).toBe('tools.web_search');
      expect(rig.ledger[1]).toMatchObject({ status: 200, detail: { strippedTools: ['web_search'] } });
    },
  );

  it.each<[string, string, 'strip' | 'refuse']>([
    ['where the configuration says refuse', declared, 'refuse'],
    ['that is no tool but a setting', chatBody({ web_search_options: {} }), 'strip'],
    [
      'a file that only the provider has',
      chatBody({ messages: [{ role: 'user', content: [{ type: 'file', file: { file_id: 'f' } }] }] }),
      'strip',
    ],
  ])('%s: refused, nothing sent, on record', async (_name, body, providerTools) => {
    const { inside, outside, rig, told } = await send(body, 'internal', providerTools);
    expect([told.status, inside.received, outside.received]).toEqual([400, [], []]);
    expect(messageOf(told)).toMatch(
      /^Intramur refused: internal data may not be shown to what the provider runs by itself \(\w+\) \(policy provider-tools, ledger entry 0\)$/,
    );
    expect(rig.ledger[1]).toMatchObject({ outcomeOf: 0, decision: 'deny', status: 400 });
  });
});
