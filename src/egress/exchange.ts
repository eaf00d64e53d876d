// One HTTP exchange, whatever version it came in: hand it to `forward`, and answer with its reply or, when that fails, a refusal.
import type { Readable } from 'node:stream';
import { codeOf, denyFor, type ExchangeHead, type ExchangeReply } from '../core/index.ts';
import type { Limits } from './limits.ts';
import type { Origin } from './origin.ts';
import { type Refusal, refusalReply, refuse } from './refusal.ts';
import { type CheckedReply, checkReply, discard } from './reply.ts';
import type { Reports } from './report.ts';
import type { RequestBody } from './request-body.ts';
import type { Described } from './request-head.ts';
import { within } from './within.ts';

export type Forward = (head: ExchangeHead, body: Readable, signal: AbortSignal) => Promise<ExchangeReply>;

/** The program's side of an exchange, as its HTTP version offers it. */
export interface Caller {
  /** Calls back, once, when the program goes away before it has the whole reply. */
  onGone(listener: () => void): void;
  /** Sends a reply. Never throws: a reply that breaks off is cut visibly. */
  send(reply: CheckedReply): Promise<void>;
}

export interface Exchanges {
  run(described: Described, body: RequestBody, caller: Caller): Promise<void>;
}

export function createExchanges(forward: Forward, reports: Reports, limits: Limits): Exchanges {
  let running = 0;

  async function refused(origin: Origin, refusal: Refusal, caller: Caller, detail?: Readonly<Record<string, string>>): Promise<void> {
    await reports.refusal(origin, refusal.reason, detail);
    await caller.send(checkReply(refusalReply(refusal)));
  }

  /** INVARIANT: the only catch around `forward`; every fault becomes a refusal. */
  async function decided(head: ExchangeHead, body: Readable, signal: AbortSignal): Promise<CheckedReply | Refusal> {
    let reply: ExchangeReply | undefined;
    try {
      reply = await within(limits.forwardMs, 'the exchange', forward(head, body, signal), discard);
      return checkReply(reply);
    } catch (fault) {
      if (reply) discard(reply);
      const denied = denyFor(codeOf(fault) ?? 'INTERNAL');
      return refuse(denied.effect === 'deny' ? denied.reason.text : 'the exchange failed');
    }
  }

  async function run(described: Described, body: RequestBody, caller: Caller): Promise<void> {
    const { origin } = described;
    if ('refusal' in described) {
      body.destroy();
      return await refused(origin, described.refusal, caller);
    }
    const path = pathDetail(described.head);
    if (running >= limits.exchanges) {
      body.destroy();
      return await refused(origin, refuse(`more than ${limits.exchanges} exchanges at once`, 503), caller, path);
    }
    running += 1;
    const bodyTimer = setTimeout(() => body.breakOff(), limits.bodyMs);
    bodyTimer.unref();
    const abort = new AbortController();
    let isGone = false;
    caller.onGone(() => {
      isGone = true;
      abort.abort(new Error('the program went away'));
    });
    try {
      reports.markKnown(origin);
      const outcome = await decided(described.head, body, abort.signal);
      if ('reason' in outcome) {
        // The daemon may be what failed: the program does not wait for a record that cannot be made.
        abort.abort(new Error(outcome.reason));
        if (!isGone) void reports.refusal(origin, outcome.reason, path);
        await caller.send(checkReply(refusalReply(outcome)));
      } else {
        await caller.send(outcome);
      }
    } finally {
      running -= 1;
      clearTimeout(bodyTimer);
      if (!body.isComplete) {
        // Answered before the upload was over: whoever still carries it on is told to stop.
        body.destroy();
        abort.abort(new Error('the exchange is over'));
      }
    }
  }

  return { run };
}

/** Path without the query: a query may hold what must not be stored. */
function pathDetail({ method, target }: ExchangeHead): Record<string, string> {
  return { method, path: target.replace(/\?.*$/s, '').slice(0, 512) };
}
