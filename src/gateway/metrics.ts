// Counters of the gateway in the Prometheus text format (version 0.0.4). Labels are taken from the configuration and from fixed
// words only, so that no caller can make the list grow; nothing of a payload is in it.
import type { Perimeter } from '../core/index.ts';
import type { Usage } from '../wire/index.ts';

export interface Settled {
  readonly provider: string;
  readonly perimeter: Perimeter;
  readonly status: number;
  readonly usage: Usage | undefined;
  readonly bytesOut: number;
  readonly bytesIn: number;
  readonly ms: number;
}

export interface Metrics {
  settled(call: Settled): void;
  /** `why`: policy, budget, fault or overload. */
  refused(why: string): void;
  text(): string;
}

/** Upper bounds in seconds: a short answer, a long one, a very long one. */
const bounds = [0.1, 0.5, 1, 5, 15, 60, 300];

export function createMetrics(product: string, callsUnderWay: () => number): Metrics {
  // Numbers while calls come, text only when somebody asks.
  const served = new Map<string, Served>();
  const refusals = new Map<string, number>();
  return {
    settled({ provider, perimeter, status, usage, bytesOut, bytesIn, ms }) {
      const name = `${perimeter} ${provider}`;
      const own = served.get(name) ?? nothingServed(provider, perimeter);
      if (own.calls === 0) served.set(name, own);
      own.calls += 1;
      own.byStatus.set(status, (own.byStatus.get(status) ?? 0) + 1);
      own.bytesOut += bytesOut;
      own.bytesIn += bytesIn;
      if (usage) {
        own.tokens ??= { input: 0, output: 0, cached: 0 };
        own.tokens.input += usage.inputTokens;
        own.tokens.output += usage.outputTokens;
        own.tokens.cached += usage.cachedTokens;
      }
      const seconds = ms / 1000;
      own.seconds += seconds;
      for (let i = bounds.length - 1; i >= 0 && seconds <= (bounds[i] ?? 0); i--) own.buckets[i] = (own.buckets[i] ?? 0) + 1;
    },
    refused: (why) => void refusals.set(why, (refusals.get(why) ?? 0) + 1),
    text() {
      const all = [...served.values()];
      const lines = [`# TYPE ${product}_calls_under_way gauge`, `${product}_calls_under_way ${callsUnderWay()}`];
      const family = (name: string, type: string, rows: readonly string[]): void => {
        if (rows.length > 0) lines.push(`# TYPE ${product}_${name} ${type}`, ...rows.map((row) => `${product}_${row}`));
      };
      family('calls_total', 'counter', all.flatMap(callRows));
      family(
        'refusals_total',
        'counter',
        [...refusals].map(([why, count]) => `refusals_total{why="${why}"} ${count}`),
      );
      family('bytes_total', 'counter', all.flatMap(byteRows));
      family('tokens_total', 'counter', all.flatMap(tokenRows));
      family('call_seconds', 'histogram', [
        ...all.flatMap(bucketRows),
        ...all.map(({ where, seconds }) => `call_seconds_sum{${where}} ${seconds}`),
        ...all.map(({ where, calls }) => `call_seconds_count{${where}} ${calls}`),
      ]);
      return `${lines.join('\n')}\n`;
    },
  };
}

/** What one provider did. */
interface Served {
  /** Its labels. */
  readonly where: string;
  calls: number;
  readonly byStatus: Map<number, number>;
  bytesOut: number;
  bytesIn: number;
  /** Left out until an answer told its tokens. */
  tokens: { input: number; output: number; cached: number } | undefined;
  seconds: number;
  /** For each of `bounds` the calls that took no longer. */
  readonly buckets: number[];
}

function nothingServed(provider: string, perimeter: Perimeter): Served {
  const where = `provider="${provider}",perimeter="${perimeter}"`;
  return { where, calls: 0, byStatus: new Map(), bytesOut: 0, bytesIn: 0, tokens: undefined, seconds: 0, buckets: bounds.map(() => 0) };
}

function callRows({ where, byStatus }: Served): string[] {
  return [...byStatus].map(([status, count]) => `calls_total{${where},status="${status}"} ${count}`);
}

function byteRows({ where, bytesOut, bytesIn }: Served): string[] {
  return [`bytes_total{${where},direction="out"} ${bytesOut}`, `bytes_total{${where},direction="in"} ${bytesIn}`];
}

function tokenRows({ where, tokens }: Served): string[] {
  return tokens ? Object.entries(tokens).map(([type, count]) => `tokens_total{${where},type="${type}"} ${count}`) : [];
}

function bucketRows({ where, buckets, calls }: Served): string[] {
  return [
    ...bounds.map((bound, i) => `call_seconds_bucket{${where},le="${bound}"} ${buckets[i] ?? 0}`),
    `call_seconds_bucket{${where},le="+Inf"} ${calls}`,
  ];
}
