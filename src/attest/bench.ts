// The runs of an attestation as they come: what failed, how they compare, and which factors of a combination it takes.
import { type Analysis, analyze, type Puzzle } from './attribute.ts';
import { type Assignment, type Factor, keyOf, variedIn } from './factors.ts';
import { Comparison, type Disclosure } from './matrix.ts';
import type { RunRecord } from './record.ts';
import { type SideChannel, sideChannelsOf, statedToOthers } from './side-channel.ts';
import { type Covert, isPart } from './sign.ts';

export interface AttestOptions {
  /** One run of the agent; may be called several times at once, `concurrency` at most. A fault counts as a failed run. */
  run(assignment: Assignment): Promise<RunRecord>;
  /** Default: all. */
  readonly vary?: readonly Factor[];
  /** How often the whole design is run before anything is suspected, each time another one; default 1. */
  readonly repeats?: number;
  readonly concurrency?: number;
  /** @param confirming what the runs that are under way look at once more; empty at first */
  onProgress?(done: number, planned: number, confirming: readonly Factor[]): void;
  /** Numbers in [0, 1), for the order of the runs and for which factors are varied together. */
  random(): number;
}

export interface Attestation {
  readonly runs: number;
  readonly tokensCompared: number;
  readonly covert: readonly Covert[];
  readonly disclosed: readonly Disclosure[];
  readonly sideChannels: readonly SideChannel[];
  readonly failedRuns: number;
  /** Values that no successful run had: the program fails with them, and nothing can be said about them. */
  readonly unseen: readonly Assignment[];
  /** Why runs failed, each reason once. */
  readonly failures: readonly string[];
  /** Whether enough runs succeeded to say anything. */
  readonly isConclusive: boolean;
  readonly passed: boolean;
}

/** Runs for one combination. */
const maxSteps = 8;

export class Bench {
  readonly #options: AttestOptions;
  /** Successful runs that are not compared yet. Comparing takes long enough to make other runs late: it waits until none is under way. */
  #waiting: RunRecord[] = [];
  #comparison: Comparison | undefined;
  /** By the combination that was looked into: the fewest factors of it that are enough. */
  readonly #solved = new Map<string, Assignment | undefined>();
  readonly #failed: Assignment[] = [];
  readonly #failures = new Set<string>();
  #planned = 0;
  #confirming: readonly Factor[] = [];

  constructor(options: AttestOptions) {
    this.#options = options;
  }

  get isConclusive(): boolean {
    const runs = this.#runs();
    const bases = runs.filter(({ assignment }) => variedIn(assignment).length === 0).length;
    return bases >= 2 && this.#failed.length <= runs.length;
  }

  async add(plan: readonly Assignment[], confirming: readonly Factor[] = []): Promise<void> {
    this.#planned += plan.length;
    this.#confirming = confirming;
    const queue = shuffled(plan, this.#options.random);
    const worker = async (): Promise<void> => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) await this.#runOne(next);
    };
    await Promise.all(Array.from({ length: this.#options.concurrency ?? 1 }, worker));
  }

  /** What failed, once more, without the values that never succeeded: one value must not take with it all that varied beside it. */
  again(): Assignment[] {
    const unseen = this.#unseen().flatMap((one) => Object.keys(one).map((factor) => [factor, keyOf(one)] as const));
    return this.#failed.map((assignment) => {
      const blamed = variedIn(assignment).filter((factor) =>
        unseen.some(([of, key]) => of === factor && key === keyOf({ [factor]: assignment[factor] ?? '' })),
      );
      return without(assignment, blamed);
    });
  }

