// After a full disk: the ledger says that it was, and what happened in that time gets its place.
import { expect, it } from 'vitest';
import { type Act, type Entry, type EntryBody, IntramurError, type Principal } from '../core/index.ts';
import { createTaint } from '../monitor/index.ts';
import type { PolicyEngine } from '../policy/index.ts';
import { createMediation } from './mediation.ts';
import { resumed } from './resumed.ts';

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
const how = { fault: 'full', since: new Date(0), refused: 4 };
const resume = { action: 'ledger.resume', reason: 'full', detail: { since: '1970-01-01T00:00:00.000Z', refused: 4 } };

function ledger() {
  const entries: Entry[] = [];
  let isFull = false;
  return {
    entries,
    fill: (full: boolean) => void (isFull = full),
    async append(body: EntryBody): Promise<Entry> {
      if (isFull) throw new IntramurError('LEDGER_APPEND', 'full');
      const entry = { ...body, index: entries.length, time: new Date(0).toISOString() };
      entries.push(entry);
      return entry;
    },
    catchUp: async () => {},
    entry: (index: number) => entries[index],
  };
}

it('an outcome that the ledger could not take is recorded when it can again, once', async () => {
  const log = ledger();
  const engine = { decide: async () => ({ effect: 'allow', route: { kind: 'direct' }, policies: [] }) } as unknown as PolicyEngine;
  const inspect = async () => ({ labels: [], findings: [], classification: undefined, bytes: 0 }) as never;
  const mediation = createMediation(
    { inspect, append: log.append, taint: createTaint(), now: () => new Date(0) },
    () => ({ engine, tally: undefined, secrets: 'block' }),
    () => {},
  );
  const { decision, entry } = await mediation.mediate({ principal, act }, { bytes: new Uint8Array(), contentType: '', views: [] });
  expect([decision.effect, entry?.index]).toEqual(['allow', 0]);
  log.fill(true);
  await mediation.recordOutcome(0, { bytesIn: 7 });
  await mediation.recordMissed();
  log.fill(false);
  const deps = { ledger: log, index: log, mediation };
  await resumed({ ...how, acknowledged: 1, size: 1 }, deps);
  await resumed({ ...how, acknowledged: 3, size: 3 }, deps);
  expect(log.entries.slice(1)).toMatchObject([resume, { action: 'net.connect', outcomeOf: 0, bytesIn: 7 }, resume]);
});

it('an act that stands in the log as allowed though it was refused is said to be none', async () => {
  const log = ledger();
  for (const decision of ['allow', 'allow', 'deny'] as const) await log.append({ action: 'http.request', session: 's', decision });
  const said = await resumed(
    { ...how, acknowledged: 1, size: 3 },
    { ledger: log, index: log, mediation: { recordMissed: async () => {} } },
  );
  expect(said).toBe('the ledger takes entries again; it refused 4 since 1970-01-01T00:00:00.000Z');
  expect(log.entries.slice(3)).toMatchObject([
    { ...resume, detail: { ...resume.detail, unacknowledged: 2 } },
    { action: 'http.request', session: 's', outcomeOf: 1, reason: 'it was refused after all: the ledger could not be written' },
  ]);
});
