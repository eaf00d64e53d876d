// What an agent sends besides its model calls: to whom, how much, and which of its surroundings it states there.
import type { EgressClass } from '../core/index.ts';
import { factors, levelOf } from './factors.ts';
import { type Disclosure, excerpt } from './matrix.ts';
import { bodyText, hostOf, pathOf, plainPath } from './observe.ts';
import type { RunRecord } from './record.ts';
import { quantile } from './statistics.ts';

export interface SideChannel {
  readonly host: string;
  readonly class: EgressClass;
  /** Of a typical run. */
  readonly requests: number;
  readonly bytes: number;
}

/** Hosts that more than half of the runs talk to, so that the list is the same from time to time. */
export function sideChannelsOf(runs: readonly RunRecord[]): SideChannel[] {
  const seen = new Map<string, { host: string; class: EgressClass; runs: Map<RunRecord, { requests: number; bytes: number }> }>();
  for (const run of runs) {
    for (const request of run.requests) {
      if (request.class === 'model') continue;
      const host = hostOf(request, run);
      const known = seen.get(`${host} ${request.class}`) ?? { host, class: request.class, runs: new Map() };
      const sum = known.runs.get(run) ?? { requests: 0, bytes: 0 };
      known.runs.set(run, { requests: sum.requests + 1, bytes: sum.bytes + request.body.length });
      seen.set(`${host} ${request.class}`, known);
    }
  }
  return [...seen.values()]
    .filter((channel) => channel.runs.size * 2 > runs.length)
    .map((channel) => ({
      host: channel.host,
      class: channel.class,
      requests: quantile(
        [...channel.runs.values()].map(({ requests }) => requests),
        0.5,
      ),
      bytes: quantile(
        [...channel.runs.values()].map(({ bytes }) => bytes),
        0.5,
      ),
    }))
    .toSorted((a, b) => (`${a.class} ${a.host}` < `${b.class} ${b.host}` ? -1 : 1));
}

/** Values that are too common as words to be recognised by themselves. */
const leastLength = 6;

/** @param value stands in `text` */
function around(text: string, value: string): string {
  const at = text.indexOf(value);
  const start = text.lastIndexOf('\n', at) + 1;
  const end = text.indexOf('\n', at);
  return excerpt(text.slice(start, end < 0 ? undefined : end), at - start);
}

/** Values of the surroundings that stand, as they are, in any request of any run. */
export function statedToOthers(runs: readonly RunRecord[]): Disclosure[] {
  const found = new Map<string, Disclosure>();
  for (const run of runs) {
    for (const request of run.requests) {
      const text = `${request.target}\n${request.rawHeaders.join('\n')}\n${bodyText(request)}`;
      for (const what of factors) {
        if (what === 'timezone' || what === 'locale') continue;
        const values = run.stated[what] ?? levelOf(what, run.assignment).stated;
        const value = values.find((value) => value.length >= leastLength && text.includes(value));
        if (value === undefined) continue;
        const side = `${request.method} ${hostOf(request, run)} ${plainPath(pathOf(request))}`;
        const where = request.class === 'model' ? `${request.method} ${pathOf(request)}` : side;
        const key = `${what} ${where}`;
        if (!found.has(key)) found.set(key, { what, where, to: request.class, quote: around(text, value) });
      }
    }
  }
  return [...found.values()];
}
