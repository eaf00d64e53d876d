// A connection that is not HTTP: asked for, then piped as it is or closed. The bytes are not looked at, so policy decides by name and
// port alone.
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { codeOf, denyFor, IntramurError } from '../core/index.ts';
import { lastWords } from './last-words.ts';
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
    if (protocol === 'ssh') lastWords(socket, sshRefusal(outcome.refused));
    else socket.destroy();
    return;
  }
  splice(socket, outcome.upstream);
}

/** Both directions, each with its own end. A side that breaks off is never passed on as an end: bytes that are missing must be missed. */
function splice(socket: Socket, upstream: Duplex): void {
  upstream.on('error', () => {});
  upstream.once('close', () => {
    if (upstream.readableEnded && upstream.writableFinished) return;
    if (!socket.destroyed) socket.resetAndDestroy();
  });
  socket.once('close', () => upstream.destroy());
  if (socket.destroyed) return void upstream.destroy();
  if (upstream.destroyed) return void socket.resetAndDestroy();
  socket.pipe(upstream);
  upstream.pipe(socket);
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
    if (!(upstream instanceof Duplex)) throw new IntramurError('INTERNAL', 'a way out that is no stream');
    return { upstream };
  } catch (fault) {
    const denied = denyFor(codeOf(fault) ?? 'INTERNAL');
    return { refused: denied.effect === 'deny' ? denied.reason.text : 'the connection failed' };
  }
}
