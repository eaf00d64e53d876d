// Runs an agent in varied surroundings and says what follows them. First every value a few times, each alone, and some together; then more
// runs of what looks suspicious, mixed with runs of the base, so that drift and chance are not taken for the factor.
import { type Analysis, analyze, type Covert, confirmedRuns, type Puzzle } from './attribute.ts';
import { type Assignment, factors as allFactors, type Factor, keyOf, levels, variedIn } from './factors.ts';
import { Comparison, type Disclosure } from './matrix.ts';
import type { RunRecord } from './record.ts';
import { type SideChannel, sideChannelsOf, statedToOthers } from './side-channel.ts';

export interface AttestOptions {
  /** One run of the agent; may be called several times at once, `concurrency` at most. A fault counts as a failed run. */
  run(assignment: Assignment): Promise<RunRecord>;
  /** Default: all. */
  readonly vary?: readonly Factor[];
  /** Runs of each varied value, alone, before anything is suspected; default 1: what shows in it is run again. */
  readonly repeats?: number;
  readonly concurrency?: number;
  onProgress?(done: number, planned: number): void;
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
  /** Why runs failed, each reason once. */
  readonly failures: readonly string[];
  /** Whether enough runs succeeded to say anything. */
  readonly isConclusive: boolean;
  readonly passed: boolean;
}

const baseRuns = 4;
const togetherRuns = 5;
/** Rounds of confirmation; what is still open after them is not held against anybody. */
const rounds = 6;
const maxSuspects = 10;
const maxPuzzles = 3;

export async function attest(options: AttestOptions): Promise<Attestation> {
  const bench = new Bench(options);
  const vary = options.vary ?? allFactors;
  const repeats = options.repeats ?? 1;
  await bench.add(screening(vary, repeats, options.random));
  let analysis = bench.analyze();
  for (let round = 0; round < rounds && bench.isConclusive; round += 1) {
    const more = await confirmation(analysis, bench);
    if (more.length === 0) break;
    await bench.add(more);
    analysis = bench.analyze();
  }
  return bench.report(analysis);
}

function screening(vary: readonly Factor[], repeats: number, random: () => number): Assignment[] {
  const plan: Assignment[] = Array.from({ length: baseRuns }, () => ({}));
  for (const factor of vary) {
    for (const { id } of levels[factor].others) for (let i = 0; i < repeats; i += 1) plan.push({ [factor]: id });
  }
  // All pairs of factors occur in some run with a chance of more than 0.9: half of the factors each time, and once all of them.
  const varied = vary.filter((factor) => levels[factor].others.length > 0);
  for (let i = 0; varied.length > 1 && i < togetherRuns; i += 1) plan.push(together(varied, i === 0 ? 1 : 0.5, i, random));
  return shuffled(plan, random);
}

function together(factors: readonly Factor[], share: number, turn: number, random: () => number): Assignment {
  const assignment: Partial<Record<Factor, string>> = {};
  for (const factor of factors) {
    const { others } = levels[factor];
    const other = others[turn % others.length];
    if (other !== undefined && random() < share) assignment[factor] = other.id;
  }
  return assignment;
}

async function confirmation({ suspects, puzzles }: Analysis, bench: Bench): Promise<Assignment[]> {
  const plan: Assignment[] = [];
  const solved: Assignment[] = [];
  for (const puzzle of distinctPuzzles(puzzles).slice(0, maxPuzzles)) {
    const smallest = await bench.solve(puzzle);
    if (smallest !== undefined) solved.push(smallest);
  }
  // Most suspicions rest on one run and fall with the second: it is made alone, the others when it agrees.
  for (const assignment of [...suspects, ...solved].slice(0, maxSuspects)) {
    const more = bench.runsOf(assignment) < 2 ? 1 : Math.ceil(confirmedRuns / 2);
    for (let i = 0; i < more; i += 1) plan.push(assignment);
  }
  // Among them always runs of the base, so that what changed with time is not taken for what changed with a factor.
  if (plan.length > 0) plan.push(...Array.from({ length: Math.min(2, plan.length) }, () => ({})));
  return plan;
}

function without(assignment: Assignment, dropped: readonly Factor[]): Assignment {
  return Object.fromEntries(Object.entries(assignment).filter(([factor]) => !dropped.some((one) => one === factor)));
}

function distinctPuzzles(puzzles: readonly Puzzle[]): Puzzle[] {
  return [...new Map(puzzles.map((puzzle) => [keyOf(puzzle.assignment), puzzle])).values()];
}

