// Which differences follow which factor. A place that is the same in all runs of the base, different in all runs that have a varied value,
// and never sometimes this and sometimes that, follows that value. A place that varies by itself is looked at for a bias instead, and times
// for a shift. Anything that rests on few runs is a suspicion, which more runs confirm or clear.

import { biases, shifts } from './bias.ts';
import { type Assignment, keyOf, variedIn } from './factors.ts';
import type { Matrix, Quote, Slot } from './matrix.ts';
import { type Covert, type Group, groupsOf, isPart, type Sign, valuesOf } from './sign.ts';
import { separation } from './statistics.ts';

export interface Analysis {
  readonly covert: readonly Covert[];
  /** Surroundings that need more runs before anything can be said, the most suspicious first. */
  readonly suspects: readonly Suspect[];
  /** Several factors together show what none of them shows alone: which of them does it take? */
  readonly puzzles: readonly Puzzle[];
}

export interface Suspect {
  readonly assignment: Assignment;
  readonly needed: number;
}

export interface Puzzle extends Suspect {
  readonly slot: string;
}

/** So many runs with a value must agree, and so many of them vary nothing else. */
const agreeing = 4;
const alone = 2;
const leastBases = 3;
const leastConfidence = 0.99;

export function analyze(matrix: Matrix): Analysis {
  const groups = groupsOf(matrix);
  const terms = termsOf(groups, matrix);
  const signs: Sign[] = [];
  const puzzles: Puzzle[] = [];
  const repeats: Assignment[] = [];
  const random = new Map<string, Slot[]>();
  for (const [key, slot] of matrix.slots) {
    if (isRandom(slot, groups)) {
      // The same position in the requests of a run is one place, whichever step of the conversation it belongs to.
      const position = `${slot.where}${key.slice(key.indexOf('\u0000'))}`;
      random.set(position, [...(random.get(position) ?? []), slot]);
      continue;
    }
    const { chosen, loose } = cover(slot, terms);
    for (const term of chosen) {
      const sign = signOf(slot, term, loose.size === 0, matrix);
      signs.push(sign);
      if (!sign.isConfirmed && loose.size === 0 && sign.variesWith.length > 1)
        puzzles.push({ assignment: sign.assignment, needed: sign.needed, slot: key });
    }
    // Chance or several factors together: the same surroundings once more tell, before anything else is tried.
    for (const run of [...loose].slice(0, 1)) repeats.push(matrix.runs[run]?.assignment ?? {});
  }
  const values = valuesOf(groups);
  for (const slots of random.values()) signs.push(...biases(slots, values, matrix));
  for (const quantity of matrix.quantities.values()) signs.push(...shifts(quantity, values, matrix));
  const open = signs.filter((sign) => !sign.isConfirmed && sign.variesWith.length === 1).toSorted((a, b) => b.confidence - a.confidence);
  return {
    covert: merge(signs.filter(({ isConfirmed }) => isConfirmed)),
    suspects: distinct([...open, ...repeats.map((assignment) => ({ assignment, needed: 1 }))]),
    puzzles,
  };
}

/** What may explain a difference: these surroundings, whatever else varies, or these and nothing else. */
interface Term {
  readonly assignment: Assignment;
  readonly isExact: boolean;
  /** All runs that should then show it. */
  readonly runs: readonly number[];
  /** Those of them that vary nothing else. */
  readonly alone: readonly number[];
}

/** From few factors to many. A combination is a term once it was run twice: a single run always explains itself. */
function termsOf(groups: readonly Group[], { runs }: Matrix): Term[] {
  const within = ({ assignment }: Group): number[] => runs.flatMap((run, i) => (isPart(assignment, run.assignment) ? [i] : []));
  const repeated = groups.filter((group) => group.runs.length > 1 && variedIn(group.assignment).length > 0);
  const several = repeated.filter(({ assignment }) => variedIn(assignment).length > 1);
  return [
    ...[...valuesOf(groups), ...several].map((group) => ({ ...group, isExact: false, runs: within(group), alone: group.runs })),
    ...repeated.map((group) => ({ ...group, isExact: true, alone: group.runs })),
  ].toSorted((a, b) => variedIn(a.assignment).length - variedIn(b.assignment).length);
}

/** Whether a run says something about the slot: one that is to state another thing in the same line may have covered the difference up. */
function says(slot: Slot, run: number, isAlone: boolean): boolean {
  return slot.values.has(run) || !(slot.absent.has(run) || (!isAlone && slot.restated.has(run)));
}

