// Before a session opens: does the workspace still bring what somebody looked at? Where nothing was pinned this is one look at the disk.
import fs from 'node:fs';
import { type Places, product } from '../../../core/index.ts';
import { type Drift, driftFrom, readPin } from '../../workspace-pin.ts';
import { printable } from '../status-line.ts';

const shownLines = 60;

export interface Refusal {
  /** For the ledger. */
  readonly reason: string;
  /** For the terminal. */
  readonly lines: string;
}

/** @throws IntramurError CONFIG_INVALID when the pin does not read */
export async function refusalFor(workspace: string, places: Places): Promise<Refusal | undefined> {
  const drift = await driftOf(workspace, places);
  return drift === undefined ? undefined : { reason: driftReason(drift), lines: driftLines(drift) };
}

async function driftOf(workspace: string, { state }: Places): Promise<Drift | undefined> {
  const pin = readPin(state, fs.realpathSync(workspace));
  if (pin === undefined) return undefined;
  const { repositoryFiles } = await import('../../../audit/index.ts');
  return driftFrom(pin, repositoryFiles(pin.workspace));
}

/** The one line that goes into the ledger. */
function driftReason({ pin, changes }: Drift): string {
  const names = changes.slice(0, 5).map(({ path, what }) => `${what} ${printable(path)}`);
  const more = changes.length > names.length ? ` and ${changes.length - names.length} more` : '';
  return `what this repository brings for agents is not what ${printable(pin.by)} looked at on ${pin.at.slice(0, 10)}: ${names.join(', ')}${more}`;
}

function driftLines({ pin, changes }: Drift): string {
  const lines = changes.flatMap(({ path, what, diff }) =>
    diff === undefined ? [`${what} ${path}`] : [`${what} ${path}`, ...diff.trimEnd().split('\n').slice(2)],
  );
  const shown = lines.slice(0, shownLines).map(printable);
  const more = lines.length > shownLines ? [`and ${lines.length - shownLines} lines more`] : [];
  return [...shown, ...more, `${product.name}: when this is right: ${product.name} audit --pin ${printable(pin.workspace)}`, ''].join('\n');
}
