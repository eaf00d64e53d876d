// Refusals by default wait here for a person. Approved, the grant holds for the session that asked, until its end; what shall hold longer
// is written into the configuration. INVARIANT: nothing in a sandbox reaches this: the control socket is in none of them.
import { type Decision, type EntryBody, IntramurError, type Request } from '../core/index.ts';
import { type Grant, missingGrant, type NextStep, nextStep } from './next-steps.ts';
import type { Session } from './session.ts';

export interface Proposal {
  readonly id: string;
  readonly session: string;
  readonly agent: string;
  readonly workspace: string;
  readonly grant: Grant;
  readonly nextStep: NextStep;
  readonly askedAt: string;
  /** How often it was refused so far. */
  count: number;
  /** Ledger entry of the first refusal. */
  readonly entry: number | undefined;
  /** `over`: nobody has decided before the session ended. */
  status: 'pending' | 'approved' | 'denied' | 'over';
}

/** What is kept, so that a program that asks for a new name each time fills nothing: of one session, of all, and of sessions that are over. */
const limits = { perSession: 100, all: 2000, over: 100 } as const;

export interface ProposalDeps {
  append(entry: EntryBody): Promise<{ readonly index: number }>;
  sessionOf(id: string): Session | undefined;
  now(): Date;
}

export class Proposals {
  readonly #deps: ProposalDeps;
  /** By session and grant, oldest first. */
  readonly #all = new Map<string, Proposal>();
  #last = 0;

  constructor(deps: ProposalDeps) {
    this.#deps = deps;
  }

  /** @returns what a person could do about this decision; `undefined` when there is nothing to propose */
  note(request: Request, decision: Decision, entry: number | undefined): NextStep | undefined {
    const grant = missingGrant(request, decision);
    if (!grant) return undefined;
    const { session, agent, workspace = '' } = request.principal;
    const key = JSON.stringify([session, grant]);
    const known = this.#all.get(key);
    if (known) {
      known.count += 1;
      return known.nextStep;
    }
    const own = [...this.#all.values()].filter((other) => other.session === session).length;
    const isOpen = request.principal.via === 'sandbox' && this.#deps.sessionOf(session) !== undefined;
    if (!isOpen || own >= limits.perSession) return nextStep(grant, request, undefined);
    const id = `p${(this.#last += 1)}`;
    const step = nextStep(grant, request, id);
    const askedAt = this.#deps.now().toISOString();
    this.#all.set(key, { id, session, agent, workspace, grant, nextStep: step, askedAt, count: 1, entry, status: 'pending' });
    for (const oldest of this.#all.keys()) {
      if (this.#all.size <= limits.all) break;
      this.#all.delete(oldest);
    }
    return step;
  }

  /** Nobody can grant anything to a session that is over. What it lacked is shown for a while, for the next one. */
  ended(session: string): void {
    for (const proposal of this.#all.values()) if (proposal.session === session && proposal.status === 'pending') proposal.status = 'over';
    const over = [...this.#all].filter(([, { session: of }]) => of === session || !this.#deps.sessionOf(of));
    for (const [key] of over.slice(0, Math.max(0, over.length - limits.over))) this.#all.delete(key);
  }

  list(): readonly Proposal[] {
    return [...this.#all.values()];
  }

  of(session: string): readonly NextStep[] {
    return this.list().flatMap((proposal) => (proposal.session === session ? [proposal.nextStep] : []));
  }

  /**
   * INVARIANT: the entry is durable before the grant is in force.
   * @throws IntramurError USAGE for an unknown or decided proposal, SESSION_UNKNOWN for a session that is over
   */
  async decide(id: string, isApproved: boolean, by: { readonly user: string; readonly reason?: string }): Promise<Proposal> {
    const proposal = this.list().find((one) => one.id === id);
    if (!proposal) throw new IntramurError('USAGE', `there is no proposal ${JSON.stringify(id)}`);
    if (proposal.status === 'approved' || proposal.status === 'denied')
      throw new IntramurError('USAGE', `the proposal ${id} is ${proposal.status} already`);
    const session = this.#deps.sessionOf(proposal.session);
    if (!session) {
      throw new IntramurError(
        'SESSION_UNKNOWN',
        `the session ${proposal.session} is over; there is nothing to ${isApproved ? 'grant' : 'deny'}`,
        {
          hint: proposal.nextStep.option ?? proposal.nextStep.config,
        },
      );
    }
    const { grant, agent, entry } = proposal;
    await this.#deps.append({
      action: 'approval.decide',
      session: proposal.session,
      user: by.user,
      agent,
      decision: isApproved ? 'allow' : 'deny',
      ...(grant.kind === 'host' ? { host: grant.host, port: grant.port } : {}),
      ...(by.reason === undefined ? {} : { reason: by.reason }),
      detail: { proposal: id, ...(grant.kind === 'key' ? { name: grant.name } : {}), ...(entry === undefined ? {} : { refusal: entry }) },
    });
    proposal.status = isApproved ? 'approved' : 'denied';
    if (isApproved && grant.kind === 'host') session.grants.push({ host: grant.host, ports: [grant.port] });
    if (isApproved && grant.kind === 'key') session.keys.add(grant.name);
    return proposal;
  }
}
