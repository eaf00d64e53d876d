// The daemon: joins configuration, policy, inspection, ledger and gateway, and owns the sessions. One per user and state directory;
// the only writer of the ledger.
import os from 'node:os';
import type { Readable } from 'node:stream';
import {
  type Config,
  classificationOf,
  type HostGrant,
  isWhole,
  loadConfig,
  type Repository,
  readRepository,
  vettingOf,
} from '../config/index.ts';
import {
  type ExchangeHead,
  type ExchangeReply,
  IntramurError,
  type NetConnect,
  type Places,
  type Principal,
  type Vetting,
  version,
} from '../core/index.ts';
import { type AuthoritySecret, makeAuthority } from '../egress/index.ts';
import type { Vault } from '../gateway/index.ts';
import type { Ledger } from '../ledger/index.ts';
import type { PolicyEngine } from '../policy/index.ts';
import { attestationEntry } from './attestation.ts';
import { type Connected, connectUpstream } from './connect.ts';
import { type ExchangeDeps, handleExchange, ownedBy } from './exchange.ts';
import { knownSecrets, secretsOfFiles, secretsOfTree } from './known-secrets.ts';
import type { Proposal, Proposals } from './proposals.ts';
import type {
  Attempt,
  AttestReply,
  CloseRequest,
  Confinement,
  DaemonStatus,
  OpenReply,
  OpenRequest,
  PinRequest,
  ProposalDecision,
  SignatureRequest,
  StartsReply,
  StartsRequest,
  StateReply,
  StateRequest,
  Summary,
} from './protocol.ts';
import type { AgentRegister } from './register.ts';
import { closedByLauncher, halt, isGranted, newSessionId, parseGrant, type Session, Sessions } from './session.ts';
import { decideSignature, isUsable } from './signature.ts';
import { decideStarts } from './starts.ts';
import { seenIn, toolOf, whyBanned } from './vetting.ts';

/** How long a session's close waits for outcomes that are on their way. */
const settleLimitMs = 2000;

/** When the next authority is made: not while the session that took the last one is being launched, and its launcher wants the processor. */
const spareAfterMs = 250;

/** An authority that was made ahead keeps most of its validity. */
const spareLifeMs = 3_600_000;

export interface DaemonParts extends ExchangeDeps {
  readonly ledger: Ledger;
  readonly vault: Vault;
  readonly engine: PolicyEngine;
  /** Why nothing can be inspected. */
  inspectionFault(): IntramurError | undefined;
  readonly sessions: Sessions;
  readonly register: AgentRegister;
  readonly proposals: Proposals;
  readonly places: Places;
  /** The file given with `up --config`. */
  readonly configFile: string | undefined;
  engineFor(config: Config): Promise<PolicyEngine>;
  forget(session: string): void;
  /** Brings the configuration into force as its files now stand. */
  reload(): Promise<void>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  readonly urls: { readonly gateway: string; readonly console: string };
  now(): Date;
  stop(): void;
}

export class Daemon {
  readonly #parts: DaemonParts;
  #spare: AuthoritySecret | undefined;

  constructor(parts: DaemonParts) {
    this.#parts = parts;
  }

  status(): DaemonStatus {
    const { ledger, engine, inspectionFault, sessions, urls } = this.#parts;
    const broken = inspectionFault();
    return {
      pid: process.pid,
      version,
      gateway: { url: urls.gateway },
      console: { url: urls.console },
      ledger: { size: ledger.size, root: ledger.rootHash(), ...(ledger.fault === undefined ? {} : { fault: ledger.fault }) },
      ...(broken ? { inspection: { fault: broken.message, ...(broken.hint === undefined ? {} : { next: broken.hint }) } } : {}),
      policy: { digest: engine.digest, packs: engine.packs },
      sessions: sessions.all().map(({ id, principal, startedAt, confinement }) => ({
        id,
        agent: principal.agent,
        purpose: principal.purpose,
        classification: principal.classification,
        startedAt: startedAt.toISOString(),
        ...(confinement ? { confinement } : {}),
      })),
    };
  }

  requestStop(): void {
    this.#parts.stop();
  }

