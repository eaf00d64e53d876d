// An allowed exchange that is no model call: on to the host that was asked for, whole and unchanged but for what belongs to the
// connection. Redirects go back to the program, which then has to ask for the next place like for any other.
import type { Agent } from 'undici';
import { codeOf, type EntryBody, type ExchangeHead, type ExchangeReply, type Principal, product } from '../core/index.ts';
import type { Departure } from './departure.ts';
import { directHeaders, endToEnd } from './headers.ts';
import type { Outcomes } from './outcomes.ts';
import { PlainReply } from './plain-reply.ts';
import { faultText, refusalText } from './refuse.ts';
import { hostInUrl } from './route.ts';
import { send } from './upstream.ts';
import type { Vault } from './vault.ts';

export interface DirectInput {
  readonly head: ExchangeHead;
  readonly body: Uint8Array;
  readonly principal: Principal;
  readonly entry: { readonly index: number };
  readonly signal: Departure;
}

export interface DirectDeps {
  readonly agent: Agent;
  readonly vault: Vault;
  readonly timeoutMs: number;
  readonly outcomes: Outcomes;
}

export async function forwardDirect(deps: DirectDeps, { head, body, principal, entry, signal }: DirectInput): Promise<ExchangeReply> {
  const record = (outcome: Partial<EntryBody>): void => deps.outcomes.add(entry.index, outcome);
  try {
    const { scheme, host, port, target, method } = head;
    const restored = deps.vault.restore(directHeaders(head.rawHeaders), { scheme, host, target }, principal.session);
    const answer = await send(
      deps.agent,
      {
        origin: `${scheme}://${hostInUrl(host)}:${port}`,
        path: restored.target,
        method,
        headers: restored.rawHeaders,
        body: body.length > 0 ? body : undefined,
        timeoutMs: deps.timeoutMs,
      },
      signal,
    );
    const reply = new PlainReply(({ bytesIn, fault }) =>
      record({ status: answer.status, bytesOut: body.length, bytesIn, ...(fault === undefined ? {} : { reason: fault }) }),
    );
    reply.passOn(answer);
    return { status: answer.status, rawHeaders: endToEnd(answer.rawHeaders), body: reply };
  } catch (fault) {
    const isMisuse = codeOf(fault) === 'CREDENTIAL_MISUSED';
    const reason = faultText(fault);
    record({
      status: isMisuse ? 403 : 502,
      bytesOut: 0,
      bytesIn: 0,
      reason,
      ...(isMisuse ? { decision: 'deny', policies: ['credentials'] } : {}),
    });
    const text = isMisuse
      ? refusalText({ reason, policies: ['credentials'], entry: entry.index })
      : `${product.name}: ${reason} (ledger entry ${entry.index})`;
    const bytes = Buffer.from(`${text}\n`);
    return {
      status: isMisuse ? 403 : 502,
      rawHeaders: ['content-type', 'text/plain; charset=utf-8', 'content-length', String(bytes.length)],
      body: bytes,
    };
  }
}
