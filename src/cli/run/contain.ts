// The launcher proper: joins the daemon's session, the sandbox and the egress, and waits for the program to end.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Adapter, Credential, UserView } from '../../agents/index.ts';
import { type Places, product } from '../../core/index.ts';
import type { DaemonClient, OpenReply } from '../../daemon/index.ts';
import { type Egress, trustEnv } from '../../egress/index.ts';
import { type Exit, hardLimit, type LaunchPlan, type Prepared, prepare, type ResolvedProgram, trustPaths } from '../../sandbox/index.ts';
import type { CliIo } from '../io.ts';
import { launchAsAsked } from './degraded.ts';
import { watchDisk } from './disk-watch.ts';
import { type Doors, doorsOf } from './doors.ts';
import { baseEnvironment, passedByName, searchPath, unchanged } from './environment.ts';
import type { RunOptions } from './options.ts';
import type { Program } from './program.ts';
import { report } from './report.ts';
import { followSignals, type SignalsFollowed } from './signals.ts';
import { printable, startLine } from './status-line.ts';
import { rememberTerminalModes } from './terminal-modes.ts';
import type { SessionGpgAgent } from './when-asked/gpg-agent.ts';
import type { Lesson } from './when-asked/learn.ts';
import type { SessionSshAgent } from './when-asked/ssh-agent.ts';

/** Ports on 127.0.0.1 inside; these addresses exist in the session's own network only. */
const gatewayPort = 4180;
const proxyPort = 3128;

/**
 * Ports on which every address is ours inside, beside those of granted hosts; on others a connection is refused by the kernel, and
 * programs may listen themselves. 853 is DNS over TLS: nobody answers there, but an attempt is seen.
 */
const ports = [443, 80, 22, 853];

const limits = { fileBytes: 16 * 2 ** 30, tmpfsBytes: 2 * 2 ** 30 } as const;

/** When the way out is loaded, and when the rest of what the first exchange needs, unless somebody dials first: not while the program starts, or a short one ends. */
const egressAfterMs = 50;
const restAfterMs = 150;

export interface ToContain {
  readonly options: RunOptions;
  readonly program: Program;
  readonly places: Places;
  readonly user: UserView;
  readonly credentials: readonly Credential[];
  /** Under way. */
  readonly opening: Promise<{ client: DaemonClient; answer: OpenReply; startMs: number }>;
  /** What the session's end does: set here once there is something to halt. */
  readonly life: { halt: () => void; readonly isHalted: boolean; isOver: boolean };
  /** The age of the process when the command began, milliseconds. */
  readonly began: number;
}

