// The refusal of a model call when there is no daemon to refuse it: in the caller's own dialect, because agents show that to their user
// and stop, while they repeat other failures in silence. Loaded only when it is needed.
import { codeOf, denyFor, type ExchangeHead, type ExchangeReply, product } from '../../core/index.ts';
import { modelCall } from '../../daemon/index.ts';
import { refusal } from '../../wire/index.ts';

/** @returns `undefined` for what is no model call */
export function refuseLocally(head: ExchangeHead, fault: unknown): ExchangeReply | undefined {
  const call = modelCall(head);
  const denied = denyFor(codeOf(fault) ?? 'INTERNAL');
  if (!call || denied.effect !== 'deny') return undefined;
  return refusal(call.dialect, {
    message: `${product.refusalPrefix} ${denied.reason.text} (policy fail-closed, not in the ledger)`,
    kind: 'policy',
  });
}
