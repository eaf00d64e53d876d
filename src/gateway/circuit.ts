// Which of several allowed targets to try first. Nothing here widens a decision: the list that comes in is only put in order.
import type { Target } from '../core/index.ts';

const failuresToOpen = 3;
const openForMs = 10_000;
const maxConversations = 10_000;

interface Health {
  failures: number;
  openUntil: number;
}

export interface Preference {
  /** Healthy before failing, then the one that this conversation used before, within each perimeter; else as the decision has it. */
  order(conversation: string, targets: readonly Target[]): readonly Target[];
  succeeded(conversation: string, target: Target): void;
  failed(target: Target): void;
}

export function createPreference(now: () => number): Preference {
  const health = new Map<string, Health>();
  /** The last target of a conversation, so that a conversation does not jump between models. Oldest first. */
  const last = new Map<string, string>();

  const isOpen = (target: Target): boolean => (health.get(target.provider)?.openUntil ?? 0) > now();
  return {
    order(conversation, targets) {
      if (targets.length < 2) return targets;
      const sticky = last.get(conversation);
      const ranks = new Map<string, number>();
      for (const { perimeter } of targets) if (!ranks.has(perimeter)) ranks.set(perimeter, ranks.size);
      // An open circuit moves a target to the end instead of dropping it: when all are open, the first is tried all the same.
      const rank = (target: Target): number =>
        (isOpen(target) ? 100 : 0) + (ranks.get(target.perimeter) ?? 0) * 2 + (keyOf(target) === sticky ? 0 : 1);
      return targets.toSorted((a, b) => rank(a) - rank(b));
    },
    succeeded(conversation, target) {
      health.delete(target.provider);
      last.delete(conversation);
      last.set(conversation, keyOf(target));
      for (const oldest of last.keys()) {
        if (last.size <= maxConversations) break;
        last.delete(oldest);
      }
    },
    failed(target) {
      const known = health.get(target.provider) ?? { failures: 0, openUntil: 0 };
      known.failures++;
      if (known.failures >= failuresToOpen) known.openUntil = now() + openForMs;
      health.set(target.provider, known);
    },
  };
}

function keyOf({ provider, model }: Target): string {
  return `${provider}/${model}`;
}