  /** INVARIANT: a value that is not among the successful runs is never taken for one that was looked at. */
  #unseen(): Assignment[] {
    const runs = this.#runs();
    const tried = this.#failed.flatMap((assignment) => variedIn(assignment).map((factor) => ({ [factor]: assignment[factor] ?? '' })));
    const failing = tried.filter((value) => !runs.some((run) => isPart(value, run.assignment)));
    return [...new Map(failing.map((value) => [keyOf(value), value])).values()];
  }

  analyze(): Analysis {
    const comparison = this.#compared();
    return comparison === undefined ? { covert: [], suspects: [], puzzles: [] } : analyze(comparison);
  }

  /** The fewest factors of a combination that are enough, if it can be told with a few runs. Never the same combination twice. */
  async solve({ assignment, slot }: Puzzle): Promise<Assignment | undefined> {
    const known = [...this.#solved.values()].find((smallest) => smallest !== undefined && keyOf(smallest) === keyOf(assignment));
    if (known !== undefined || this.#solved.has(keyOf(assignment))) return known;
    // Once more first: many chances that occurred twice do not occur three times.
    await this.#runOne(assignment);
    const isLasting =
      this.#compared()
        ?.slots.get(slot)
        ?.values.has((this.#compared()?.runs.length ?? 0) - 1) ?? false;
    const smallest = isLasting ? ((await this.#pair(assignment, slot)) ?? (await this.#smallest(assignment, slot))) : undefined;
    this.#solved.set(keyOf(assignment), smallest);
    return smallest;
  }

  /** Two values that are enough: most pairs are known not to be from runs that have them too. */
  async #pair(assignment: Assignment, slot: string): Promise<Assignment | undefined> {
    const varied = variedIn(assignment);
    const pairs = varied.flatMap((one, i) =>
      varied.slice(i + 1).map((other) => ({ [one]: assignment[one] ?? '', [other]: assignment[other] ?? '' })),
    );
    const possible = pairs.filter((pair) => this.#known(pair, slot) !== false);
    for (const pair of possible.slice(0, maxSteps)) if (await this.#shows(pair, slot)) return pair;
    return undefined;
  }

  /** Drops factors, half of them at first and at last one by one, as long as the difference stays. */
  async #smallest(assignment: Assignment, slot: string): Promise<Assignment | undefined> {
    const before = this.#runs().length;
    let smallest = assignment;
    for (let size = Math.ceil(variedIn(assignment).length / 2); ; size = Math.ceil(size / 2)) {
      const all = variedIn(smallest);
      for (let at = 0; at < all.length; at += size) {
        if (this.#runs().length - before > maxSteps) return undefined;
        const fewer = without(smallest, all.slice(at, at + size));
        if (variedIn(fewer).length > 0 && (await this.#shows(fewer, slot))) smallest = fewer;
      }
      if (size === 1) return smallest;
    }
  }

  report({ covert }: Analysis): Attestation {
    const { runs = [], disclosures = [], tokensCompared = 0 } = this.#compared() ?? {};
    // What was seen to vary names its exact place; for the rest, the request it stands in.
    const isKnown = (what: Factor): boolean => disclosures.some((known) => known.what === what && known.to === 'model');
    const others = statedToOthers(runs).filter(({ what, to }) => to !== 'model' || !isKnown(what));
    return {
      runs: runs.length + this.#failed.length,
      tokensCompared,
      covert: covert.toSorted((a, b) => b.confidence - a.confidence || (a.where < b.where ? -1 : 1)),
      disclosed: distinctDisclosures([...disclosures, ...others]),
      sideChannels: sideChannelsOf(runs),
      failedRuns: this.#failed.length,
      unseen: this.#unseen(),
      failures: [...this.#failures],
      isConclusive: this.isConclusive,
      passed: this.isConclusive && covert.length === 0,
    };
  }

  /** From what is known already, where more factors than these did not show it, or fewer did; else from one more run. */
  async #shows(assignment: Assignment, slot: string): Promise<boolean> {
    const known = this.#known(assignment, slot);
    if (known !== undefined) return known;
    this.#planned += 1;
    await this.#runOne(assignment);
    return this.#known(assignment, slot) ?? false;
  }

  #known(assignment: Assignment, at: string): boolean | undefined {
    const comparison = this.#compared();
    const slot = comparison?.slots.get(at);
    if (comparison === undefined || slot === undefined) return undefined;
    for (const [run, { assignment: of }] of comparison.runs.entries()) {
      const isSame = keyOf(of) === keyOf(assignment);
      if (slot.values.has(run) && (isSame || (variedIn(of).length > 0 && isPart(of, assignment)))) return true;
      if (!slot.values.has(run) && !slot.absent.has(run) && (isSame || (!slot.restated.has(run) && isPart(assignment, of)))) return false;
    }
    return undefined;
  }

  async #runOne(assignment: Assignment): Promise<void> {
    const { run, failure } = await this.#options.run(assignment).then(
      (run) => ({ run, failure: run.failed }),
      (fault: unknown) => ({ run: undefined, failure: fault instanceof Error ? fault.message : String(fault) }),
    );
    if (run === undefined || failure !== undefined) {
      this.#failed.push(assignment);
      this.#failures.add(failure ?? 'the run failed');
    } else this.#waiting.push(run);
    this.#options.onProgress?.(this.#runs().length + this.#failed.length, this.#planned, this.#confirming);
  }

  #runs(): readonly RunRecord[] {
    return [...(this.#comparison?.runs ?? []), ...this.#waiting];
  }

  /** All runs so far; the first run of the base is the reference. */
  #compared(): Comparison | undefined {
    if (this.#comparison === undefined) {
      const first = this.#waiting.findIndex(({ assignment }) => variedIn(assignment).length === 0);
      const [reference] = first < 0 ? [] : this.#waiting.splice(first, 1);
      if (reference === undefined) return undefined;
      this.#comparison = new Comparison(reference);
    }
    for (const run of this.#waiting.splice(0)) this.#comparison.add(run);
    return this.#comparison;
  }
}

function without(assignment: Assignment, dropped: readonly Factor[]): Assignment {
  return Object.fromEntries(Object.entries(assignment).filter(([factor]) => !dropped.some((one) => one === factor)));
}

function distinctDisclosures(all: readonly Disclosure[]): Disclosure[] {
  const found = new Map(all.map((disclosure) => [`${disclosure.what} ${disclosure.to} ${disclosure.where}`, disclosure]));
  return [...found].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, disclosure]) => disclosure);
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  return items
    .map((item) => ({ item, at: random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
