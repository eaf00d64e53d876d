// What follows a factor in something that varies by itself: a place with a feature that one value makes much more frequent, and a quantity
// that one value shifts. All runs with the value count for the suspicion; those that vary nothing else for the finding.
import { type Factor, variedIn } from './factors.ts';
import type { Matrix, Slot } from './matrix.ts';
import type { Group, Sign } from './sign.ts';
import { fisher, quantile, separation } from './statistics.ts';

/** So many runs that vary nothing else must say so. */
const statisticalRuns = 4;
const confirmedSamples = 8;
/** Chances below which a bias is a suspicion, and a finding. Thousands of features are looked at. */
const suspicious = 1e-4;
const convincing = 1e-8;

/** A place that varies by itself, and a feature of it that one value of a factor makes much more frequent. */
export function biases(slots: readonly Slot[], alone: readonly Group[], { runs }: Matrix): Sign[] {
  const samples = runs.map((_, run) => {
    const said = slots.slice(0, 64).filter((slot) => !slot.absent.has(run));
    return [...new Set(said.map((slot) => slot.values.get(run)?.run.join('') ?? slot.ref))];
  });
  const signs: Sign[] = [];
  for (const group of alone) {
    const [factor] = variedIn(group.assignment);
    if (factor === undefined) continue;
    const outside = runs.flatMap(({ assignment }, run) => (assignment[factor] === undefined ? (samples[run] ?? []) : []));
    // The runs in which other factors vary as well are enough for a suspicion; a finding rests on those of this value alone.
    const inside = group.runs.flatMap((run) => samples[run] ?? []);
    const among = withValue(group, factor, runs).flatMap((run) => samples[run] ?? []);
    const byItself = mostTelling(inside, outside);
    const best = [byItself, mostTelling(among, outside)].flatMap((one) => one ?? []).toSorted((a, b) => a.chance - b.chance)[0];
    if (best === undefined || best.chance > suspicious) continue;
    signs.push({
      where: slots[0]?.where ?? '',
      channel: 'statistical',
      confidence: Math.max(0, 1 - Math.min(1, best.chance / suspicious)),
      tokens: [best.feature],
      variesWith: [factor],
      assignment: group.assignment,
      needed: statisticalRuns / 2,
      isConfirmed:
        byItself !== undefined && byItself.chance < convincing && group.runs.length >= statisticalRuns && inside.length >= confirmedSamples,
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
export function shifts({ where, channel, least, values }: Quantity, alone: readonly Group[], { runs }: Matrix): Sign[] {
  const signs: Sign[] = [];
  for (const group of alone) {
    const [factor] = variedIn(group.assignment);
    if (factor === undefined) continue;
    // As above: at first the runs in which other factors vary as well count too.
    const members = group.runs.length >= statisticalRuns ? group.runs : withValue(group, factor, runs);
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
      needed: statisticalRuns / 2,
      isConfirmed: group.runs.length > statisticalRuns,
    });
  }
  return signs;
}