export async function contain(
  { options, program, places, user, credentials, opening, life, began }: ToContain,
  io: CliIo,
): Promise<number> {
  const remembered = rememberTerminalModes();
  const prepared = await preparedWhile(opening, () => prepare(basisFor(options, io)));
  const { client, answer: session, startMs } = await opening;
  let egress: Promise<Egress> | undefined;
  const way = (): Promise<Egress> =>
    (egress ??= import('./session-egress.ts').then(({ createSessionEgress }) => createSessionEgress(client, session, gatewayPort)));
  let doors: Doors | undefined;
  let signals: SignalsFollowed | undefined;
  let sshAgent: SessionSshAgent | undefined;
  let gpgAgent: SessionGpgAgent | undefined;
  try {
    const lesson = options.learn ? await lessonFor(options, places, io) : undefined;
    if (session.signsWithSsh) sshAgent = await sshAgentFor(client, session, options, io);
    if (session.signsWithGpg) gpgAgent = await gpgAgentFor(client, session, options, io);
    const plan = planFor(options, io, {
      program: program.resolved,
      adapter: program.adapter,
      user,
      credentials,
      session,
      ...(options.auditExec || options.learn || session.auditsStarts ? { decideStarts: startsOf(client, session, lesson) } : {}),
      ...(lesson ? { onMissing: lesson.onMissing } : {}),
      sshAgent,
      gpgAgent,
      overlay: path.join(places.sessions, session.session),
      cacheDir: places.cache,
    });
    const restoreTerminalModes = await remembered;
    const { launched, mode } = await launchAsAsked(plan, prepared, options, session, {
      listening(listeners) {
        doors?.close();
        doors = doorsOf(listeners, way);
      },
      unanswered(address, port) {
        way().then(
          (egress) => egress.unanswered(address, port),
          () => {}, // without the way out nobody can be told; the attempt was refused all the same
        );
      },
      confined(confinement) {
        signals ??= followSignals();
        const told = client.confined(confinement);
        if (startMs > 0)
          io.stderr.write(`${product.name}: started the daemon in ${Math.round(startMs)} ms; it goes on until ${product.name} down\n`);
        // Before the program may say a word: a prompt of it would stand in the middle of this line.
        const ms = process.uptime() * 1000 - began - startMs;
        io.stderr.write(
          startLine(
            ms,
            session,
            confinement.mode,
            { placeholders: credentials.length, asTheyAre: unchanged(options.env, io.env, credentials) },
            confinement.degraded,
          ),
        );
        return told;
      },
    });
    life.halt = launched.kill;
    if (life.isHalted) launched.kill();
    doors?.open();
    signals?.handTo(launched);
    const loadEgress = setTimeout(() => void way().catch(() => {}), egressAfterMs).unref(); // whoever dials, and the end, hear of a failure
    const loadRest = setTimeout(() => client.prepare(), restAfterMs).unref();
    setImmediate(launched.tidy);
    let halted: string | undefined;
    const written = mode === 'overlay' ? [places.sessions, places.ledger] : [options.workspace, places.ledger];
    const endWatch = watchDisk(written, (reason) => {
      halted = reason;
      io.stderr.write(`${product.name}: the session is ended: ${reason}\n`);
      launched.kill();
    });
    const exit = await launched.exited.catch((fault: unknown) => {
      // Killed before there was a program that could have ended by it.
      const signal = signals?.heard();
      if (signal === undefined) throw fault;
      return { code: null, signal } satisfies Exit;
    });
    endWatch();
    signals?.release();
    clearTimeout(loadEgress);
    clearTimeout(loadRest);
    restoreTerminalModes();
    life.isOver = true;
    // What the program dialled in its last instant is accepted, and recorded, before the doors close.
    await new Promise((resolve) => setImmediate(resolve));
    await launched.heard();
    doors?.close();
    await (await egress)?.close();
    const exitCode = await exitCodeOf(exit, { killedFor: signals?.killedFor(), isAudited: plan.decideStarts !== undefined, options }, io);
    const killed = launched.memoryKills();
    if (killed > 0)
      io.stderr.write(`${product.name}: the limit of memory was reached (--limit-memory): the kernel ended ${killed} of the processes\n`);
    const { disarmed, ...files } = await launched.changes();
    for (const name of disarmed) io.stderr.write(`${product.name}: a new repository was taken out of force: ${printable(name)}\n`);
    await report(
      client,
      { exitCode, files, limits: launched.limits.held, ...(halted === undefined ? {} : { halted }) },
      lesson,
      { ...options, mode },
      { ledger: places.ledger, session: session.session, agent: program.tool, purpose: session.purpose, began },
      io,
    );
    return exitCode;
  } finally {
    life.isOver = true;
    signals?.release();
    doors?.close();
    sshAgent?.close();
    gpgAgent?.close();
    await egress?.then(
      (opened) => opened.close(),
      () => {},
    );
    client.release();
  }
}

async function exitCodeOf(
  { code, signal, notStarted: errno }: Exit,
  { killedFor, isAudited, options }: { killedFor: NodeJS.Signals | undefined; isAudited: boolean; options: RunOptions },
  io: CliIo,
): Promise<number> {
  if (errno !== undefined) {
    const { notStarted } = await import('./when-asked/not-started.ts');
    const { says, exitCode } = notStarted(options.command[0], errno, isAudited);
    io.stderr.write(says);
    return exitCode;
  }
  return signal ? 128 + (os.constants.signals[(killedFor ?? signal) as NodeJS.Signals] ?? 0) : (code ?? 70);
}

/** What is prepared while the daemon answers. When both fail, the daemon is heard first. */
async function preparedWhile(opening: Promise<unknown>, look: () => Prepared): Promise<Prepared> {
  try {
    return look();
  } catch (fault) {
    await opening;
    throw fault;
  }
}

function startsOf(client: DaemonClient, { token }: OpenReply, lesson: Lesson | undefined): NonNullable<LaunchPlan['decideStarts']> {
  const decide: NonNullable<LaunchPlan['decideStarts']> = async (starts) =>
    (await client.decideStarts(token, { starts: starts.map((start) => start ?? null) })).allowed;
  return lesson?.watching(decide) ?? decide;
}

async function lessonFor({ workspace, profile }: RunOptions, { config, state }: Places, { home }: CliIo): Promise<Lesson> {
  const { createLesson } = await import('./when-asked/learn.ts');
  return createLesson({ home, workspace: fs.realpathSync(workspace), configDirectory: config, stateDirectory: state, profile });
}

