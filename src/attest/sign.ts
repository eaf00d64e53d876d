// What an attestation concludes from its runs, and the groups of runs that it concludes from.
import { type Assignment, type Factor, keyOf } from './factors.ts';
import type { Matrix, Quote } from './matrix.ts';

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

/** What may become a finding. */
export interface Sign extends Covert {
  readonly assignment: Assignment;
  readonly isConfirmed: boolean;
  /** Runs of the assignment, nothing else varied, that it takes to go on. */
  readonly needed: number;
}

/** Runs in exactly the same surroundings. */
export interface Group {
  readonly assignment: Assignment;
  readonly runs: readonly number[];
}

export function groupsOf({ runs }: Matrix): Group[] {
  const groups = new Map<string, { assignment: Assignment; runs: number[] }>();
  for (const [i, { assignment }] of runs.entries()) {
    const group = groups.get(keyOf(assignment)) ?? { assignment, runs: [] };
    group.runs.push(i);
    groups.set(keyOf(assignment), group);
  }
  return [...groups.values()];
}

/** Every value that occurs in a run, with the runs that vary nothing else. */
export function valuesOf(groups: readonly Group[]): Group[] {
  const values = new Map<string, Group>();
  for (const { assignment } of groups) {
    for (const [factor, id] of Object.entries(assignment)) {
      const alone = { [factor]: id };
      const runs = groups.find((group) => keyOf(group.assignment) === keyOf(alone))?.runs ?? [];
      values.set(keyOf(alone), { assignment: alone, runs });
    }
  }
  return [...values.values()];
}

/** Whether the second has all that the first has. */
export function isPart(part: Assignment, whole: Assignment): boolean {
  const of = new Map(Object.entries(whole));
  return Object.entries(part).every(([factor, id]) => of.get(factor) === id);
}
