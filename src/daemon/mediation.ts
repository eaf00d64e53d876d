// The monitor as the daemon's rooms call it: with the session's own policy, its tally, and the link from a decision to its outcome.
import type { Body, EntryBody, OwnRule, Request } from '../core/index.ts';
import { type Facts, type FileClasses, type MonitorDeps, mediate, type Recorded, recordRefusal } from '../monitor/index.ts';
import type { PolicyEngine } from '../policy/index.ts';
import type { KnownSecrets } from './known-secrets.ts';
import type { EgressTally } from './protocol.ts';
import { createRefusalRate } from './refusal-rate.ts';
import type { Tally } from './tally.ts';

export interface Subject {
  readonly engine: PolicyEngine;
  readonly tally: Tally | undefined;
  /** Ends the session's rights. */
  halt?(reason: string): void;
  /** What becomes of a secret in a model call. */
  readonly secrets: 'placeholder' | 'block';
  /** Values that must not leave. */
  readonly known?: Promise<KnownSecrets> | undefined;
  /** How sensitive files are by where they lie; throws when that is not known. */
  readonly files?: (() => FileClasses) | undefined;
}

/** A session that was refused so often ends: each refusal is an entry, and no work goes on after so many. */
export const maxRefusals = 100_000;

export interface Mediation {
  mediate(request: Request, body: Body): Promise<Recorded>;
  /** Records what an enforcement point refused by itself. */
  recordRefusal(request: Request, reason: string, rule: OwnRule): Promise<Recorded>;
  /**
   * Records how an allowed act ended. Never throws: the act has happened; a ledger that cannot append denies what comes next, and takes this when
   * it can again.
   */
  recordOutcome(of: number, outcome: Partial<EntryBody>): Promise<void>;
  /** Records the outcomes that the ledger could not take. Never throws. */
  recordMissed(): Promise<void>;
  /** Resolves when every allowed act of the session has its outcome recorded, or when `limitMs` are over. */
  settled(session: string, limitMs: number): Promise<void>;
  /** Records the refusals that were only counted so far, of a session that is over or of all. Never throws. */
  finish(session?: string): Promise<void>;
}

interface Pending {
  readonly request: Request;
  readonly row: EgressTally | undefined;
  readonly tally: Tally | undefined;
  isEnded: boolean;
  /** Set by who waits for its outcome. */
  whenRecorded?: () => void;
}

function recorded(decided: Pending): Promise<void> {
  return new Promise((resolve) => {
    const others = decided.whenRecorded;
    decided.whenRecorded = () => {
      others?.();
      resolve();
    };
  });
}

function endFlood({ tally, halt }: Subject): void {
  if (tally && tally.refusals >= maxRefusals) halt?.('it was refused more often than any work needs');
}

function outcomeEntry(
  { principal: { session, user, agent, purpose }, act }: Request,
  outcomeOf: number,
  outcome: Partial<EntryBody>,
): EntryBody {
  const { action } = act;
  if (!('host' in act)) return { action, session, user, agent, purpose, ...outcome, outcomeOf };
  return { action, session, user, agent, purpose, class: act.class, host: act.host, port: act.port, ...outcome, outcomeOf };
}

/** With the values that this subject must not give away. What was seen before counts only where the same ones were looked for. */
function inspectFor({ known }: Subject, inspect: MonitorDeps['inspect']): MonitorDeps['inspect'] {
  if (!known) return inspect;
  return async (body, { session, knownSecrets = [] }) => {
    const { list, version } = await known;
    return await inspect(body, {
      session: version === '' ? session : `${session} knowing ${version}`,
      knownSecrets: knownSecrets.length === 0 ? list : [...list, ...knownSecrets],
    });
  };
}

export function createMediation(
  deps: Omit<MonitorDeps, 'decide'>,
  subjectOf: (session: string) => Subject,
  onFault: (what: string, fault: unknown) => void,
): Mediation {
  const pending = new Map<number, Pending>();
  /** No more than were under way when the ledger failed: nothing is allowed after that. */
  let missed: EntryBody[] = [];
  const rate = createRefusalRate((entry) => deps.append(entry), deps.now, onFault);
  const { append } = rate;
  return {
    async mediate(request, body) {
      const subject = subjectOf(request.principal.session);
      const { engine, tally, secrets } = subject;
      const decide = (asked: Request, facts: Facts) => engine.decide(asked, facts);
      const placeholders = secrets === 'block' ? undefined : deps.placeholders;
      const inspect = inspectFor(subject, deps.inspect);
      const { taint, now } = deps;
      const recorded = await mediate(request, body, { inspect, append, decide, placeholders, files: subject.files, taint, now });
      const row = tally?.decided(request, recorded.decision, recorded.report, recorded.entry?.index);
      endFlood(subject);
      if (recorded.entry && recorded.decision.effect === 'allow' && 'host' in request.act)
        pending.set(recorded.entry.index, { request, row, tally, isEnded: false });
      return recorded;
    },
    async recordRefusal(request, reason, rule) {
      const subject = subjectOf(request.principal.session);
      const recorded = await recordRefusal(request, reason, rule, { append });
      subject.tally?.decided(request, recorded.decision, undefined, recorded.entry?.index);
      endFlood(subject);
      return recorded;
    },
    async recordOutcome(of, outcome) {
      const decided = pending.get(of);
      if (!decided || decided.isEnded) return;
      decided.isEnded = true;
      const { request, row, tally } = decided;
      if (row) tally?.ended(row, outcome);
      const entry = outcomeEntry(request, of, outcome);
      try {
        const { index } = await deps.append(entry);
        tally?.saw(index);
      } catch (fault) {
        missed.push(entry);
        onFault('outcome', fault);
      } finally {
        pending.delete(of);
        decided.whenRecorded?.();
      }
    },
    async recordMissed() {
      const those = missed;
      missed = [];
      const results = await Promise.allSettled(those.map((entry) => deps.append(entry)));
      missed.push(...those.filter((_entry, i) => results[i]?.status === 'rejected'));
    },
    async settled(session, limitMs) {
      const own = [...pending.values()].filter(({ request }) => request.principal.session === session);
      const { promise: late, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, limitMs);
      await Promise.race([Promise.all(own.map(recorded)), late]);
      clearTimeout(timer);
    },
    async finish(session) {
      await (session === undefined ? rate.finishAll() : rate.finish(session));
    },
  };
}
