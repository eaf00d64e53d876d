import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Classification, EntryBody, Perimeter, Request } from '../../core/index.ts';
import type { Recorded } from '../../monitor/index.ts';
import type { Mediation } from '../mediation.ts';
import type { ObservedCall } from './call.ts';
import { type Collector, type CollectorOptions, createCollector } from './collector.ts';
import { observed } from './observe.ts';

afterEach(() => {
  vi.useRealTimers();
});

const call: ObservedCall = {
  startedAt: 1_700_000_000_000,
  endedAt: 1_700_000_001_500,
  principal: { session: 's1', agent: 'codex', purpose: 'research' },
  requestedModel: 'coder',
  target: { provider: 'vllm', model: 'qwen3', perimeter: 'onprem' },
  classification: 'internal',
  decision: 'allow',
  policies: ['baseline.model'],
  ledgerIndex: 7,
  status: 200,
  inputTokens: 1000,
  outputTokens: 20,
};

interface Sent {
  readonly path: string;
  readonly body: ReturnType<typeof JSON.parse>;
}

function collecting(options: Partial<CollectorOptions> = {}): { collector: Collector; sent: Sent[] } {
  vi.useFakeTimers({ now: 1_700_000_002_000 });
  const sent: Sent[] = [];
  const collector = createCollector({
    perimeter: 'onprem',
    post: async (path, body) => {
      sent.push({ path, body: JSON.parse(Buffer.from(body).toString()) });
      return 200;
    },
    providerName: (id) => `name of ${id}`,
    nowMs: Date.now,
    ...options,
  });
  return { collector, sent };
}

const spansIn = (sent: readonly Sent[]): ReturnType<typeof JSON.parse>[] =>
  sent.filter(({ path }) => path === '/v1/traces').flatMap(({ body }) => body.resourceSpans[0].scopeSpans[0].spans);
const attributesOf = (of: { attributes: { key: string; value: Record<string, unknown> }[] }): Record<string, unknown> =>
  Object.fromEntries(of.attributes.map(({ key, value }) => [key, Object.values(value)[0]]));

describe('a collector', () => {
  it('gets a span in the words of the conventions, and metrics', async () => {
    const { collector, sent } = collecting();
    collector.tell(call);
    collector.tell({ ...call, decision: 'deny', policies: ['baseline.secret-to-model'], errorType: 'POLICY' });
    await vi.advanceTimersByTimeAsync(60_000);
    const [span, refused] = spansIn(sent);
    expect(span).toMatchObject({
      name: 'chat qwen3',
      kind: 3,
      traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
      spanId: expect.stringMatching(/^[0-9a-f]{16}$/),
      startTimeUnixNano: '1700000000000000000',
      endTimeUnixNano: '1700000001500000000',
      status: {},
    });
    expect(attributesOf(span)).toMatchObject({
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'name of vllm',
      'gen_ai.request.model': 'qwen3',
      'gen_ai.usage.input_tokens': '1000',
      'gen_ai.usage.output_tokens': '20',
      'gen_ai.conversation.id': 's1',
      'intramur.decision': 'allow',
      'intramur.ledger.index': '7',
    });
    expect([refused.status, attributesOf(refused)['error.type']]).toEqual([{ code: 2 }, 'POLICY']);
    const { metrics } = sent.findLast(({ path }) => path === '/v1/metrics')?.body.resourceMetrics[0].scopeMetrics[0] ?? {};
    const [tokens, duration, refusals] = metrics;
    expect([tokens.name, duration.name, refusals.name]).toEqual([
      'gen_ai.client.token.usage',
      'gen_ai.client.operation.duration',
      'intramur.refusals',
    ]);
    expect(tokens.histogram.dataPoints.map((point: never) => [attributesOf(point)['gen_ai.token.type'], point['sum']])).toEqual([
      ['input', 1000],
      ['output', 20],
    ]);
    const [point] = duration.histogram.dataPoints;
    expect([point.count, point.sum, point.bucketCounts.length, point.bucketCounts[8]]).toEqual([
      '1',
      1.5,
      point.explicitBounds.length + 1,
      '1',
    ]);
    expect(refusals.sum.dataPoints).toEqual([expect.objectContaining({ asInt: '1' })]);
    await collector.close(0);
  });

  it.each<[Perimeter, Classification | undefined, number]>([
    ['onprem', 'restricted', 1],
    ['onprem', undefined, 1],
    ['vpc', 'confidential', 1],
    ['vpc', 'restricted', 0],
    ['public', 'internal', 1],
    ['public', 'confidential', 0],
    ['public', undefined, 0],
  ])('in the perimeter %s hears of %s data: %d', async (perimeter, classification, count) => {
    const { classification: _, ...rest } = call;
    const { collector, sent } = collecting({ perimeter });
    collector.tell(classification ? { ...rest, classification } : rest);
    await vi.advanceTimersByTimeAsync(60_000);
    expect([spansIn(sent).length, sent.filter(({ path }) => path === '/v1/metrics').length]).toEqual([count, count]);
    await collector.close(0);
  });

  it('that is dead holds nobody up and costs bounded memory; what was dropped is counted, and said when it lives again', async () => {
    let isDead = true;
    const sent: Sent[] = [];
    const { collector } = collecting({
      limits: { maxQueued: 10, maxTries: 1000 },
      post: async (path, body) => {
        if (isDead) throw new Error('ECONNREFUSED');
        sent.push({ path, body: JSON.parse(Buffer.from(body).toString()) });
        return 200;
      },
    });
    for (let i = 0; i < 25; i++) collector.tell({ ...call, ledgerIndex: i });
    await vi.advanceTimersByTimeAsync(20_000);
    expect([collector.dropped, sent]).toEqual([15, []]);
    isDead = false;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(spansIn(sent).map((span) => attributesOf(span)['intramur.ledger.index'])).toEqual(
      Array.from({ length: 10 }, (_, i) => String(i)),
    );
    const { metrics } = sent.findLast(({ path }) => path === '/v1/metrics')?.body.resourceMetrics[0].scopeMetrics[0] ?? {};
    expect(metrics.at(-1).sum.dataPoints[0].asInt).toBe('15');
    await collector.close(0);
  });

  it.each([
    [503, 3],
    [400, 1],
  ])('that answers %d is tried %d times with the same spans', async (status, tries) => {
    let count = 0;
    const { collector } = collecting({
      limits: { maxTries: 3 },
      post: async (path) => {
        if (path === '/v1/traces') count++;
        return status;
      },
    });
    collector.tell(call);
    await vi.advanceTimersByTimeAsync(100_000);
    expect([count, collector.dropped]).toEqual([tries, 1]);
    await collector.close(0);
  });

  it('that never answers is given up when the daemon stops, within its limit', async () => {
    const { collector } = collecting({ post: () => new Promise(() => {}) });
    collector.tell(call);
    const closed = collector.close(500);
    await vi.advanceTimersByTimeAsync(500);
    await closed;
    expect(collector.dropped).toBe(0);
  });
});

