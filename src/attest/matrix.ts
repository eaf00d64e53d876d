// All runs against one reference run: where they differ once what is openly stated is set aside, place by place.
import type { EgressClass } from '../core/index.ts';
import type { Factor } from './factors.ts';
import { type Observation, observe, type Place } from './observe.ts';
import type { RunRecord } from './record.ts';
import { type SetBack, setBackOf } from './set-back.ts';
import { Explainer, type Residual } from './stated.ts';
import { countTokens, differences } from './tokens.ts';

/** One position in one place. */
export interface Slot {
  readonly where: string;
  readonly channel: 'value' | 'wire';
  readonly ref: string;
  /** The whole line at the reference and in the first run that differs. */
  readonly lines: Quote;
  /** Characters of the line at the reference that it stands for. */
  readonly span: Span;
  /** Runs that lack the place or in which it follows from something else: they say nothing about it, neither way. */
  readonly absent: ReadonlySet<number>;
  /** Runs whose line states something else: where they do not show the difference, it may have been covered up. */
  readonly restated: ReadonlySet<number>;
  /** Where runs of the base differ among themselves, in this line. */
  readonly unsettled: readonly Span[];
  /** By run: what stands there instead. Any other run that is not absent has the reference's. */
  readonly values: Map<number, { readonly ref: readonly string[]; readonly run: readonly string[] }>;
}

export interface Span {
  readonly from: number;
  readonly to: number;
}

/** A line as it was sent, in the reference run and in another. */
export interface Quote {
  readonly reference: string;
  readonly varied: string;
}

export interface Disclosure {
  readonly what: Factor;
  readonly where: string;
  readonly to: EgressClass;
  /** The line that states it; it holds what differs from run to run. */
  readonly quote?: string;
}

export interface Matrix {
  readonly runs: readonly RunRecord[];
  readonly slots: ReadonlyMap<string, Slot>;
  /** By quantity: one value for each run that has it. */
  readonly quantities: ReadonlyMap<
    string,
    { readonly where: string; readonly channel: 'timing' | 'wire'; readonly least: number; readonly values: ReadonlyMap<number, number> }
  >;
  readonly disclosures: readonly Disclosure[];
  readonly tokensCompared: number;
}

/** All runs of an attestation against a reference, which has every factor at its base. Runs are added as they come. */
export class Comparison implements Matrix {
  readonly slots = new Map<string, Slot>();
  readonly #absent = new Map<string, Set<number>>();
  readonly #lines = new Map<string, Line>();
  readonly #runs: RunRecord[] = [];
  readonly #observations: Observation[] = [];
  readonly #disclosures = new Map<string, Disclosure>();

  constructor(reference: RunRecord) {
    this.#runs.push(reference);
    this.#observations.push(observe(reference));
  }

  add(run: RunRecord): void {
    const [reference] = this.#runs;
    const [ref] = this.#observations;
    if (reference === undefined || ref === undefined) return;
    const observation = observe(run);
    const i = this.#runs.push(run) - 1;
    this.#observations.push(observation);
    const setBack = setBackOf(run);
    const explainer = new Explainer(reference, setBack.run, run);
    const isProxied = run.assignment.proxy !== undefined;
    for (const key of new Set([...ref.places.keys(), ...observation.places.keys()])) {
      // Which connections are made follows from the proxy openly: the proxy itself sees it.
      const isTraffic = (ref.places.get(key) ?? observation.places.get(key))?.request === '';
      const absent = this.#absent.get(key) ?? new Set();
      this.#absent.set(key, absent);
      if (isProxied && isTraffic) absent.add(i);
      else
        comparePlace(i, key, ref, observation, explainer, {
          slots: this.slots,
          setBack,
          lines: this.#lines,
          disclosures: this.#disclosures,
          absent,
        });
    }
  }

  get runs(): readonly RunRecord[] {
    return this.#runs;
  }