  /** @throws IntramurError CONFIG_INVALID, POLICY_INVALID, USAGE; LEDGER_APPEND when the opening cannot be recorded */
  async open(request: OpenRequest): Promise<{ session: Session; reply: OpenReply }> {
    const { places, configFile, env, home, ledger, register, sessions, vault, now } = this.#parts;
    const file = configFile === undefined ? {} : { file: configFile };
    // Read beside the configuration: both are mostly waiting for the disk.
    const repository = readRepository(request.workspace);
    repository.catch(() => {}); // awaited below
    // The gateway first, so that it serves this session by the same providers that the session is told of.
    await this.#parts.reload();
    const config = await loadConfig({ env, home, cwd: request.workspace, systemDir: places.system, ...file });
    const engine = await this.#parts.engineFor(config);
    const named = await secretsOfFiles(config.inspect.secretFiles);
    const grants = [...request.allow.map(parseGrant), ...config.egress.allow];
    const tool = await toolOf(request, request.program, config, register.current());
    const vetting = vettingOf(config, tool, register.current());
    const principal = principalOf(request, config, await repository, newSessionId(now()), vetting);
    const refused = whyBanned(config, tool, register.current()) ?? request.refused?.slice(0, 1000);
    const { index } = await ledger.append({
      action: 'session.open',
      session: principal.session,
      user: principal.user,
      agent: principal.agent,
      purpose: principal.purpose,
      classification: principal.classification,
      ...(refused === undefined ? {} : { decision: 'deny', reason: refused }),
      detail: { ...request.sandbox, vetting: principal.vetting, policy: engine.digest, allow: request.allow.slice(0, 64) },
    });
    // Asked once more: the register may have changed while the opening was recorded.
    const halted = refused ?? whyBanned(config, tool, register.current());
    if (halted !== undefined) throw new IntramurError('SESSION_HALTED', halted);

    const { program } = request;
    const secrets = secretsOfTree(request.workspace).then((own) => knownSecrets([...named, ...own]));
    const session = sessions.add({ id: principal.session, principal, program, config, engine, grants, secrets, startedAt: now() });
    session.tally.saw(index);
    const models = config.models.flatMap(({ targets }) => targets.map((target) => target.split('/')[0]));
    const providers = config.providers.filter(({ id }) => models.includes(id));
    const pattern = config.models.find(({ match }) => !match.includes('*'));
    const reply: OpenReply = {
      session: session.id,
      token: session.token,
      purpose: principal.purpose,
      classification: principal.classification,
      placeholders: vault.issue(session.id, request.credentials),
      authority: this.#authority(),
      ...(pattern === undefined ? {} : { model: pattern.match }),
      ports: [...new Set(grants.flatMap((grant) => grant.ports))],
      ...(engine.narrows('process.exec') ? { auditsStarts: true } : {}),
      ...(config.signing.ssh.length > 0 || engine.widens('secret.use') ? { signsWithSsh: true, sshHosts: sshHostsOf(grants) } : {}),
      ...(config.signing.gpg.length > 0 ? { signsWithGpg: 'named' } : engine.widens('secret.use') ? { signsWithGpg: 'by-policy' } : {}),
      hasModels: providers.some(({ credential }) => credential === 'provider'),
      usesLogin: providers.some(({ credential }) => credential === 'client'),
      firstPerimeter: (['onprem', 'vpc', 'public'] as const).find((perimeter) =>
        providers.some((provider) => provider.perimeter === perimeter),
      ),
    };
    return { session, reply };
  }

