// A connection that is not HTTP: asked for, then piped as it is or closed. Its bytes are not looked at beyond the first, so policy
// decides by name and port alone.
import { Duplex } from 'node:stream';
import { codeOf, denyFor, IntramurError } from '../core/index.ts';
import { lastWords } from './last-words.ts';
import type { Limits } from './limits.ts';
import { openingOf } from './opening.ts';
import type { Origin } from './origin.ts';
import { peek } from './peek.ts';
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
  await splice(origin, protocol, outcome.upstream, deps.reports);
}

/**
 * Both directions, each with its own end. The server may speak at once; the program's side is passed on only when it begins as what was
 * decided: an allowed port is no way for TLS or HTTP that nobody looks into. A side that breaks off is never passed on as an end, since
 * bytes that are missing must be missed.
 */
async function splice(origin: Origin, protocol: 'tcp' | 'ssh', upstream: Duplex, reports: Reports): Promise<void> {
  const { socket } = origin;
  upstream.on('error', () => {});
  upstream.once('close', () => {
    if (upstream.readableEnded && upstream.writableFinished) return;
    if (!socket.destroyed) socket.resetAndDestroy();
  });
  socket.once('close', () => upstream.destroy());
  if (socket.destroyed) return void upstream.destroy();
  if (upstream.destroyed) return void socket.resetAndDestroy();
  upstream.pipe(socket);
  const peeked = await peek(socket, (seen) => beginsAs(protocol, seen) !== 'unclear', undefined);
  if (!peeked) return;
  if (peeked.why === 'ended' && peeked.seen.length === 0) return void upstream.end();
  if (peeked.why === 'enough' && beginsAs(protocol, peeked.seen) === 'yes') return void socket.pipe(upstream);
  await reports.refusal(origin, `not ${protocol === 'ssh' ? 'SSH' : 'a plain protocol'} on port ${origin.port}`);
  upstream.destroy();
  socket.resetAndDestroy();
}

function beginsAs(protocol: 'tcp' | 'ssh', seen: Buffer): 'yes' | 'no' | 'unclear' {
  if (protocol === 'ssh') {
    // RFC 4253 section 4.2: the client's first line is its identification.
    const begin = seen.toString('latin1', 0, 4);
    return begin === 'SSH-' ? 'yes' : 'SSH-'.startsWith(begin) ? 'unclear' : 'no';
  }
  const { kind } = openingOf(seen);
  return kind === 'unclear' ? 'unclear' : kind === 'raw' ? 'yes' : 'no';
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
