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
  const counters = new Map<string, Map<string, number>>();
  const add = (name: string, labels: string, more: number): void => {
    const rows = counters.get(name) ?? new Map<string, number>();
    counters.set(name, rows);
    rows.set(labels, (rows.get(labels) ?? 0) + more);
  };
  return {
    settled({ provider, perimeter, status, usage, bytesOut, bytesIn, ms }) {
      const where = `provider="${provider}",perimeter="${perimeter}"`;
      add('calls_total', `${where},status="${status}"`, 1);
      add('bytes_total', `${where},direction="out"`, bytesOut);
      add('bytes_total', `${where},direction="in"`, bytesIn);
      if (usage) {
        add('tokens_total', `${where},type="input"`, usage.inputTokens);
        add('tokens_total', `${where},type="output"`, usage.outputTokens);
        add('tokens_total', `${where},type="cached"`, usage.cachedTokens);
      }
      const seconds = ms / 1000;
      for (const bound of bounds) if (seconds <= bound) add('call_seconds_bucket', `${where},le="${bound}"`, 1);
      add('call_seconds_bucket', `${where},le="+Inf"`, 1);
      add('call_seconds_sum', where, seconds);
      add('call_seconds_count', where, 1);
    },
    refused: (why) => add('refusals_total', `why="${why}"`, 1),
    text() {
      const lines = [`# TYPE ${product}_calls_under_way gauge`, `${product}_calls_under_way ${callsUnderWay()}`];
      for (const { name, type, parts } of families) {
        if (!parts.some((part) => counters.has(part))) continue;
        lines.push(`# TYPE ${product}_${name} ${type}`);
        for (const part of parts)
          for (const [labels, value] of counters.get(part) ?? []) lines.push(`${product}_${part}{${labels}} ${value}`);
      }
      return `${lines.join('\n')}\n`;
    },
  };
}

const families = [
  { name: 'calls_total', type: 'counter', parts: ['calls_total'] },
  { name: 'refusals_total', type: 'counter', parts: ['refusals_total'] },
  { name: 'bytes_total', type: 'counter', parts: ['bytes_total'] },
  { name: 'tokens_total', type: 'counter', parts: ['tokens_total'] },
  { name: 'call_seconds', type: 'histogram', parts: ['call_seconds_bucket', 'call_seconds_sum', 'call_seconds_count'] },
] as const;
