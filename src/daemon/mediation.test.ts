// A program that is refused without end: each refusal is an entry, so at some number the session is over.
import { describe, expect, it } from 'vitest';
import { type Act, deny, type Principal } from '../core/index.ts';
import { createTaint } from '../monitor/index.ts';
import { loadPolicies } from '../policy/index.ts';
import { createMediation, maxRefusals } from './mediation.ts';
import { Tally } from './tally.ts';

const principal: Principal = {
  session: 's',
  user: 'alice',
  agent: 'tool',
  vetting: 'unvetted',
  purpose: 'research',
  classification: 'internal',
  via: 'sandbox',
};
const act: Act = { action: 'net.connect', class: 'other', host: 'x.example', port: 1, protocol: 'dns', isDirect: false, isGranted: false };

describe('a flood of refusals', () => {
  it('ends the session, with its reason, at a number and not before', async () => {
    const engine = await loadPolicies({ packs: [], packsDir: '', dirs: [] });
    const tally = new Tally();
    const reasons: string[] = [];
    let entries = 0;
    const mediation = createMediation(
      {
        inspect: () => Promise.reject(new Error('nothing is inspected')),
        append: () => Promise.resolve({ index: entries++ }),
        taint: createTaint(),
        now: () => new Date(),
      },
      () => ({ engine, tally, secrets: 'block', halt: (reason) => reasons.push(reason) }),
      () => {},
    );
    for (let i = 0; i < maxRefusals - 2; i++) tally.decided({ principal, act }, deny('no'), undefined, undefined);
    await mediation.recordRefusal({ principal, act }, 'no', 'egress');
    expect(reasons).toEqual([]);
    await mediation.recordRefusal({ principal, act }, 'no', 'egress');
    expect(reasons).toEqual(['it was refused more often than any work needs']);
  });
});
