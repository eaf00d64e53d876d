// Which of several allowed targets to try first. Nothing here widens a decision: the list that comes in is only put in order.
import type { Target } from '../core/index.ts';

const failuresToOpen = 3;
const openForMs = 10_000;
const maxConversations = 10_000;

interface Circuit {
  failures: number;
  openUntil: number;
}

export interface Preference {
  /** Healthy before failing, then the one that this conversation used before, within each perimeter; else as the decision has it. */
  order(conversation: string, targets: readonly Target[]): readonly Target[];
  succeeded(conversation: string, target: Target): void;
  failed(target: Target): void;
  /** What a look at the provider found, without anybody's call. */
  seen(provider: string, isReachable: boolean): void;
}

export function createPreference(now: () => number): Preference {
  const circuits = new Map<string, Circuit>();
  const unreachable = new Set<string>();
  /** The last target of a conversation, so that a conversation does not jump between models. Oldest first. */
  const last = new Map<string, string>();

  const isOpen = ({ provider }: Target): boolean => unreachable.has(provider) || (circuits.get(provider)?.openUntil ?? 0) > now();
  /** After its time an open circuit lets one call through to try; the others keep away until that call has an end. */
  const holdHalfOpen = ({ provider }: Target): void => {
    const circuit = circuits.get(provider);
    if (circuit && circuit.failures >= failuresToOpen && circuit.openUntil <= now()) circuit.openUntil = now() + openForMs;
  };
  return {
    order(conversation, targets) {
      if (targets.length < 2) return targets;
      const sticky = last.get(conversation);
      const ranks = new Map<string, number>();
      for (const { perimeter } of targets) if (!ranks.has(perimeter)) ranks.set(perimeter, ranks.size);
      // An open circuit moves a target to the end instead of dropping it: when all are open, the first is tried all the same.
      const rank = (target: Target): number =>
        (isOpen(target) ? 100 : 0) + (ranks.get(target.perimeter) ?? 0) * 2 + (keyOf(target) === sticky ? 0 : 1);
      const ordered = targets.toSorted((a, b) => rank(a) - rank(b));
      if (ordered[0]) holdHalfOpen(ordered[0]);
      return ordered;
    },
    succeeded(conversation, target) {
      circuits.delete(target.provider);
      unreachable.delete(target.provider);
      const key = keyOf(target);
      // Which is the oldest matters only when there are many.
      if (last.size < maxConversations / 2 && last.get(conversation) === key) return;
      last.delete(conversation);
      last.set(conversation, key);
      for (const oldest of last.keys()) {
        if (last.size <= maxConversations) break;
        last.delete(oldest);
      }
    },
    failed(target) {
      const known = circuits.get(target.provider) ?? { failures: 0, openUntil: 0 };
      known.failures++;
      if (known.failures >= failuresToOpen) known.openUntil = now() + openForMs;
      circuits.set(target.provider, known);
    },
    seen(provider, isReachable) {
      if (isReachable) unreachable.delete(provider);
      else unreachable.add(provider);
    },
  };
}

function keyOf({ provider, model }: Target): string {
  return `${provider}/${model}`;
}
