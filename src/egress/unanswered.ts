// Attempts at ports on which nobody listens: the kernel has refused them, what is left is to record them. A program can make many
// thousands a second, so each place is told once a minute, and only so many places: the daemon counts further (docs/decisions/0034).
import { product } from '../core/index.ts';
import type { NameTable } from './name-table.ts';
import type { Reports } from './report.ts';
import { dialledAddress } from './wire-host.ts';

const minuteMs = 60_000;
/** In a minute. What is beyond is said once, with the place that was the first beyond. */
const maxPlaces = 256;

export interface UnansweredDeps {
  readonly names: NameTable;
  readonly reports: Pick<Reports, 'tell'>;
  /** Milliseconds, by any clock that does not go back. */
  now(): number;
}

export function createUnanswered({ names, reports, now }: UnansweredDeps): (address: string, port: number) => void {
  let places = new Set<string>();
  let since = now();
  return (text, port) => {
    const address = dialledAddress(text);
    if (address === undefined) return;
    if (now() - since >= minuteMs) {
      places = new Set();
      since = now();
    }
    const place = `${address} ${port}`;
    if (places.size > maxPlaces || places.has(place)) return;
    places.add(place);
    const name = names.nameOf(address);
    const isFirstBeyond = places.size > maxPlaces;
    // A name is canonical: nothing in it can drive a shell or a terminal.
    const grant = name === undefined ? '' : ` without a grant (${product.name} run --allow ${name}:${port})`;
    const beyond = isFirstBeyond ? `; more than ${maxPlaces} places were dialled in a minute, further ones are not told apart` : '';
    const refused = `there is no way out on port ${port}${grant}${beyond}`;
    void reports.tell({ host: name ?? address, port, protocol: 'tcp', isDirect: name === undefined, detail: { refused } });
  };
}
