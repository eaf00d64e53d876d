// A connection that is not HTTP: asked for, then piped as it is or closed. The bytes are not looked at, so policy decides by name and
// port alone.
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream';
import { codeOf, denyFor } from '../core/index.ts';
import type { Limits } from './limits.ts';
import type { Origin } from './origin.ts';
import type { Attempt, Reports } from './report.ts';
import { sshRefusal } from './ssh-refusal.ts';
import { within } from './within.ts';

export type Connect = (
  attempt: Attempt,
) => Promise<{ readonly effect: 'deny'; readonly reason: string } | { readonly effect: 'allow'; open(): Promise<Duplex> }>;

/** @param protocol what the connection is taken for: by its port `ssh`, else `tcp` */
export async function relay(
  origin: Origin,
  protocol: 'tcp' | 'ssh',
  deps: { readonly connect: Connect; readonly reports: Reports; readonly limits: Limits },
): Promise<void> {
  const { socket, host, port, isDirect } = origin;
  deps.reports.markKnown(origin);
  const outcome = await dial({ host, port, protocol, isDirect }, deps.connect, deps.limits);
  if ('refused' in outcome) {
    if (protocol === 'ssh') socket.end(sshRefusal(outcome.refused));
    else socket.destroy();
    socket.resume();
    return;
  }
  const { upstream } = outcome;
  const onEnd = (error: Error | null | undefined): void => {
    if (!error) return;
    upstream.destroy();
    socket.resetAndDestroy();
  };
  if (socket.destroyed) return void upstream.destroy();
  pipeline(socket, upstream, onEnd);
  pipeline(upstream, socket, onEnd);
}

/** INVARIANT: the only catch around `connect` for raw connections; every fault becomes a refusal. */
async function dial(
  attempt: Attempt,
  connect: Connect,
  limits: Limits,
): Promise<{ readonly upstream: Duplex } | { readonly refused: string }> {
  try {
    const decision = await within(limits.connectMs, 'the decision', connect(attempt), () => {});
    if (decision.effect !== 'allow') return { refused: decision.reason };
    const upstream = await within(limits.connectMs, 'the connection', decision.open(), (late) => late.destroy());
    return { upstream };
  } catch (fault) {
    const denied = denyFor(codeOf(fault) ?? 'INTERNAL');
    return { refused: denied.effect === 'deny' ? denied.reason.text : 'the connection failed' };
  }
}
