// Which targets a model call could go to, by the model map. What it may go to is for policy to say.
import { type Dialect, perimeterRank, type Target } from '../core/index.ts';
import type { Config } from './config.ts';
import { isCloudModel } from './merge.ts';
import { matchWildcard } from './wildcard.ts';

/**
 * The candidates for `requestedModel`, inside first, else in the order of the file. An exact name wins over a pattern, a longer
 * pattern over a shorter one. A provider that is used with the caller's own credential is a candidate only in its own dialect:
 * the credential of one vendor never goes to another.
 */
export function targetsFor(config: Config, requestedModel: string, dialect: Dialect): readonly Target[] {
  const route = config.models
    .filter(({ match }) => matchWildcard(match, requestedModel))
    .reduce<Config['models'][number] | undefined>(
      (best, next) => (best && specificity(best.match) >= specificity(next.match) ? best : next),
      undefined,
    );
  const targets = (route?.targets ?? []).flatMap((text): Target[] => {
    const slash = text.indexOf('/');
    const provider = config.providers.find(({ id }) => id === text.slice(0, slash));
    if (!provider || (provider.credential === 'client' && provider.dialect !== dialect)) return [];
    const named = text.slice(slash + 1);
    const model = named === '*' ? requestedModel : named;
    if (provider.perimeter === 'onprem' && isCloudModel(model)) return [];
    return [{ provider: provider.id, model, dialect: provider.dialect, perimeter: provider.perimeter, vetted: provider.vetted }];
  });
  return targets.toSorted((a, b) => perimeterRank(b.perimeter) - perimeterRank(a.perimeter));
}

function specificity(pattern: string): number {
  return pattern.includes('*') ? pattern.replaceAll('*', '').length : Number.POSITIVE_INFINITY;
}
