// Which differences follow which factor. A place that is the same in all runs of the base, different in all runs of a varied value, and
// never sometimes this and sometimes that, follows that factor. A place that varies by itself is looked at for a bias instead, and times
// for a shift. Anything that rests on few runs is a suspicion, which more runs confirm or clear.
import { type Assignment, type Factor, keyOf, variedIn } from './factors.ts';
import type { Matrix, Quote, Slot } from './matrix.ts';
import { fisher, quantile, separation } from './statistics.ts';

export type Channel = 'value' | 'wire' | 'statistical' | 'timing';

export interface Covert {
  readonly where: string;
  readonly channel: Channel;
  /** 1 minus the chance that ordinary randomness does the same, corrected for the number of places looked at where that counts. */
  readonly confidence: number;
  /** What stands at the reference and what stands instead, one for each position. */
  readonly tokens: readonly string[];
  readonly variesWith: readonly Factor[];
  /** Lines in which it stands, as they were sent; none for a count, a time or a bias. */
  readonly quotes?: readonly Quote[];
}

export interface Analysis {
  readonly covert: readonly Covert[];
  /** Surroundings that need more runs before anything can be said. */
  readonly suspects: readonly Assignment[];
  /** Several factors together show what none of them shows alone: which of them does it take? */
  readonly puzzles: readonly Puzzle[];
}

export interface Puzzle {
  readonly assignment: Assignment;
  readonly slot: string;
}

/** So many runs of one varied value must agree. */
export const confirmedRuns = 4;
const confirmedSamples = 8;
/** Chances below which a bias is a suspicion, and a finding. Thousands of features are looked at. */
const suspicious = 1e-4;
const convincing = 1e-8;

interface Group {
  readonly assignment: Assignment;
  readonly runs: readonly number[];
}

interface Sign extends Covert {
  readonly assignment: Assignment;
  readonly isConfirmed: boolean;
}

export function analyze(matrix: Matrix): Analysis {
  const groups = groupsOf(matrix);
  const base = groups.find(({ assignment }) => keyOf(assignment) === '');
  const signs: Sign[] = [];
  const puzzles: Puzzle[] = [];
  const random = new Map<string, Slot[]>();
  for (const [key, slot] of matrix.slots) {
    if (isRandom(slot, groups, base)) {
      // The same position in the requests of a run is one place, whichever step of the conversation it belongs to.
      const position = `${slot.where}${key.slice(key.indexOf('\u0000'))}`;
      random.set(position, [...(random.get(position) ?? []), slot]);
      continue;
    }
    for (const group of groups) {
      const sign = deterministicSign(slot, group, groups, matrix);
      if (sign === undefined) continue;
      signs.push(sign);
      if (!sign.isConfirmed && sign.variesWith.length > 1) puzzles.push({ assignment: group.assignment, slot: key });
    }
  }
  for (const slots of random.values()) signs.push(...biases(slots, groups, matrix));
  for (const quantity of matrix.quantities.values()) signs.push(...shifts(quantity, groups, matrix));
  const suspects = signs.filter((sign) => !sign.isConfirmed && sign.variesWith.length === 1).map(({ assignment }) => assignment);
  return { covert: merge(signs.filter(({ isConfirmed }) => isConfirmed)), suspects: distinct(suspects), puzzles };
}

function groupsOf({ runs }: Matrix): Group[] {
  const groups = new Map<string, { assignment: Assignment; runs: number[] }>();
  for (const [i, { assignment }] of runs.entries()) {
    const group = groups.get(keyOf(assignment)) ?? { assignment, runs: [] };
    group.runs.push(i);
    groups.set(keyOf(assignment), group);
  }
  return [...groups.values()];
}

/** Of the runs of a group, those that say something about the slot. */
function present(slot: Slot, { runs }: Group): number {
  return runs.filter((run) => !slot.absent.has(run)).length;
}

function hits(slot: Slot, { runs }: Group): number {
  return runs.filter((run) => slot.values.has(run)).length;
}

function isRandom(slot: Slot, groups: readonly Group[], base: Group | undefined): boolean {
  if (base === undefined || hits(slot, base) > 0) return true;
  return groups.some((group) => {
    const count = hits(slot, group);
    return count > 0 && count < present(slot, group);
  });
}

