import { expect, it } from 'vitest';
import type { Entry, EntryBody } from '../../../core/index.ts';
import { summaryOf, summaryOfLedger } from './summary-of-ledger.ts';

const time = '2026-01-02T03:04:05.678Z';
const known = { session: 's', agent: 'tool', purpose: 'research', startedAt: new Date(0) } as const;
const call = { action: 'llm.invoke', class: 'model', host: 'api.example', port: 443, decision: 'allow' } as const;
const refused = { action: 'http.request', class: 'other', host: 'x.example', port: 80, decision: 'deny', reason: 'no' } as const;

it('a session is summed up from its entries as the daemon would have done', () => {
  const bodies: EntryBody[] = [
    { action: 'session.open' },
    { action: 'session.confine' },
    { ...call, labels: ['source'] },
    { action: 'llm.invoke', outcomeOf: 12, provider: 'p', perimeter: 'onprem', bytesOut: 5, bytesIn: 7, status: 200 },
    refused,
    { ...refused, detail: { refusals: 30 } },
    { action: 'approval.decide', decision: 'allow', host: 'x.example', port: 80 },
    { action: 'process.exec', decision: 'allow', path: '/bin/true' },
    { action: 'process.exec', decision: 'deny', path: '/bin/false' },
    call,
  ];
  const entries = bodies.map((body, i): Entry => ({ ...body, session: 's', index: 10 + i, time }));
  const ended = { exitCode: 3, limits: ['memory'], files: { changed: 1, added: 0, deleted: 0, sensitive: ['x'] } };
  expect(summaryOf(entries, 'ROOT', known, ended, 'gone')).toEqual({
    schema: 'intramur/summary/1',
    session: 's',
    agent: 'tool',
    purpose: 'research',
    exitCode: 3,
    incomplete: 'gone',
    startedAt: time,
    endedAt: expect.any(String) as string,
    egress: [
      { host: 'api.example', port: 443, class: 'model', decision: 'allow', count: 2, bytesOut: 5, bytesIn: 7 },
      { host: 'x.example', port: 80, class: 'other', decision: 'deny', reason: 'no', count: 31, bytesOut: 0, bytesIn: 0 },
    ],
    model: [{ provider: 'p', perimeter: 'onprem', requests: 1, bytesOut: 5, bytesIn: 7 }],
    labels: [{ label: 'source', count: 1 }],
    files: ended.files,
    refusals: 32,
    limits: ['memory'],
    next_steps: [],
    programs: { started: 1, refused: 1 },
    ledger: { first: 10, last: 19, root: 'ROOT' },
  });
});

it('where the ledger does not read either, what the launcher knows stays, and no entry is named', async () => {
  const summary = await summaryOfLedger('/nowhere/ledger', known, { exitCode: 3 }, 'gone');
  expect(summary).toMatchObject({
    session: 's',
    exitCode: 3,
    incomplete: 'gone; there is no ledger in /nowhere/ledger',
    startedAt: known.startedAt.toISOString(),
    egress: [],
    ledger: { first: -1, last: -1, root: '' },
  });
});
