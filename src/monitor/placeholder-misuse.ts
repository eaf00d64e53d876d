// The placeholder of a secret means something in model calls only. On its way to any other host somebody tries what it is good for.
import type { Report, Request } from '../core/index.ts';
import { secretPlaceholder } from '../inspect/index.ts';

export function misusesPlaceholder({ act }: Request, report: Report): boolean {
  return act.action !== 'llm.invoke' && report.findings.some(({ detector }) => detector === secretPlaceholder.id);
}
