// The centre fails closed: whatever breaks between question and record, the answer is a refusal, and an allow is never given before it
// is on the record.
import { describe, expect, it } from 'vitest';
import { type Body, type Decision, type EntryBody, IntramurError, type Report, type Request } from '../core/index.ts';
import { createTaint, type MonitorDeps, mediate } from './index.ts';

const request: Request = {
  principal: {
    session: 's',
    user: 'u',
    agent: 'codex',
    vetting: 'vetted',
    purpose: 'research',
    classification: 'internal',
    via: 'sandbox',
  },
  act: {
    action: 'http.request',
    class: 'other',
    scheme: 'https',
    host: 'git.example',
    port: 443,
    method: 'GET',
    path: '/',
    isDirect: false,
    isGranted: true,
  },
};
const body: Body = { bytes: Buffer.from('hello'), contentType: 'text/plain', views: [] };
const clean: Report = { bytes: 5, classification: 'public', labels: [], findings: [], ms: 0 };
const allow: Decision = { effect: 'allow', route: { kind: 'direct' }, policies: ['p'] };

function working(entries: EntryBody[] = []): MonitorDeps {
  return {
    inspect: () => Promise.resolve(clean),
    decide: () => allow,
    append: (entry) => Promise.resolve({ index: entries.push(entry) - 1 }),
    taint: createTaint(),
    now: () => new Date(0),
  };
}

const broken = (code: 'INSPECT_FAILED' | 'POLICY_EVALUATION' | 'LEDGER_APPEND') => () => {
  throw new IntramurError(code, 'a message that may quote a payload');
};

describe('mediate', () => {
  it('allows what inspection and policy let pass, with its entry', async () => {
    const entries: EntryBody[] = [];
    expect(await mediate(request, body, working(entries))).toEqual({ decision: allow, report: clean, entry: { index: 0 } });
    expect(entries).toEqual([expect.objectContaining({ decision: 'allow', host: 'git.example', bytesOut: 5 })]);
  });

  it.each<[string, Partial<MonitorDeps>, string, number]>([
    ['a detector throws', { inspect: broken('INSPECT_FAILED') }, 'INSPECT_FAILED', 1],
    ['inspection breaks in a way nobody foresaw', { inspect: () => Promise.reject(new TypeError('x')) }, 'INTERNAL', 1],
    [
      'the payload is too large to inspect',
      { inspect: () => Promise.resolve({ ...clean, refused: { code: 'INSPECT_LIMIT', reason: 'x' } }) },
      'INSPECT_LIMIT',
      1,
    ],
    ['a policy fails to evaluate', { decide: broken('POLICY_EVALUATION') }, 'POLICY_EVALUATION', 1],
    ['the ledger cannot append', { append: broken('LEDGER_APPEND') }, 'LEDGER_APPEND', 0],
    ['the disk is full', { append: () => Promise.reject(new Error('ENOSPC')) }, 'LEDGER_APPEND', 0],
  ])('%s: refused by code, recorded where it can be, without the message', async (_name, faulty, code, recorded) => {
    const entries: EntryBody[] = [];
    const { decision, entry } = await mediate(request, body, { ...working(entries), ...faulty });
    expect(decision).toMatchObject({ effect: 'deny', reason: { code } });
    expect(entries.map(({ decision: made }) => made)).toEqual(Array(recorded).fill('deny'));
    expect(entry === undefined).toBe(recorded === 0);
    expect(JSON.stringify([decision, entries])).not.toContain('quote a payload');
  });

  it('an allow is not returned before its entry is durable', async () => {
    const durable = Promise.withResolvers<{ index: number }>();
    let isReturned = false;
    const mediated = mediate(request, body, { ...working(), append: () => durable.promise }).then(() => {
      isReturned = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(isReturned).toBe(false);
    durable.resolve({ index: 0 });
    await mediated;
    expect(isReturned).toBe(true);
  });

  it('what a session has read stays with it: the class never falls', async () => {
    const seen: string[] = [];
    const deps: MonitorDeps = {
      ...working(),
      decide: (_request, { classification }) => {
        seen.push(classification);
        return allow;
      },
    };
    await mediate(request, body, { ...deps, inspect: () => Promise.resolve({ ...clean, classification: 'restricted' }) });
    await mediate(request, body, deps);
    expect(seen).toEqual(['restricted', 'restricted']);
  });
});