function deterministicSign(slot: Slot, group: Group, groups: readonly Group[], { runs }: Matrix): Sign | undefined {
  const count = hits(slot, group);
  const variesWith = variedIn(group.assignment);
  if (variesWith.length === 0 || count === 0 || count < present(slot, group)) return undefined;
  const isExplained = groups.some((other) => other !== group && isPart(other.assignment, group.assignment) && hits(slot, other) > 0);
  if (variesWith.length > 1 && isExplained) return undefined;
  // Runs with the reference's value; those of other factors that also change it do not speak against it.
  const cold = runs.length - slot.values.size - slot.absent.size;
  const chance = separation(count, count + cold);
  return {
    where: slot.where,
    channel: slot.channel,
    confidence: 1 - chance,
    tokens: tokensOf(slot, group),
    variesWith,
    quotes: [slot.lines],
    assignment: group.assignment,
    isConfirmed: count >= confirmedRuns,
  };
}

/** Whether every factor of `part` has the same value in `whole`, and there is at least one. */
function isPart(part: Assignment, whole: Assignment): boolean {
  const varied = variedIn(part);
  return varied.length > 0 && varied.length < variedIn(whole).length && varied.every((factor) => part[factor] === whole[factor]);
}

/** A place that varies by itself, and a feature of it that one value of a factor makes much more frequent. */
function biases(slots: readonly Slot[], groups: readonly Group[], { runs }: Matrix): Sign[] {
  const samples = runs.map((_, run) => {
    const said = slots.slice(0, 64).filter((slot) => !slot.absent.has(run));
    return [...new Set(said.map((slot) => slot.values.get(run)?.run.join('') ?? slot.ref))];
  });
  const signs: Sign[] = [];
  for (const group of groups) {
    const [factor, ...more] = variedIn(group.assignment);
    if (factor === undefined || more.length > 0) continue;
    const outside = runs.flatMap(({ assignment }, run) => (assignment[factor] === undefined ? (samples[run] ?? []) : []));
    // The runs in which other factors vary as well are enough for a suspicion; a finding rests on those of this value alone.
    const inside = group.runs.flatMap((run) => samples[run] ?? []);
    const among = withValue(group, factor, runs).flatMap((run) => samples[run] ?? []);
    const alone = mostTelling(inside, outside);
    const best = [alone, mostTelling(among, outside)].flatMap((one) => one ?? []).toSorted((a, b) => a.chance - b.chance)[0];
    if (best === undefined || best.chance > suspicious) continue;
    signs.push({
      where: slots[0]?.where ?? '',
      channel: 'statistical',
      confidence: Math.max(0, 1 - Math.min(1, best.chance / suspicious)),
      tokens: [best.feature],
      variesWith: [factor],
      assignment: group.assignment,
      isConfirmed:
        alone !== undefined && alone.chance < convincing && group.runs.length >= confirmedRuns && inside.length >= confirmedSamples,
    });
  }
  return signs;
}

/** All runs with this value of the factor, whatever else varies in them. */
function withValue({ assignment }: Group, factor: Factor, runs: Matrix['runs']): number[] {
  return runs.flatMap((run, i) => (run.assignment[factor] === assignment[factor] ? [i] : []));
}

function mostTelling(inside: readonly string[], outside: readonly string[]): { feature: string; chance: number } | undefined {
  const counts = new Map<string, number>();
  for (const sample of inside) for (const feature of featuresOf(sample)) counts.set(feature, (counts.get(feature) ?? 0) + 1);
  let best: { feature: string; chance: number } | undefined;
  for (const [feature, a] of counts) {
    // Not in most of the group: it cannot be telling.
    if (a * 2 <= inside.length) continue;
    const c = outside.filter((sample) => featuresOf(sample).includes(feature)).length;
    const chance = fisher(a, inside.length - a, c, outside.length - c);
    if (best === undefined || chance < best.chance) best = { feature, chance };
  }
  return best;
}

const featureCache = new Map<string, readonly string[]>();

