// Which exchanges are model calls: those addressed to our gateway, and those on their way to a host that is known to serve models.
import type { ExchangeHead } from '../core/index.ts';
import { modelHost } from '../providers/index.ts';
import { type Call, detectCall } from '../wire/index.ts';

export function modelCall(head: ExchangeHead): Call | undefined {
  if (head.via !== 'gateway' && (head.isDirect || !modelHost(head.host, pathOf(head.target)))) return undefined;
  const call = detectCall(head, head.via === 'gateway' ? 'gateway' : 'vendor');
  return call.kind === 'unknown' ? undefined : call;
}

export function pathOf(target: string): string {
  const query = target.indexOf('?');
  return query < 0 ? target : target.slice(0, query);
}