function isRandom(slot: Slot, groups: readonly Group[]): boolean {
  const isUnsettled = slot.unsettled.some(({ from, to }) => from < slot.span.to && slot.span.from < to);
  return (
    isUnsettled ||
    groups.some(({ assignment, runs }) => {
      const varied = variedIn(assignment).length;
      const hits = runs.filter((run) => slot.values.has(run)).length;
      return hits > 0 && (varied === 0 || runs.some((run) => !slot.values.has(run) && says(slot, run, varied === 1)));
    })
  );
}

/** The fewest terms that explain all runs that show it, and the runs that none explains. */
function cover(slot: Slot, terms: readonly Term[]): { chosen: Term[]; loose: Set<number> } {
  const isAlone = (term: Term): boolean => variedIn(term.assignment).length === 1;
  const pure = terms.filter((term) =>
    term.runs.every((run) => slot.values.has(run) || !says(slot, run, isAlone(term) && term.alone.includes(run))),
  );
  const chosen: Term[] = [];
  const loose = new Set(slot.values.keys());
  while (loose.size > 0) {
    const explained = (term: Term): number => term.runs.filter((run) => loose.has(run)).length;
    const best = pure.reduce<Term | undefined>((a, b) => (a !== undefined && explained(a) >= explained(b) ? a : b), undefined);
    if (best === undefined || explained(best) === 0) break;
    chosen.push(best);
    for (const run of best.runs) loose.delete(run);
  }
  return { chosen, loose };
}

function signOf(slot: Slot, term: Term, isWhole: boolean, { runs }: Matrix): Sign {
  const shown = term.runs.filter((run) => slot.values.has(run));
  const byItself = term.alone.filter((run) => slot.values.has(run));
  // Where a statement may have covered it up in some runs, it may as well have been chance in the others: then only runs of the value alone
  // count, and one more of them.
  const isCovered = term.runs.some((run) => !slot.values.has(run) && slot.restated.has(run));
  const hits = isCovered ? byItself : shown;
  const variesWith = variedIn(term.assignment);
  // Runs with the reference's value; those of other factors that also change it do not speak against it.
  const cold = runs.filter(({ assignment }, run) => !slot.values.has(run) && says(slot, run, variedIn(assignment).length < 2));
  // A request that the base seldom makes has no base to be compared with.
  const bases = cold.filter(({ assignment }) => variedIn(assignment).length === 0).length;
  const confidence = 1 - separation(hits.length, hits.length + cold.length);
  const needed = Math.max(alone + variesWith.length - 1 - byItself.length, agreeing + (isCovered ? 1 : 0) - hits.length);
  return {
    where: slot.where,
    channel: slot.channel,
    confidence,
    tokens: tokensOf(slot, byItself.length > 0 ? byItself : shown),
    variesWith,
    quotes: [slot.lines],
    assignment: term.assignment,
    // Most suspicions that rest on one run fall with the second.
    needed: !isWhole ? 0 : hits.length < 2 ? Math.min(1, needed) : Math.max(needed, 0),
    isConfirmed: isWhole && needed <= 0 && bases >= leastBases && confidence > leastConfidence,
  };
}

function tokensOf(slot: Slot, runs: readonly number[]): string[] {
  const shown = new Set<string>();
  for (const run of runs) {
    const value = slot.values.get(run);
    if (value === undefined) continue;
    const rows = Math.max(value.ref.length, value.run.length, 1);
    // The same number of tokens on both sides: one for one; else all of them together.
    if (value.ref.length === value.run.length && rows <= 8) value.ref.forEach((token, i) => shown.add(changeOf(token, value.run[i] ?? '')));
    else shown.add(`${name(value.ref.join(''))} → ${name(value.run.join(''))}`);
  }
  return [...shown];
}

/** Of two lists of words, from the first to the last that differs. */
function changeOf(before: string, after: string): string {
  const [a, b] = [before.split(' '), after.split(' ')];
  if (a.length < 3 || a.length !== b.length) return `${name(before)} → ${name(after)}`;
  const from = a.findIndex((word, i) => word !== b[i]);
  const to = a.findLastIndex((word, i) => word !== b[i]) + 1;
  return `${name(a.slice(from, to).join(' '))} → ${name(b.slice(from, to).join(' '))}`;
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

/** Each surroundings once, with the most runs that anything in them needs. */
function distinct(suspects: readonly Suspect[]): Suspect[] {
  const found = new Map<string, Suspect>();
  for (const { assignment, needed } of suspects) {
    const key = keyOf(assignment);
    found.set(key, { assignment, needed: Math.max(needed, found.get(key)?.needed ?? 0) });
  }
  return [...found.values()].filter(({ needed }) => needed > 0);
}