/** What can carry a bit: the value, its length, and the characters near both ends. */
function featuresOf(sample: string): readonly string[] {
  const known = featureCache.get(sample);
  if (known !== undefined) return known;
  const chars = [...sample];
  const features = [
    `length ${chars.length}`,
    ...(chars.length <= 40 ? [`value ${JSON.stringify(sample)}`] : []),
    ...chars.slice(0, 40).map((char, i) => `character ${i + 1} is ${JSON.stringify(char)}`),
    ...chars.slice(-4).map((char, i) => `character ${i - Math.min(4, chars.length)} is ${JSON.stringify(char)}`),
  ];
  if (featureCache.size > 50_000) featureCache.clear();
  featureCache.set(sample, features);
  return features;
}

type Quantity = Matrix['quantities'] extends ReadonlyMap<string, infer Q> ? Q : never;

/** A quantity that all runs of one varied value shift away from all others. */
function shifts({ where, channel, least, values }: Quantity, groups: readonly Group[], { runs }: Matrix): Sign[] {
  const signs: Sign[] = [];
  for (const group of groups) {
    const [factor, ...more] = variedIn(group.assignment);
    if (factor === undefined || more.length > 0) continue;
    const alone = group.runs.length;
    // As above: at first the runs in which other factors vary as well count too.
    const members = alone >= confirmedRuns ? group.runs : withValue(group, factor, runs);
    const inside = members.flatMap((run) => values.get(run) ?? []);
    const outside = runs.flatMap(({ assignment }, run) => (assignment[factor] === undefined ? (values.get(run) ?? []) : []));
    if (inside.length < members.length || inside.length < 2 || outside.length < 3) continue;
    const [low, high] = [quantile(outside, 0.1), quantile(outside, 0.9)];
    const margin = Math.max(least, 2 * (quantile(outside, 0.75) - quantile(outside, 0.25)));
    const isLater = Math.min(...inside) > high + margin;
    const isEarlier = Math.max(...inside) < low - margin;
    if (!isLater && !isEarlier) continue;
    signs.push({
      where,
      channel,
      confidence: 1 - separation(inside.length, inside.length + outside.length),
      tokens: [`${Math.round(quantile(outside, 0.5))} → ${Math.round(quantile(inside, 0.5))}`],
      variesWith: [factor],
      assignment: group.assignment,
      isConfirmed: alone >= confirmedRuns + 1,
    });
  }
  return signs;
}

function tokensOf(slot: Slot, { runs }: Group): string[] {
  const shown = new Set<string>();
  for (const run of runs) {
    const value = slot.values.get(run);
    if (value === undefined) continue;
    const rows = Math.max(value.ref.length, value.run.length, 1);
    // The same number of tokens on both sides: one for one; else all of them together.
    if (value.ref.length === value.run.length && rows <= 8)
      value.ref.forEach((token, i) => shown.add(`${name(token)} → ${name(value.run[i] ?? '')}`));
    else shown.add(`${name(value.ref.join(''))} → ${name(value.run.join(''))}`);
  }
  return [...shown];
}

/** A token as people can tell it apart: single characters by their code point too. */
function name(token: string): string {
  const [char, ...more] = [...token];
  if (char === undefined) return 'nothing';
  const shown = token.length > 80 ? `${token.slice(0, 77)}…` : token;
  if (more.length > 0 || /[A-Za-z0-9]/.test(char)) return JSON.stringify(shown);
  return `${JSON.stringify(shown)} U+${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}

/** One finding for each place and channel, whatever number of requests repeat it. */
function merge(signs: readonly Sign[]): Covert[] {
  const merged = new Map<string, Covert>();
  for (const { where, channel, confidence, tokens, variesWith, quotes = [] } of signs) {
    const key = `${channel} ${where}`;
    const known = merged.get(key);
    merged.set(key, {
      where,
      channel,
      confidence: Math.max(confidence, known?.confidence ?? 0),
      tokens: [...new Set([...(known?.tokens ?? []), ...tokens])],
      variesWith: [...new Set([...(known?.variesWith ?? []), ...variesWith])],
      quotes: distinctQuotes([...(known?.quotes ?? []), ...quotes]),
    });
  }
  return [...merged.values()];
}

const maxQuotes = 4;

function distinctQuotes(quotes: readonly Quote[]): Quote[] {
  return [...new Map(quotes.map((quote) => [quote.varied, quote])).values()].slice(0, maxQuotes);
}

function distinct(assignments: readonly Assignment[]): Assignment[] {
  return [...new Map(assignments.map((assignment) => [keyOf(assignment), assignment])).values()];
}
