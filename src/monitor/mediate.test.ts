// The centre fails closed: whatever breaks between question and record, the answer is a refusal, and an allow is never given before it
// is on the record.
import { describe, expect, it } from 'vitest';
import { type Body, type Decision, deny, type EntryBody, IntramurError, type Report, type Request, type Target } from '../core/index.ts';
import { createInspector, createSecretPlaceholders } from '../inspect/index.ts';
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
    expect(await mediate(request, body, working(entries))).toEqual({
      decision: allow,
      report: clean,
      entry: { index: 0 },
      classification: 'internal',
    });
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

describe('a secret in a model call', () => {
  const token = `AKIA${'QYLPMN5HHHFPZAM2'}`;
  const outside: Target = { provider: 'vendor', model: 'm', dialect: 'openai-chat', perimeter: 'public', vetted: false };
  const call: Request = {
    ...request,
    act: {
      action: 'llm.invoke',
      class: 'model',
      dialect: 'openai-chat',
      host: 'gateway',
      port: 80,
      method: 'POST',
      path: '/v1/chat/completions',
      requestedModel: 'm',
      targets: [outside],
    },
  };
  const placeholders = createSecretPlaceholders();
  const inspector = createInspector({ isPlaceholder: placeholders.isOurs });
  const bodyOf = (text: string): Body => ({
    bytes: Buffer.from(JSON.stringify({ model: 'm', messages: [{ role: 'user', content: text }] })),
    contentType: 'application/json',
    views: [],
  });
  const allowed: Decision = { effect: 'allow', route: { kind: 'targets', targets: [outside] }, policies: ['p'] };
  const deps = (entries: EntryBody[] = []): MonitorDeps => ({
    ...working(entries),
    inspect: inspector.inspect,
    decide: (_request, { labels }) => (labels.includes('secret') ? deny('no secret leaves', ['p']) : allowed),
    placeholders,
  });

  it('that may go nowhere goes as a placeholder, which the entry counts and the sent bytes are of', async () => {
    const entries: EntryBody[] = [];
    const { decision, replaced } = await mediate(call, bodyOf(`the key is ${token}`), deps(entries));
    const sent = Buffer.from(replaced?.bytes ?? []).toString();
    expect([decision.effect, sent.includes(token), [...(replaced?.originals.values() ?? [])]]).toEqual(['allow', false, [token]]);
    expect(entries).toEqual([
      expect.objectContaining({
        decision: 'allow',
        labels: [],
        bytesOut: sent.length,
        detail: expect.objectContaining({ placeholders: 1, findings: [expect.stringContaining(':block:1')] }),
      }),
    ]);
  });

  it('goes as it is where that is allowed', async () => {
    const { replaced } = await mediate(call, bodyOf(`the key is ${token}`), { ...deps(), decide: () => allowed });
    expect(replaced).toBeUndefined();
  });

  it.each<[string, Body, Partial<MonitorDeps>]>([
    ['where the configuration says block', bodyOf(token), { placeholders: undefined }],
    ['in a header', { ...bodyOf('x'), views: [`Bearer ${token}`] }, {}],
    ['encoded', bodyOf(Buffer.from(`the key is ${token} as said`).toString('base64')), {}],
    ['as it is and encoded without what gives it away', bodyOf(`${token} ${Buffer.from(`xx ${token} yy zz`).toString('hex')}`), {}],
    ['when the second look throws', bodyOf(token), { inspect: failingAfter(1, inspector.inspect) }],
    ['when the second look is not complete', bodyOf(token), { inspect: refusingAfter(1, inspector.inspect) }],
  ])('%s: is refused', async (_name, body, faulty) => {
    const entries: EntryBody[] = [];
    const { decision, replaced } = await mediate(call, body, { ...deps(entries), ...faulty });
    expect([decision.effect, replaced, entries.map((entry) => entry.decision)]).toEqual(['deny', undefined, ['deny']]);
  });

  it('keeps its placeholder from call to call, so that the beginning of a prompt stays the same', async () => {
    const texts = [`the key is ${token}`, `the key is ${token} and more was said`];
    const [first, second] = await Promise.all(
      texts.map(async (text) => Buffer.from((await mediate(call, bodyOf(text), deps())).replaced?.bytes ?? []).toString()),
    );
    expect(second?.startsWith(first?.slice(0, first.indexOf('"}')) ?? '-')).toBe(true);
  });

  it('is another placeholder in another session', async () => {
    const of = async (session: string) =>
      [
        ...((await mediate({ ...call, principal: { ...call.principal, session } }, bodyOf(token), deps())).replaced?.originals.keys() ??
          []),
      ][0];
    expect(await of('a')).not.toBe(await of('b'));
  });

  it('does not free the payload of what else is in it', async () => {
    const entries: EntryBody[] = [];
    const strict = { ...deps(entries), decide: (): Decision => deny('confidential', ['p.class']) };
    const { decision, replaced } = await mediate(call, bodyOf(token), strict);
    expect([decision.effect, replaced, entries[0]?.decision]).toEqual(['deny', undefined, 'deny']);
  });

  it.each<[string, Body]>([
    ['in a body', { bytes: Buffer.from(`x=${placeholders.of('s', token)}`), contentType: '', views: [] }],
    ['in a header or the address', { bytes: Buffer.from(''), contentType: '', views: [`/?x=${placeholders.of('other', token)}`] }],
    ['encoded', { bytes: Buffer.from(Buffer.from(`x=${placeholders.of('s', token)} end`).toString('base64')), contentType: '', views: [] }],
  ])('a placeholder %s on its way to any other host is a refusal with a finding, though policy allows', async (_name, body) => {
    const entries: EntryBody[] = [];
    const { decision } = await mediate(request, body, { ...deps(entries), decide: () => allow });
    expect(decision).toMatchObject({ effect: 'deny', reason: { code: 'CREDENTIAL_MISUSED' } });
    expect(entries[0]?.detail?.['findings']).toEqual(['secret-placeholder:count:1']);
  });

  it('a placeholder that comes back in a prompt is a word like any other', async () => {
    const { decision, replaced } = await mediate(call, bodyOf(`secret = "${placeholders.of('s', token)}"`), deps());
    expect([decision.effect, replaced]).toEqual(['allow', undefined]);
  });
});

function failingAfter(calls: number, inspect: MonitorDeps['inspect']): MonitorDeps['inspect'] {
  let count = 0;
  return (...args) => (count++ < calls ? inspect(...args) : Promise.reject(new IntramurError('INSPECT_FAILED', 'x')));
}

function refusingAfter(calls: number, inspect: MonitorDeps['inspect']): MonitorDeps['inspect'] {
  let count = 0;
  return async (...args) => {
    const report = await inspect(...args);
    return count++ < calls ? report : { ...report, refused: { code: 'INSPECT_LIMIT', reason: 'x' } };
  };
}
