// Runs an agent in varied surroundings and says what follows them. First a few runs of the base and a dozen in which many factors vary
// together, in a balanced design; then more runs of what looks suspicious, each by itself and mixed with runs of the base, so that drift
// and chance are not taken for the factor.
import type { Analysis, Puzzle } from './attribute.ts';
import { type Attestation, type AttestOptions, Bench } from './bench.ts';
import { designOf } from './design.ts';
import { type Assignment, type Factor, factors, keyOf, usualFactors } from './factors.ts';

const baseRuns = 3;
/** Rounds of confirmation; what is still open after them is not held against anybody. */
const rounds = 6;
const maxSuspects = 10;
const maxPuzzles = 3;

export async function attest(options: AttestOptions): Promise<Attestation> {
  const bench = new Bench(options);
  const vary = options.vary ?? usualFactors;
  const repeats = options.repeats ?? 1;
  await bench.add(screening(vary, repeats, options.random));
  await bench.add(bench.again());
  let analysis = bench.analyze();
  for (let round = 0; round < rounds && bench.isConclusive; round += 1) {
    const more = await confirmation(analysis, bench);
    if (more.length === 0) break;
    await bench.add(more, factorsOf(more));
    analysis = bench.analyze();
  }
  return bench.report(analysis);
}

function screening(vary: readonly Factor[], repeats: number, random: () => number): Assignment[] {
  const plan: Assignment[] = Array.from({ length: baseRuns }, () => ({}));
  for (let i = 0; i < repeats; i += 1) plan.push(...designOf(vary, random));
  return plan;
}

async function confirmation({ suspects, puzzles }: Analysis, bench: Bench): Promise<Assignment[]> {
  const plan: Assignment[] = [];
  for (const { assignment, needed } of suspects.slice(0, maxSuspects)) plan.push(...times(needed, assignment));
  // What single values explain needs no combination.
  if (plan.length === 0) {
    for (const puzzle of distinctPuzzles(puzzles).slice(0, maxPuzzles)) {
      const smallest = await bench.solve(puzzle);
      if (smallest !== undefined) plan.push(...times(Math.max(1, puzzle.needed), smallest));
    }
  }
  // Among them always runs of the base, so that what changed with time is not taken for what changed with a factor.
  return plan.length > 0 ? [...plan, ...times(Math.min(2, plan.length), {})] : [];
}

function factorsOf(plan: readonly Assignment[]): Factor[] {
  return factors.filter((factor) => plan.some((assignment) => assignment[factor] !== undefined));
}

function times(count: number, assignment: Assignment): Assignment[] {
  return Array.from({ length: count }, () => assignment);
}

function distinctPuzzles(puzzles: readonly Puzzle[]): Puzzle[] {
  return [...new Map(puzzles.map((puzzle) => [keyOf(puzzle.assignment), puzzle])).values()];
}