  async exchange(token: string, head: ExchangeHead, body: Readable, signal: AbortSignal): Promise<ExchangeReply> {
    const session = this.#parts.sessions.byToken(token);
    const principal = seenIn(session, head, this.#parts.register.current());
    return await handleExchange({ ...session, principal }, head, body, AbortSignal.any([signal, session.life.signal]), this.#parts);
  }

  /** Never the same twice. The next one is made while nobody waits for it. */
  #authority(): AuthoritySecret {
    const { now } = this.#parts;
    const isFresh = this.#spare !== undefined && now().getTime() - this.#spare.fromMs < spareLifeMs;
    const made = isFresh && this.#spare ? this.#spare : makeAuthority(now());
    this.#spare = undefined;
    setTimeout(() => {
      this.#spare ??= makeAuthority(now());
    }, spareAfterMs).unref();
    return made;
  }

  /** Decides on programs that are about to start inside. */
  async starts(token: string, { starts }: StartsRequest): Promise<StartsReply> {
    const { sessions, mediation } = this.#parts;
    return { allowed: await decideStarts(starts, sessions.byToken(token), { mediation, halt }) };
  }

  proposals(): readonly Proposal[] {
    return this.#parts.proposals.list();
  }

  async decideProposal({ id, isApproved, ...by }: ProposalDecision): Promise<Proposal> {
    return await this.#parts.proposals.decide(id, isApproved, by);
  }

  /** Which keys a session may use; nothing is used by asking. */
  usableKeys(token: string, names: readonly string[]): boolean[] {
    const session = this.#parts.sessions.byToken(token);
    return names.map((name) => isUsable(name, session, this.#parts.now()));
  }

  async signature(token: string, request: SignatureRequest): Promise<boolean> {
    const { sessions } = this.#parts;
    return await decideSignature(request, sessions.byToken(token), this.#parts);
  }

  /** True until the session was summed up, or its launcher went away. */
  isOpen(session: Session): boolean {
    return this.#parts.sessions.get(session.id) === session;
  }

  /** Decides a connection that is not HTTP; an allowed one comes back open. */
  async connect(
    token: string,
    { refused, ...attempt }: Attempt,
  ): Promise<{ effect: 'deny'; reason: string } | { effect: 'allow'; stream: Connected | undefined }> {
    const { sessions, mediation, register } = this.#parts;
    const session = sessions.byToken(token);
    const owner = register.closedBy(attempt.host);
    const why = refused ?? (owner === undefined ? undefined : ownedBy(owner));
    const act: NetConnect = {
      action: 'net.connect',
      class: 'other',
      ...attempt,
      isGranted: isGranted(session.grants, attempt.host, attempt.port),
    };
    const request = { principal: session.principal, act };
    if (why !== undefined) {
      await mediation.recordRefusal(request, why, refused === undefined ? 'ban' : 'egress');
      return { effect: 'deny', reason: why };
    }
    const { decision, entry } = await mediation.mediate(request, { bytes: new Uint8Array(), contentType: '', views: [attempt.host] });
    if (decision.effect === 'deny') {
      this.#parts.proposals.note(request, decision, entry?.index);
      return { effect: 'deny', reason: decision.reason.text };
    }
    if (!entry) return { effect: 'deny', reason: 'the decision could not be recorded' };
    if (attempt.protocol === 'dns' || attempt.protocol === 'udp') return { effect: 'allow', stream: undefined };
    try {
      const stream = await connectUpstream(attempt, this.#parts.gateway, (outcome) => void mediation.recordOutcome(entry.index, outcome));
      session.life.signal.addEventListener('abort', () => stream.destroy(), { once: true });
      return { effect: 'allow', stream };
    } catch (fault) {
      await mediation.recordOutcome(entry.index, { detail: { failed: true } });
      return { effect: 'deny', reason: fault instanceof IntramurError ? fault.message : 'the host could not be reached' };
    }
  }

  /** @throws IntramurError USAGE for what is no attestation */
  async attested(request: unknown): Promise<AttestReply> {
    const body = attestationEntry(request);
    if (body === undefined) throw new IntramurError('USAGE', 'this is no attestation');
    const { index } = await this.#parts.ledger.append({ ...body, user: os.userInfo().username });
    return { entry: index };
  }

  /** @throws IntramurError USAGE for what is no pin */
  async pinned({ workspace, files, digest }: PinRequest): Promise<{ entry: number }> {
    const isPin = typeof workspace === 'string' && Number.isInteger(files) && /^[0-9a-f]{64}$/.test(digest);
    if (!isPin) throw new IntramurError('USAGE', 'this is no pin of a workspace');
    const detail = { workspace: workspace.slice(0, 4096), files, sha256: digest };
    const { index } = await this.#parts.ledger.append({ action: 'workspace.pin', user: os.userInfo().username, detail });
    return { entry: index };
  }

  /** Brings a statement about a tool into force: for what comes, and for the sessions that run. */
  async state(request: StateRequest): Promise<StateReply> {
    const { register, sessions } = this.#parts;
    const { statement, entry, lifted } = await register.state(request);
    const isUrgent = statement.verb === 'ban' && isWhole(statement);
    const halted: { id: string; agent: string }[] = [];
    for (const session of sessions.all()) {
      const { agent } = session.principal;
      if (agent !== statement.agent && statement.sha256 === undefined) continue;
      // A ban of all of a tool needs no hash, so nothing delays it.
      const tool = isUrgent
        ? { id: agent, version: session.principal.agentVersion }
        : await toolOf(session.principal, session.program, session.config, register.current());
      const why = whyBanned(session.config, tool, register.current());
      session.principal = { ...session.principal, vetting: vettingOf(session.config, tool, register.current()) };
      if (why === undefined || session.life.signal.aborted) continue;
      halt(session, why);
      halted.push({ id: session.id, agent });
    }
    return { entry, halted, lifted };
  }

  /** @throws IntramurError LEDGER_APPEND: what is not recorded must not start */
  async confined(session: Session, confinement: Confinement): Promise<void> {
    const { principal } = session;
    const { user, agent, purpose } = principal;
    const lines = (of: readonly string[]): string[] => of.slice(0, 32).map((line) => line.slice(0, 200));
    const { mode, limits, notInForce, degraded } = confinement;
    session.confinement = { mode, limits: lines(limits), notInForce: lines(notInForce), degraded: lines(degraded) };
    const detail = { ...session.confinement };
    const { index } = await this.#parts.ledger.append({ action: 'session.confine', session: session.id, user, agent, purpose, detail });
    session.tally.saw(index);
  }

  async close(session: Session, { exitCode, halted: byLauncher, limits = [], files }: CloseRequest): Promise<Summary> {
    const { ledger, now } = this.#parts;
    const { aborted, reason } = session.life.signal;
    const why = aborted ? String(reason) : byLauncher;
    const halted = why === undefined ? {} : { halted: why };
    this.#end(session, closedByLauncher);
    // An outcome is recorded after the last byte of its answer; what the session did is not summed up before.
    await this.#parts.mediation.settled(session.id, settleLimitMs);
    await this.#parts.mediation.finish(session.id);
    const { first, last, ...tallied } = session.tally.summary();
    const closing = await this.#recordClose(session, { exitCode, limits, ...halted }, tallied.refusals);
    return {
      schema: 'intramur/summary/1',
      session: session.id,
      agent: session.principal.agent,
      purpose: session.principal.purpose,
      exitCode,
      ...halted,
      startedAt: session.startedAt.toISOString(),
      endedAt: now().toISOString(),
      ...tallied,
      limits,
      next_steps: this.#parts.proposals.of(session.id),
      files: files ?? { changed: 0, added: 0, deleted: 0, sensitive: [] },
      ledger: { first, last: closing ?? last, root: ledger.rootHash() },
    };
  }

  /** The launcher went away without closing. */
  lost(session: Session): void {
    if (!this.isOpen(session)) return;
    this.#end(session, 'the launcher went away');
    const { refusals } = session.tally.summary();
    void this.#parts.mediation.finish(session.id).then(() => this.#recordClose(session, { lost: true }, refusals));
  }

  #end(session: Session, reason: string): void {
    const { sessions, vault, forget, proposals } = this.#parts;
    sessions.remove(session, reason);
    proposals.ended(session.id);
    vault.forget(session.id);
    forget(session.id);
  }

  async #recordClose(
    { id, principal }: Session,
    how: { exitCode: number; limits: readonly string[]; halted?: string } | { lost: true },
    refusals: number,
  ): Promise<number | undefined> {
    const { user, agent, purpose } = principal;
    const detail = { refusals, ...how };
    try {
      return (await this.#parts.ledger.append({ action: 'session.close', session: id, user, agent, purpose, detail })).index;
    } catch {
      // The session is over and its rights are gone; a ledger that cannot append denies whatever comes next.
      return undefined;
    }
  }
}

function sshHostsOf(grants: readonly HostGrant[]): string[] {
  return grants.filter(({ host, ports }) => ports.includes(22) && !host.startsWith('*.')).map(({ host }) => host);
}

function principalOf(request: OpenRequest, config: Config, repository: Repository, session: string, vetting: Vetting): Principal {
  const { agent, agentVersion, user, workspace } = request;
  return {
    session,
    user,
    agent,
    ...(agentVersion === undefined ? {} : { agentVersion }),
    vetting,
    purpose: request.purpose ?? config.defaultPurpose,
    classification: classificationOf(config, repository),
    workspace,
    via: 'sandbox',
  };
}
