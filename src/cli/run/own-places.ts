// The product's own directories stay outside: whoever reads the state inside has the ledger's key, and whoever reaches the control socket or
// writes the configuration there decides about itself.
import fs from 'node:fs';
import path from 'node:path';
import { IntramurError, type Places, product } from '../../core/index.ts';

/**
 * @param shown what the program would see of the host
 * @throws IntramurError SANDBOX_SETUP when one of ours is among it, or holds it
 */
export function refuseOwnPlaces(shown: readonly string[], { config, state, cache }: Pick<Places, 'config' | 'state' | 'cache'>): void {
  const own = [...new Set([config, state, cache].map(realPath))];
  for (const place of shown.map(realPath)) {
    const found = own.find((one) => isWithin(one, place) || isWithin(place, one));
    if (found === undefined) continue;
    throw new IntramurError('SANDBOX_SETUP', `${place} is, holds or is part of a directory of ${product.name} itself (${found})`, {
      hint: `INTRAMUR_HOME=DIR ${product.name} up, with DIR outside of what agents see; or another --workspace`,
    });
  }
}

/** Of what is not there yet, the place where it would be made. */
function realPath(place: string): string {
  try {
    return fs.realpathSync(place);
  } catch {
    const parent = path.dirname(place);
    return parent === place ? place : path.join(realPath(parent), path.basename(place));
  }
}

function isWithin(inner: string, outer: string): boolean {
  return inner === outer || inner.startsWith(outer.endsWith('/') ? outer : `${outer}/`);
}
