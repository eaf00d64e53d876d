// A session whose requests are refused in a loop, at the mediation that the daemon's rooms call.
import { expect, it } from 'vitest';
import type { EntryBody, Principal, Request } from '../core/index.ts';
import { createTaint } from '../monitor/index.ts';
import { loadPolicies } from '../policy/index.ts';
import { createMediation } from './mediation.ts';
import { Tally } from './tally.ts';

const principal: Principal = {
  session: 's',
  user: 'u',
  agent: 'a',
  vetting: 'unvetted',
  purpose: 'research',
  classification: 'internal',
  workspace: '/w',
  via: 'sandbox',
};
const requestTo = (host: string): Request => ({
  principal,
  act: { action: 'net.connect', class: 'other', host, port: 443, protocol: 'tcp', isDirect: false, isGranted: false },
});

it('policy refusing in a loop, and egress refusing in a loop: few entries, and the numbers add up', async () => {
  const engine = await loadPolicies({ packs: [], packsDir: '', dirs: [] });
  const entries: EntryBody[] = [];
  const tally = new Tally();
  const mediation = createMediation(
    {
      inspect: async () => ({ labels: [], classification: 'public', findings: [], bytes: 0, ms: 0 }),
      append: async (entry) => ({ index: entries.push(entry) - 1 }),
      taint: createTaint(),
      now: () => new Date(0),
    },
    () => ({ engine, tally, secrets: 'block' }),
    (_what, fault) => {
      throw fault;
    },
  );
  const empty = { bytes: new Uint8Array(), contentType: '', views: [] };
  for (let i = 0; i < 1500; i++) {
    expect((await mediation.mediate(requestTo(`${i % 7}.example`), empty)).decision.effect).toBe('deny');
    expect((await mediation.recordRefusal(requestTo(`${i}.example`), 'a name that disagrees', 'egress')).entry).toBeDefined();
  }
  await mediation.finish('s');
  expect(entries.length).toBeLessThan(1100);
  expect(entries.reduce((sum, { detail }) => sum + Number(detail?.['refusals'] ?? 1), 0)).toBe(3000);
  expect(tally.summary().refusals).toBe(3000);
});
