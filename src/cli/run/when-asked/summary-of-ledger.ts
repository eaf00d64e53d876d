// The summary of a session whose daemon went away before its end: what the ledger has of it, which is every decision that was taken.
import { codeOf, type Entry, IntramurError, type Label, type Purpose } from '../../../core/index.ts';
import type { CloseRequest, Summary } from '../../../daemon/index.ts';
import { readEntries, readHead } from '../../../ledger/index.ts';

export interface Known {
  readonly session: string;
  readonly agent: string;
  readonly purpose: Purpose;
  readonly startedAt: Date;
}

/** @param incomplete why the daemon has not summed it up; where the ledger does not read either, the summary has no entry */
export async function summaryOfLedger(ledger: string, known: Known, ended: CloseRequest, incomplete: string): Promise<Summary> {
  try {
    const entries = await entriesOf(ledger, known.session);
    const { root } = await readHead(ledger);
    return summaryOf(entries, root, known, ended, incomplete);
  } catch (fault) {
    if (codeOf(fault) === undefined || !(fault instanceof Error)) throw fault;
    return summaryOf([], '', known, ended, `${incomplete}; ${fault.message}`);
  }
}

/** A stretch that is read at once, from the end of the log backwards. */
const stretch = 4096;

async function entriesOf(ledger: string, session: string): Promise<readonly Entry[]> {
  const { size } = await readHead(ledger);
  let found: Entry[] = [];
  for (let to = size; to > 0; to -= stretch) {
    const own: Entry[] = [];
    for await (const entry of readEntries(ledger, { from: Math.max(0, to - stretch), to })) if (entry.session === session) own.push(entry);
    found = [...own, ...found];
    if (own[0]?.action === 'session.open') return found;
  }
  throw new IntramurError('CONFIG_NOT_FOUND', 'the ledger has nothing of this session');
}

export function summaryOf(
  entries: readonly Entry[],
  root: string,
  { session, agent, purpose, startedAt }: Known,
  { exitCode, halted, limits = [], files }: CloseRequest,
  incomplete: string,
): Summary {
  const rows = new Map<string, Summary['egress'][number]>();
  const rowOf = new Map<number, Summary['egress'][number]>();
  const models = new Map<string, Summary['model'][number]>();
  const labels = new Map<Label, number>();
  const programs = { started: 0, refused: 0 };
  let refusals = 0;
  for (const entry of entries) {
    const { index, action, decision, host, port, class: kind, reason, outcomeOf, provider, perimeter, bytesOut = 0, bytesIn = 0 } = entry;
    if (outcomeOf !== undefined) {
      const row = rowOf.get(outcomeOf);
      if (row) add(row, bytesOut, bytesIn);
      if (!provider || !perimeter) continue;
      const model = models.get(provider) ?? { provider, perimeter, requests: 0, bytesOut: 0, bytesIn: 0 };
      models.set(provider, model);
      model.requests += 1;
      add(model, bytesOut, bytesIn);
      continue;
    }
    // An approval is a decision of a person, about what the session may do.
    if (decision === undefined || action === 'session.open' || action === 'approval.decide') continue;
    const count = countOf(entry);
    if (decision === 'deny') refusals += count;
    if (action === 'process.exec') programs[decision === 'allow' ? 'started' : 'refused'] += count;
    for (const label of entry.labels ?? []) labels.set(label, (labels.get(label) ?? 0) + count);
    if (host === undefined || port === undefined || kind === undefined) continue;
    const key = JSON.stringify([host, port, kind, decision, reason]);
    const isDenied = decision === 'deny' && reason !== undefined;
    const row = rows.get(key) ?? { host, port, class: kind, decision, count: 0, bytesOut: 0, bytesIn: 0, ...(isDenied ? { reason } : {}) };
    rows.set(key, row);
    rowOf.set(index, row);
    row.count += count;
  }
  return {
    schema: 'intramur/summary/1',
    session,
    agent,
    purpose,
    exitCode,
    ...(halted === undefined ? {} : { halted }),
    incomplete,
    startedAt: entries[0]?.time ?? startedAt.toISOString(),
    endedAt: new Date().toISOString(),
    egress: [...rows.values()],
    model: [...models.values()],
    labels: [...labels].map(([label, count]) => ({ label, count })),
    files: files ?? { changed: 0, added: 0, deleted: 0, sensitive: [] },
    refusals,
    limits,
    next_steps: [],
    ...(programs.started + programs.refused > 0 ? { programs } : {}),
    ledger: { first: entries[0]?.index ?? -1, last: entries.at(-1)?.index ?? -1, root },
  };
}

function add(row: { bytesOut: number; bytesIn: number }, bytesOut: number, bytesIn: number): void {
  row.bytesOut += bytesOut;
  row.bytesIn += bytesIn;
}

/** Refusals in a loop stand in one entry, with their number. */
function countOf({ detail }: Entry): number {
  const counted = detail?.['refusals'];
  return typeof counted === 'number' ? counted : 1;
}