describe('a model call that is watched', () => {
  const request = {
    principal: {
      session: 's1',
      user: 'alice',
      agent: 'codex',
      vetting: 'vetted',
      purpose: 'research',
      classification: 'internal',
      via: 'sandbox',
    },
    act: {
      action: 'llm.invoke',
      class: 'model',
      dialect: 'openai-chat',
      host: 'h',
      port: 1,
      method: 'POST',
      path: '/secret-path',
      requestedModel: 'coder',
      targets: [],
    },
  } satisfies Request;
  const body = { bytes: Buffer.from('a secret prompt'), contentType: '', views: ['a secret header'] };
  const allowed: Recorded = {
    decision: { effect: 'allow', route: { kind: 'direct' }, policies: ['p'] },
    report: undefined,
    entry: { index: 3 },
    classification: 'internal',
  };

  function watched(recorded: Recorded): { mediation: Mediation; told: ObservedCall[]; outcomes: Partial<EntryBody>[] } {
    const told: ObservedCall[] = [];
    const outcomes: Partial<EntryBody>[] = [];
    const plain: Mediation = {
      mediate: async () => recorded,
      recordRefusal: async () => recorded,
      recordOutcome: async (_of, outcome) => void outcomes.push(outcome),
      recordMissed: async () => {},
      settled: async () => {},
      finish: async () => {},
    };
    return { mediation: observed(plain, { tell: (one) => told.push(one) }, () => 1000), told, outcomes };
  }

  it('is told when its outcome is recorded, without a word of its content', async () => {
    const { mediation, told, outcomes } = watched(allowed);
    expect(await mediation.mediate(request, body)).toBe(allowed);
    expect(told).toEqual([]);
    const outcome = {
      provider: 'vllm',
      perimeter: 'onprem',
      status: 200,
      detail: { model: 'qwen3', ms: 40, inputTokens: 5, outputTokens: 6 },
    } as const;
    await mediation.recordOutcome(3, outcome);
    expect([outcomes, told.length, told[0]?.endedAt, told[0]?.target?.model, told[0]?.outputTokens]).toEqual([
      [outcome],
      1,
      1040,
      'qwen3',
      6,
    ]);
    expect(JSON.stringify(told)).not.toMatch(/a secret|secret-path/);
    await mediation.recordOutcome(3, outcome);
    expect(told.length).toBe(1);
  });

  it('is told at once when it was refused', async () => {
    const { mediation, told } = watched({
      decision: { effect: 'deny', reason: { code: 'POLICY', text: 'a secret reason' }, policies: ['p'] },
      report: undefined,
      entry: { index: 4 },
    });
    await mediation.mediate(request, body);
    expect(told).toMatchObject([{ decision: 'deny', errorType: 'POLICY', ledgerIndex: 4 }]);
    expect(JSON.stringify(told)).not.toContain('a secret');
  });
});
