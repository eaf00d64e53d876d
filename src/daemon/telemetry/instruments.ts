// The client metrics of the semantic conventions for generative AI, and the refusals. Cumulative since the start of the process.
import { type OtlpValue, otlpAttributes, otlpTime, product } from '../../core/index.ts';
import type { ObservedCall } from './call.ts';

/** Bounds that the conventions advise. */
const tokenBounds = [1, 4, 16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216, 67_108_864];
const secondBounds = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];

/** Names of models come from callers where the map keeps them, so the rows are bounded; what is beyond is counted without its name. */
const maxRows = 500;

type Attributes = readonly (readonly [string, OtlpValue])[];

interface Row {
  readonly attributes: Attributes;
  readonly buckets: number[];
  count: number;
  sum: number;
}

class Histogram {
  readonly #bounds: readonly number[];
  readonly #rows = new Map<string, Row>();

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
  }

  record(value: number, attributes: Attributes): void {
    const row = this.#rowFor(attributes);
    row.count++;
    row.sum += value;
    const bucket = this.#bounds.findIndex((bound) => value <= bound);
    const at = bucket < 0 ? this.#bounds.length : bucket;
    row.buckets[at] = (row.buckets[at] ?? 0) + 1;
  }

  #rowFor(attributes: Attributes): Row {
    const key = JSON.stringify(attributes);
    const known = this.#rows.get(key);
    if (known) return known;
    const named = attributes.some(([name]) => name === modelName);
    if (this.#rows.size >= maxRows && named) return this.#rowFor(attributes.filter(([name]) => name !== modelName));
    const row: Row = { attributes, buckets: new Array<number>(this.#bounds.length + 1).fill(0), count: 0, sum: 0 };
    this.#rows.set(key, row);
    return row;
  }

  points(startTime: string, time: string): object[] {
    return [...this.#rows.values()].map(({ attributes, buckets, count, sum }) => ({
      attributes: otlpAttributes(attributes),
      startTimeUnixNano: startTime,
      timeUnixNano: time,
      count: String(count),
      sum,
      bucketCounts: buckets.map(String),
      explicitBounds: this.#bounds,
    }));
  }
}

const modelName = 'gen_ai.request.model';
const cumulative = 2;

export interface Instruments {
  record(call: ObservedCall): void;
  /** Metrics in the OTLP JSON encoding. */
  metrics(nowMs: number): object[];
}

export function createInstruments(startedAt: number, providerName: (id: string) => string, dropped: () => number): Instruments {
  const tokens = new Histogram(tokenBounds);
  const seconds = new Histogram(secondBounds);
  const refusals = new Map<string, number>();
  return {
    record(call) {
      if (call.decision === 'deny') {
        const by = call.policies[0] ?? call.errorType ?? 'fault';
        refusals.set(by, (refusals.get(by) ?? 0) + 1);
        return;
      }
      if (!call.target) return;
      const common: Attributes = [
        ['gen_ai.operation.name', 'chat'],
        ['gen_ai.provider.name', providerName(call.target.provider)],
        [modelName, call.target.model],
      ];
      seconds.record((call.endedAt - call.startedAt) / 1000, [...common, ['error.type', call.errorType]]);
      for (const [type, count] of [
        ['input', call.inputTokens],
        ['output', call.outputTokens],
      ] as const)
        if (count !== undefined) tokens.record(count, [...common, ['gen_ai.token.type', type]]);
    },
    metrics(nowMs) {
      const [start, time] = [otlpTime(startedAt), otlpTime(nowMs)];
      const sum = (name: string, points: readonly (readonly [Attributes, number])[]): object => ({
        name: `${product.name}.${name}`,
        unit: '1',
        sum: {
          aggregationTemporality: cumulative,
          isMonotonic: true,
          dataPoints: points.map(([attributes, value]) => ({
            attributes: otlpAttributes(attributes),
            startTimeUnixNano: start,
            timeUnixNano: time,
            asInt: String(value),
          })),
        },
      });
      const histogram = (name: string, unit: string, of: Histogram): object => ({
        name,
        unit,
        histogram: { aggregationTemporality: cumulative, dataPoints: of.points(start, time) },
      });
      return [
        histogram('gen_ai.client.token.usage', '{token}', tokens),
        histogram('gen_ai.client.operation.duration', 's', seconds),
        sum(
          'refusals',
          [...refusals].map(([policy, count]) => [[[`${product.name}.policy`, policy]], count] as const),
        ),
        sum('telemetry.dropped', [[[], dropped()]]),
      ];
    },
  };
}