async function sshAgentFor(
  client: DaemonClient,
  session: OpenReply,
  { workspace }: RunOptions,
  io: CliIo,
): Promise<SessionSshAgent | undefined> {
  const agentSocket = io.env['SSH_AUTH_SOCK'];
  if (agentSocket === undefined || agentSocket === '') {
    io.stderr.write(`${product.name}: no SSH agent runs outside (SSH_AUTH_SOCK is not set): nothing can be signed inside\n`);
    return undefined;
  }
  const { openSshAgent } = await import('./when-asked/ssh-agent.ts');
  return await openSshAgent(client, session, { agentSocket, home: io.home, workspace });
}

async function gpgAgentFor(
  client: DaemonClient,
  session: OpenReply,
  { workspace }: RunOptions,
  io: CliIo,
): Promise<SessionGpgAgent | undefined> {
  const { openGpgAgent } = await import('./when-asked/gpg-agent.ts');
  const opened = await openGpgAgent(client, session, { env: io.env, workspace });
  const none = session.signsWithGpg === 'named' ? ['none of the OpenPGP keys outside is one that may sign inside'] : [];
  const lines = opened?.warnings ?? none;
  for (const line of lines) io.stderr.write(`${product.name}: ${line}\n`);
  return opened;
}

interface Parts {
  readonly program: ResolvedProgram;
  readonly adapter: Adapter | undefined;
  readonly user: UserView;
  readonly credentials: readonly Credential[];
  readonly session: OpenReply;
  readonly decideStarts?: LaunchPlan['decideStarts'];
  readonly onMissing?: LaunchPlan['onMissing'];
  readonly sshAgent: SessionSshAgent | undefined;
  readonly gpgAgent: SessionGpgAgent | undefined;
  readonly overlay: string;
  readonly cacheDir: string;
}

type Basis = Pick<LaunchPlan, 'workspace' | 'cwd' | 'home' | 'limits'>;

/** The part of the plan that does not depend on the session. */
function basisFor({ workspace, limitPids, limitMemoryBytes, limitCpus }: RunOptions, { cwd, home }: CliIo): Basis {
  const isBelow = !path.relative(workspace, cwd).startsWith('..');
  return {
    workspace,
    cwd: isBelow ? cwd : workspace,
    home,
    limits: {
      ...limits,
      pids: Math.min(limitPids, hardLimit('Max processes')),
      fileBytes: Math.min(limits.fileBytes, hardLimit('Max file size')),
      ...(limitMemoryBytes === undefined ? {} : { memoryBytes: limitMemoryBytes }),
      ...(limitCpus === undefined ? {} : { cpus: limitCpus }),
    },
  };
}

function planFor(
  options: RunOptions,
  io: CliIo,
  { program, adapter, user, credentials, session, decideStarts, onMissing, sshAgent, gpgAgent, overlay, cacheDir }: Parts,
): LaunchPlan {
  const { workspace } = options;
  const contained = adapter?.contain({
    user,
    workspace,
    home: io.home,
    gatewayUrl: `http://127.0.0.1:${gatewayPort}`,
    placeholders: session.placeholders,
    hasModels: session.hasModels,
    usesLogin: session.usesLogin,
    ...(session.model === undefined ? {} : { model: session.model }),
  });
  const { username, uid } = os.userInfo();
  // Root is shown inside as an ordinary user; a name that says otherwise would mislead programs.
  const userName = uid === 0 ? 'user' : username;
  return {
    ...basisFor(options, io),
    argv: [program.path, ...options.command.slice(1)],
    mode: options.mode,
    scratch: adapter?.scratch ?? [],
    env: {
      ...baseEnvironment(io.env, io.home, userName),
      PATH: searchPath(program),
      ...trustEnv(trustPaths.ca, trustPaths.bundle),
      ...contained?.env,
      ...sshAgent?.env,
      ...passedByName(options.env, io.env, credentials, session.placeholders),
    },
    homeFiles: [...(contained?.files ?? []), ...(sshAgent?.homeFiles ?? []), ...(gpgAgent?.homeFiles ?? [])],
    sockets: [...(sshAgent?.sockets ?? []), ...(gpgAgent?.sockets ?? [])],
    readOnly: [...program.trees, ...options.read],
    caPem: session.authority.pem,
    javaStore: Buffer.from(session.authority.javaStore, 'base64'),
    ports: [...new Set([...ports, ...session.ports])].filter((port) => port !== gatewayPort && port !== proxyPort),
    proxyPort,
    gatewayPort,
    ...(options.mode === 'overlay' ? { overlay: { upper: path.join(overlay, 'upper'), work: path.join(overlay, 'work') } } : {}),
    ...(decideStarts ? { decideStarts } : {}),
    ...(onMissing ? { onMissing } : {}),
    cacheDir,
    hostName: product.name,
    userName,
  };
}
