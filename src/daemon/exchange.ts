// One HTTP exchange of a session: tell what it is, ask the monitor, send it on or refuse. Model calls are the gateway's; anything
// else goes to the host that was asked for, if policy lets it.
import type { Readable } from 'node:stream';
import { endpointClass, knownForModels } from '../agents/index.ts';
import {
  type Body,
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
import { isModelHost } from '../providers/index.ts';
import { refusal } from '../wire/index.ts';
import type { Logins, Ours } from './login/logins.ts';
import { loginPlace, renewalBody } from './login/renewal-request.ts';
import { maxAnswerBytes } from './login/token-answer.ts';
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
  readonly logins: Logins;
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
  { gateway, mediation, register, proposals, vault, logins }: ExchangeDeps,
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
  const asked = typeof read === 'string' ? undefined : logins.read(session, head, read);
  const ours = asked && !('refused' in asked) ? asked : undefined;
  const isMisused = typeof read !== 'string' && !ours && vault.isMisusedIn(read, head.host, session.principal.session);
  const misused = `${faults.CREDENTIAL_MISUSED.says} (CREDENTIAL_MISUSED)`;
  const bytes = asked && 'refused' in asked ? `${asked.refused} (CREDENTIAL_MISUSED)` : isMisused ? misused : read;
  if (typeof bytes === 'string') {
    const rule = owner !== undefined ? 'ban' : bytes === read ? 'fail-closed' : 'credentials';
    const { entry } = await mediation.recordRefusal(request, bytes, rule);
    return plain(403, `${product.refusalPrefix} ${bytes} (ledger entry ${entry?.index})\n`);
  }
  const contentType = headerOf(head.rawHeaders, 'content-type')?.split(';')[0]?.trim().toLowerCase() ?? '';
  const recorded = ours
    ? await mediation.mediate({ ...request, act: { ...act, isRenewal: true } }, bodyOf(ours))
    : await mediation.mediate(
        { ...request, act: { ...act, ...(asksModels(head, bytes) ? { servesModels: true } : {}) } },
        { bytes, contentType, views: viewsOf(head) },
      );
  const { decision, entry } = recorded;
  if (decision.effect === 'deny') {
    const where = entry ? `ledger entry ${entry.index}` : 'not recorded';
    const step = proposals.note(request, decision, entry?.index);
    const steps = step === undefined ? '' : `next_steps: ${JSON.stringify([step])}\n`;
    return plain(403, `${product.refusalPrefix} ${decision.reason.text} (${where})\n${steps}`);
  }
  if (!entry) throw new IntramurError('LEDGER_APPEND', 'an allow without a ledger entry');
  if (ours) {
    const { reply, outcome } = 'renewal' in ours ? await logins.renew(session, ours.renewal) : await logins.inquire(ours.question);
    await mediation.recordOutcome(entry.index, outcome);
    return reply;
  }
  const login = loginPlace(head, session.principal.agent);
  const forwarded = { body: bytes, principal: session.principal, entry, signal };
  if (!login) return await gateway.forwardDirect({ head, ...forwarded });
  // A new login or key, at a host that was granted. What it brings is replaced, so it has to come in a form that can be read.
  const answer = await gateway.forwardDirect({ head: withHeader(head, 'accept-encoding', 'identity'), ...forwarded });
  if (answer.body instanceof Uint8Array) return answer; // Our own words: it was refused, or nobody answered.
  const whole = await wholeOf(answer.body);
  return logins.admit(session, login, { status: answer.status, rawHeaders: answer.rawHeaders, bytes: whole });
}

/** What an agent asks before it starts (its account, a list of models) names something and says nothing. */
const longestQuestion = { path: 200, headers: 4096 } as const;

/** Does this carry something to a host where a model service is known? */
function asksModels({ host, method, target, rawHeaders }: ExchangeHead, body: Uint8Array): boolean {
  if (!isModelHost(host) && !knownForModels(host)) return false;
  const said = rawHeaders.filter((_, i) => !/^(?:authorization|cookie)$/i.test(rawHeaders[i - (i % 2)] ?? ''));
  const isQuestion =
    (method === 'GET' || method === 'HEAD') &&
    body.length === 0 &&
    target.length <= longestQuestion.path &&
    !target.includes('?') &&
    said.join('').length <= longestQuestion.headers;
  return !isQuestion;
}

/** What policy and inspection are shown: what will leave, less the real token and what every copy of the agent holds. */
function bodyOf(ours: Ours): Body {
  if ('question' in ours) return { bytes: new Uint8Array(), contentType: '', views: [] };
  const { renewal } = ours;
  const { secret, flow } = renewal;
  const bytes = renewalBody({ ...renewal, clientSecret: undefined }, secret.prefix);
  return { bytes, contentType: flow.token.form === 'json' ? 'application/json' : 'application/x-www-form-urlencoded', views: [] };
}

function withHeader(head: ExchangeHead, name: string, value: string): ExchangeHead {
  const others = head.rawHeaders.filter((_, i, all) => all[i - (i % 2)]?.toLowerCase() !== name);
  return { ...head, rawHeaders: [...others, name, value] };
}

/** `undefined` when it is longer than an answer with tokens can be. */
async function wholeOf(body: Readable): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxAnswerBytes) return undefined; // Leaving the loop destroys the body.
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
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