  get quantities(): Matrix['quantities'] {
    return quantitiesOf(this.#observations);
  }

  get disclosures(): readonly Disclosure[] {
    return [...this.#disclosures.values()];
  }

  /** Of the values of the reference's model requests. */
  get tokensCompared(): number {
    const compared = [...(this.#observations[0]?.places.values() ?? [])].filter(({ to, channel }) => to === 'model' && channel === 'value');
    return compared.reduce((sum, place) => sum + countTokens(place.text), 0);
  }
}

/** What is known of one line of a place beside its slots. */
interface Line {
  readonly restated: Set<number>;
  readonly unsettled: Span[];
}

interface Into {
  readonly setBack: SetBack;
  readonly slots: Map<string, Slot>;
  readonly lines: Map<string, Line>;
  readonly disclosures: Map<string, Disclosure>;
  /** Of this place. */
  readonly absent: Set<number>;
}

function comparePlace(i: number, key: string, ref: Observation, observation: Observation, explainer: Explainer, into: Into): void {
  const { slots, lines, disclosures, absent, setBack } = into;
  const before = ref.places.get(key);
  const sent = observation.places.get(key);
  const after = sent && { ...sent, text: setBack.text(sent.text) };
  const place = before ?? after;
  if (place === undefined) return;
  const state = (factor: Factor, line: string): void => {
    const key = `${factor} ${place.where}`;
    if (!disclosures.has(key)) disclosures.set(key, { what: factor, where: place.where, to: place.to, quote: excerpt(line) });
  };
  if (sent && sent.text !== after?.text) state('date', datedLine(sent.text, setBack));
  if (before?.text === after?.text) return;
  // A request that only one of the runs made is one difference (its count), not one for each of its values.
  if (place.request !== '' && !(ref.requests.has(place.request) && observation.requests.has(place.request))) {
    absent.add(i);
    return;
  }
  const lineOf = (at: number | 'there'): Line => {
    const line = lines.get(`${key}\u0000${at}`) ?? { restated: new Set(), unsettled: [] };
    lines.set(`${key}\u0000${at}`, line);
    return line;
  };
  const put = (line: number | 'there', residual: Residual, quote: Quote): void => {
    const slotKey = `${key}\u0000${line}:${residual.at}`;
    const { where, channel } = place;
    const ref = residual.ref.join('');
    const span = { from: residual.at, to: residual.at + ref.length };
    const known = slots.get(slotKey);
    const slot: Slot = known ?? { where, channel, ref, span, lines: quote, absent, ...lineOf(line), values: new Map() };
    slot.values.set(i, residual);
    slots.set(slotKey, slot);
    if (explainer.isBase) lineOf(line).unsettled.push(span);
  };
  if (before === undefined || after === undefined) {
    const { residuals, stated, shown } = explainer.explain(before?.text ?? '', after?.text ?? '');
    for (const factor of shown) state(factor, after?.text ?? before?.text ?? '');
    const residual = { at: 0, ref: before === undefined ? [] : ['present'], run: after === undefined ? [] : ['present'] };
    const quote = { reference: excerpt(before?.text ?? ''), varied: excerpt(after?.text ?? '') };
    if (residuals.length > 0 || stated.size === 0) put('there', residual, quote);
    return;
  }
  if (place.compared !== undefined) {
    const isOrder = place.compared === 'order';
    const [a, b] = isOrder ? [common(before.text, after.text), common(after.text, before.text)] : [before.text, after.text];
    if (a !== b) put(0, { at: 0, ref: [a], run: [b] }, { reference: excerpt(a), varied: excerpt(b) });
    return;
  }
  for (const [line, a, b] of changedLines(before, after)) {
    const { residuals, stated, shown } = explainer.explain(a, b);
    for (const factor of shown) state(factor, b);
    if (stated.size > 0) lineOf(line).restated.add(i);
    for (const residual of residuals) {
      put(line, residual, { reference: excerpt(a, residual.at), varied: excerpt(b, residual.at) });
    }
  }
}

function datedLine(text: string, setBack: SetBack): string {
  return text.split('\n').find((line) => setBack.text(line) !== line) ?? text;
}

/** Of a list of words those that the other list has too, whatever their case. */
function common(list: string, other: string): string {
  const words = new Set(other.toLowerCase().split(' '));
  return list
    .split(' ')
    .filter((word) => words.has(word.toLowerCase()))
    .join(' ');
}

const excerptLength = 240;

/** At most so much of a line that a person sees what is meant, around the position that matters. */
export function excerpt(line: string, at = 0): string {
  const first = line.split('\n').find((part) => part !== '') ?? '';
  if (line.length <= excerptLength) return line.includes('\n') ? first : line;
  const start = Math.max(0, Math.min(at - excerptLength / 2, line.length - excerptLength));
  return `${start > 0 ? '…' : ''}${line.slice(start, start + excerptLength)}…`;
}

/** Lines that differ, with their number in the reference; lines that one side lacks are empty there. */
function* changedLines(before: Place, after: Place): Generator<[number, string, string]> {
  const a = before.text.split('\n');
  const b = after.text.split('\n');
  for (const { aStart, aEnd, bStart, bEnd } of differences(a, b)) {
    const rows = Math.max(aEnd - aStart, bEnd - bStart);
    for (let row = 0; row < rows; row += 1) {
      yield [aStart + row, aStart + row < aEnd ? (a[aStart + row] ?? '') : '', bStart + row < bEnd ? (b[bStart + row] ?? '') : ''];
    }
  }
}

function quantitiesOf(observations: readonly Observation[]): Matrix['quantities'] {
  const all = new Map<string, { where: string; channel: 'timing' | 'wire'; least: number; values: Map<number, number> }>();
  for (const [i, { quantities }] of observations.entries()) {
    for (const [key, { where, channel, least, value }] of quantities) {
      const known = all.get(key) ?? { where, channel, least, values: new Map<number, number>() };
      known.values.set(i, value);
      all.set(key, known);
    }
  }
  return all;
}
