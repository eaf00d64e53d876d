// Spans and metrics on their way to a collector. INVARIANT: whoever tells of a call never waits: the queue is bounded, what does not fit is
// dropped and counted, and a collector that is dead or slow is tried again later by itself.
import { type Perimeter, product, version } from '../../core/index.ts';
import { mayBeTold, type ObservedCall } from './call.ts';
import { createInstruments } from './instruments.ts';
import { spanOf } from './span.ts';

export interface CollectorOptions {
  readonly perimeter: Perimeter;
  /** Sends one body below the collector's address. The status of the answer; rejects when there was none. */
  post(path: '/v1/traces' | '/v1/metrics', body: Uint8Array): Promise<number>;
  providerName(id: string): string;
  nowMs(): number;
  readonly limits?: Partial<CollectorLimits>;
}

export interface CollectorLimits {
  readonly maxQueued: number;
  readonly maxBatch: number;
  readonly traceEveryMs: number;
  readonly metricsEveryMs: number;
  /** How often a batch is tried that was not taken. */
  readonly maxTries: number;
}

const defaults: CollectorLimits = { maxQueued: 2048, maxBatch: 512, traceEveryMs: 5000, metricsEveryMs: 60_000, maxTries: 5 };

export interface Collector {
  tell(call: ObservedCall): void;
  /** Spans that were not delivered and never will be. */
  readonly dropped: number;
  /** Tries once more to deliver what waits, for so long at most. */
  close(limitMs: number): Promise<void>;
}

/** OTLP/HTTP: these mean "later"; any other status means that the same body would be refused again. */
const later: ReadonlySet<number> = new Set([429, 502, 503, 504]);

export function createCollector({ perimeter, post, providerName, nowMs, ...options }: CollectorOptions): Collector {
  const limits = { ...defaults, ...options.limits };
  let queue: object[] = [];
  let dropped = 0;
  let tries = 0;
  let delivering: Promise<void> | undefined;
  let hasChanged = false;
  const instruments = createInstruments(nowMs(), providerName, () => dropped);

  const deliver = async (path: '/v1/traces' | '/v1/metrics', body: object): Promise<'taken' | 'later' | 'never'> => {
    try {
      const status = await post(path, Buffer.from(JSON.stringify(body)));
      if (status >= 200 && status < 300) return 'taken';
      return later.has(status) ? 'later' : 'never';
    } catch {
      return 'later';
    }
  };

  const sendSpans = async (): Promise<void> => {
    while (queue.length > 0) {
      const batch = queue.slice(0, limits.maxBatch);
      queue = queue.slice(batch.length);
      const outcome = await deliver('/v1/traces', { resourceSpans: [{ resource, scopeSpans: [{ scope, spans: batch }] }] });
      if (outcome === 'taken') {
        tries = 0;
        continue;
      }
      tries = outcome === 'never' ? limits.maxTries : tries + 1;
      if (tries < limits.maxTries) {
        // Back in front, as far as there is room: what came meanwhile is newer.
        const room = Math.max(0, limits.maxQueued - queue.length);
        dropped += Math.max(0, batch.length - room);
        queue = [...(room > 0 ? batch.slice(-room) : []), ...queue];
      } else {
        dropped += batch.length;
        tries = 0;
      }
      return;
    }
  };

  const sendMetrics = async (): Promise<void> => {
    if (!hasChanged) return;
    hasChanged = false;
    const metrics = instruments.metrics(nowMs());
    const outcome = await deliver('/v1/metrics', { resourceMetrics: [{ resource, scopeMetrics: [{ scope, metrics }] }] });
    // Cumulative: the next report says everything that this one would have said.
    if (outcome !== 'taken') hasChanged = true;
  };

  /** One delivery at a time. */
  const run = (step: () => Promise<void>): Promise<void> => {
    delivering ??= step().finally(() => {
      delivering = undefined;
    });
    return delivering;
  };
  const timers = [
    setInterval(() => void run(sendSpans), limits.traceEveryMs).unref(),
    setInterval(() => void run(sendMetrics), limits.metricsEveryMs).unref(),
  ];

  return {
    tell(call) {
      if (!mayBeTold(perimeter, call)) return;
      hasChanged = true;
      instruments.record(call);
      if (queue.length >= limits.maxQueued) {
        dropped++;
        return;
      }
      queue.push(spanOf(call, providerName));
    },
    get dropped() {
      return dropped;
    },
    async close(limitMs) {
      for (const timer of timers) clearInterval(timer);
      const { promise: late, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, limitMs);
      const rest = async (): Promise<void> => {
        await delivering;
        await run(sendSpans);
        await run(sendMetrics);
      };
      await Promise.race([rest(), late]);
      clearTimeout(timer);
      dropped += queue.length;
      queue = [];
    },
  };
}

const resource = {
  attributes: [
    { key: 'service.name', value: { stringValue: product.name } },
    { key: 'service.version', value: { stringValue: version } },
  ],
};
const scope = { name: `${product.name}.gateway`, version };
