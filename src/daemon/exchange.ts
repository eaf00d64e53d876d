// One HTTP exchange of a session: tell what it is, ask the monitor, send it on or refuse. Model calls are the gateway's; anything
// else goes to the host that was asked for, if policy lets it.
import type { Readable } from 'node:stream';
import { endpointClass } from '../agents/index.ts';
import {
  codeOf,
  denyFor,
  type ExchangeHead,
  type ExchangeReply,
  faults,
  type HttpRequest,
  headerOf,
  IntramurError,
  product,
} from '../core/index.ts';
import type { Admission, Admitted, Gateway, Vault } from '../gateway/index.ts';
import { refusal } from '../wire/index.ts';
import type { Mediation } from './mediation.ts';
import { modelCall, pathOf } from './model-call.ts';
import type { Proposals } from './proposals.ts';
import type { AgentRegister } from './register.ts';
import { isGranted, type Session } from './session.ts';

/** What may be read into memory before it is inspected, bytes. */
export const maxBodyBytes = 32 * 1024 * 1024;

export interface ExchangeDeps {
  readonly vault: Pick<Vault, 'isMisusedIn'>;
  readonly proposals: Pick<Proposals, 'note'>;
  readonly gateway: Gateway;
  readonly mediation: Mediation;
  /** Of exchanges that are no model calls; those have the gateway's own. */
  readonly admission: Admission;
  readonly register: Pick<AgentRegister, 'closedBy'>;
}

/** All sessions together: one that opens many uploads at once must not take the daemon down for the others. */
export const directLimits = { maxCalls: 1024, maxHeldBytes: 512 * 1024 * 1024 } as const;

/** INVARIANT: every path through here either went through the monitor or is answered without an upstream. */
export async function handleExchange(
  session: Session,
  head: ExchangeHead,
  body: Readable,
  signal: AbortSignal,
  deps: ExchangeDeps,
): Promise<ExchangeReply> {
  const call = modelCall(head);
  try {
    if (call) return await deps.gateway.handle(call, head, body, session.principal, signal);
    if (head.via === 'gateway') return plain(404, `${product.name}: no such path on the gateway\n`);
    return await forwardOther(session, head, body, signal, deps);
  } catch (fault) {
    const denied = denyFor(codeOf(fault) ?? 'INTERNAL');
    const text = `${product.refusalPrefix} ${denied.effect === 'deny' ? denied.reason.text : faults.INTERNAL.says}`;
    return call ? refusal(call.dialect, { message: text, kind: 'policy' }) : plain(403, `${text}\n`);
  }
}

async function forwardOther(
  session: Session,
  head: ExchangeHead,
  body: Readable,
  signal: AbortSignal,
  deps: ExchangeDeps,
): Promise<ExchangeReply> {
  const place = deps.admission.enter();
  if (!place) {
    body.resume();
    return plain(503, `${product.refusalPrefix} too many exchanges are under way at once\n`);
  }
  try {
    return await decideOther(session, head, body, signal, place, deps);
  } finally {
    place.leave();
  }
}

async function decideOther(
  session: Session,
  head: ExchangeHead,
  body: Readable,
  signal: AbortSignal,
  place: Admitted,
  { gateway, mediation, register, proposals, vault }: ExchangeDeps,
): Promise<ExchangeReply> {
  const path = pathOf(head.target);
  const act: HttpRequest = {
    action: 'http.request',
    class: endpointClass(head.host, path) ?? 'other',
    scheme: head.scheme,
    host: head.host,
    port: head.port,
    method: head.method,
    path,
    isDirect: head.isDirect,
    isGranted: isGranted(session.grants, head.host, head.port),
  };
  const request = { principal: session.principal, act };
  const owner = register.closedBy(head.host);
  const read = owner === undefined ? await readBody(body, maxBodyBytes, place) : ownedBy(owner);
  if (owner !== undefined) body.resume();
  const isMisused = typeof read !== 'string' && vault.isMisusedIn(read, head.host, session.principal.session);
  const bytes = isMisused ? `${faults.CREDENTIAL_MISUSED.says} (CREDENTIAL_MISUSED)` : read;
  if (typeof bytes === 'string') {
    const { entry } = await mediation.recordRefusal(request, bytes);
    return plain(403, `${product.refusalPrefix} ${bytes} (ledger entry ${entry?.index})\n`);
  }
  const contentType = headerOf(head.rawHeaders, 'content-type')?.split(';')[0]?.trim().toLowerCase() ?? '';
  const recorded = await mediation.mediate(request, { bytes, contentType, views: viewsOf(head) });
  const { decision, entry } = recorded;
  if (decision.effect === 'deny') {
    const where = entry ? `ledger entry ${entry.index}` : 'not recorded';
    const step = proposals.note(request, decision, entry?.index);
    const steps = step === undefined ? '' : `next_steps: ${JSON.stringify([step])}\n`;
    return plain(403, `${product.refusalPrefix} ${decision.reason.text} (${where})\n${steps}`);
  }
  if (!entry) throw new IntramurError('LEDGER_APPEND', 'an allow without a ledger entry');
  return await gateway.forwardDirect({ head, body: bytes, principal: session.principal, entry, signal });
}

/** Why a host is closed: policy has no say, and neither has a grant. */
export function ownedBy(agent: string): string {
  return `this host is that of the banned tool "${agent}" (agents ban)`;
}

/** Strings of an exchange that leave beside its body: the target and every header value. */
function viewsOf({ target, rawHeaders }: ExchangeHead): string[] {
  return [target, ...rawHeaders];
}

const tooLong = `the body is longer than the ${maxBodyBytes / 2 ** 20} MiB that are inspected (INSPECT_LIMIT)`;

const tooMuch = 'the exchanges under way hold too much already (INSPECT_LIMIT)';

/** @returns why not, when the body is longer than `limit` bytes or all together hold too much */
async function readBody(body: Readable, limit: number, place: Admitted): Promise<Buffer | string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) return tooLong;
    if (!place.hold(chunk.length)) return tooMuch;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

export function plain(status: number, text: string): ExchangeReply {
  return {
    status,
    rawHeaders: ['content-type', 'text/plain; charset=utf-8', 'content-length', String(Buffer.byteLength(text))],
    body: Buffer.from(text),
  };
}