/** The runs so far. */
class Bench {
  readonly #options: AttestOptions;
  /** Successful runs that are not compared yet, because there is no run of the base to compare them with. */
  #waiting: RunRecord[] = [];
  #comparison: Comparison | undefined;
  readonly #solved = new Set<string>();
  #failed = 0;
  readonly #failures = new Set<string>();
  #planned = 0;

  constructor(options: AttestOptions) {
    this.#options = options;
  }

  get isConclusive(): boolean {
    const runs = this.#comparison?.runs ?? [];
    const bases = runs.filter(({ assignment }) => variedIn(assignment).length === 0).length;
    return bases >= 2 && this.#failed <= runs.length;
  }

  async add(plan: readonly Assignment[]): Promise<void> {
    this.#planned += plan.length;
    const queue = shuffled(plan, this.#options.random);
    const worker = async (): Promise<void> => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) await this.#runOne(next);
    };
    await Promise.all(Array.from({ length: this.#options.concurrency ?? 1 }, worker));
  }

  analyze(): Analysis {
    return this.#comparison === undefined ? { covert: [], suspects: [], puzzles: [] } : analyze(this.#comparison);
  }

  runsOf(assignment: Assignment): number {
    const key = keyOf(assignment);
    return (this.#comparison?.runs ?? []).filter((run) => keyOf(run.assignment) === key).length;
  }

  /** Drops factors, half of them at first and at last one by one, as long as the difference stays; nothing when it does not come back. */
  async solve({ assignment, slot }: Puzzle): Promise<Assignment | undefined> {
    if (this.#solved.has(keyOf(assignment))) return undefined;
    this.#solved.add(keyOf(assignment));
    if (!(await this.#shows(assignment, slot))) return undefined;
    let smallest = assignment;
    for (let size = Math.ceil(variedIn(assignment).length / 2); ; size = Math.ceil(size / 2)) {
      const all = variedIn(smallest);
      for (let at = 0; at < all.length; at += size) {
        const fewer = without(smallest, all.slice(at, at + size));
        if (variedIn(fewer).length > 0 && (await this.#shows(fewer, slot))) smallest = fewer;
      }
      if (size === 1) return smallest;
    }
  }

  report({ covert }: Analysis): Attestation {
    const { runs = [], disclosures = [], tokensCompared = 0 } = this.#comparison ?? {};
    // What was seen to vary names its exact place; for the rest, the request it stands in.
    const isKnown = (what: Factor): boolean => disclosures.some((known) => known.what === what && known.to === 'model');
    const others = statedToOthers(runs).filter(({ what, to }) => to !== 'model' || !isKnown(what));
    return {
      runs: runs.length + this.#failed,
      tokensCompared,
      covert: covert.toSorted((a, b) => b.confidence - a.confidence || (a.where < b.where ? -1 : 1)),
      disclosed: distinctDisclosures([...disclosures, ...others]),
      sideChannels: sideChannelsOf(runs),
      failedRuns: this.#failed,
      failures: [...this.#failures],
      isConclusive: this.isConclusive,
      passed: this.isConclusive && covert.length === 0,
    };
  }

  async #shows(assignment: Assignment, slot: string): Promise<boolean> {
    this.#planned += 1;
    const before = this.#comparison?.runs.length ?? 0;
    await this.#runOne(assignment);
    return this.#comparison?.slots.get(slot)?.values.has(before) ?? false;
  }

  async #runOne(assignment: Assignment): Promise<void> {
    const { run, failure } = await this.#options.run(assignment).then(
      (run) => ({ run, failure: run.failed }),
      (fault: unknown) => ({ run: undefined, failure: fault instanceof Error ? fault.message : String(fault) }),
    );
    if (run === undefined || failure !== undefined) {
      this.#failed += 1;
      this.#failures.add(failure ?? 'the run failed');
    } else this.#take(run);
    this.#options.onProgress?.((this.#comparison?.runs.length ?? 0) + this.#waiting.length + this.#failed, this.#planned);
  }

  /** The first run of the base is the reference. */
  #take(run: RunRecord): void {
    if (this.#comparison !== undefined) this.#comparison.add(run);
    else if (variedIn(run.assignment).length > 0) this.#waiting.push(run);
    else {
      this.#comparison = new Comparison(run);
      for (const earlier of this.#waiting) this.#comparison.add(earlier);
      this.#waiting = [];
    }
  }
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
