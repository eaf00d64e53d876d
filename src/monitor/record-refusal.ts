// An enforcement point that refuses by itself (a name that does not agree with itself, bytes in no protocol) still owes the ledger an
// entry. There is nothing left to decide.
import { deny, type OwnRule, type Request } from '../core/index.ts';
import { entryFor } from './entry-for.ts';
import type { MonitorDeps, Recorded } from './mediate.ts';

const nothing = { bytes: new Uint8Array(), contentType: '', views: [] };

export async function recordRefusal(
  request: Request,
  reason: string,
  rule: OwnRule,
  { append }: Pick<MonitorDeps, 'append'>,
): Promise<Recorded> {
  const decision = deny(reason, [rule]);
  const entry = await append(entryFor(request, nothing, decision, undefined, undefined));
  return { decision, report: undefined, entry };
}
