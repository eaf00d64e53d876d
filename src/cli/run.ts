// `run`: any program, unmodified, in the sandbox. Joins the launcher's parts: the daemon's session, the sandbox, the egress.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Adapter, UserView } from '../agents/index.ts';
import { codeOf, IntramurError, placesFrom, product } from '../core/index.ts';
import type { CloseRequest, DaemonClient, OpenReply } from '../daemon/index.ts';
import { createAuthority, trustEnv } from '../egress/index.ts';
import { type LaunchPlan, launch, type ResolvedProgram, trustPaths } from '../sandbox/index.ts';
import { withDaemon } from './daemon-at-hand.ts';
import type { CliIo } from './io.ts';
import { baseEnvironment, passedByName, searchPath, userView } from './run/environment.ts';
import { filesOfLayer, watchWorkspace } from './run/files.ts';
import { parseRun, type RunOptions } from './run/options.ts';
import { programOf } from './run/program.ts';
import { createSessionEgress } from './run/session-egress.ts';
import { followSignals } from './run/signals.ts';
import { endLines, startLine } from './run/status-line.ts';

/** Ports on 127.0.0.1 inside; these addresses exist in the session's own network only. */
const gatewayPort = 4180;
const proxyPort = 3128;

/** Ports on which every address is ours inside; on others a connection is refused by the kernel. */
const ports = [443, 80, 22, 8080, 8443];

const limits = { fileBytes: 16 * 2 ** 30, tmpfsBytes: 2 * 2 ** 30 } as const;

export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const options = parseRun(args, io.cwd);
  const program = programOf(options.command, io);
  if (!fs.statSync(options.workspace, { throwIfNoEntry: false })?.isDirectory()) {
    throw new IntramurError('CONFIG_NOT_FOUND', `the workspace ${options.workspace} is not a directory`);
  }
  const began = performance.now();
  const places = placesFrom(io.env, io.home);
  const { adapter, tool } = program;
  const user = userView(io.env, io.home);
  const credentials = adapter?.credentials(user) ?? [];
  const { client, answer: session } = await withDaemon(places, io.env, (daemon) =>
    daemon.open({
      agent: tool,
      user: os.userInfo().username,
      workspace: options.workspace,
      ...(options.purpose === undefined ? {} : { purpose: options.purpose }),
      allow: options.allow,
      credentials,
      sandbox: { mode: options.mode, pids: options.limitPids },
    }),
  );
  let halt = () => {};
  const authority = createAuthority(new Date());
  const egress = createSessionEgress(client, session, authority, gatewayPort);
  try {
    let isOver = false;
    await client.hold(session, (reason) => {
      if (isOver) return;
      // Without a daemon every exchange is refused by itself; the program may still save its work.
      io.stderr.write(
        `${product.name}: ${reason === undefined ? 'the daemon went away; nothing can leave any more' : `the session was halted: ${reason}`}\n`,
      );
      if (reason !== undefined) halt();
    });
    const overlay = path.join(places.sessions, session.session);
    const plan = planFor(options, io, {
      program: program.resolved,
      adapter,
      user,
      session,
      caPem: authority.pem,
      overlay,
      cacheDir: places.cache,
    });
    const filesIn = options.mode === 'direct' ? watchWorkspace(options.workspace) : undefined;
    const launched = await launch(plan, { listening: (listeners) => egress.adopt(listeners) });
    halt = launched.kill;
    io.stderr.write(startLine(performance.now() - began, session, options.mode, credentials.length));
    const release = followSignals(launched.kill);
    const exit = await launched.exited;
    release();
    isOver = true;
    await egress.close();
    const exitCode = exit.signal ? 128 + (os.constants.signals[exit.signal as NodeJS.Signals] ?? 0) : (exit.code ?? 70);
    const files = filesIn?.() ?? filesOfLayer(places.sessions, session.session, options.workspace, places.cache);
    await report(client, session, { exitCode, files }, options, io);
    return exitCode;
  } finally {
    await egress.close();
    client.release();
  }
}

/** The program's exit code is the command's, also when there is nobody left to sum up what it did. */
async function report(client: DaemonClient, session: OpenReply, ended: CloseRequest, options: RunOptions, io: CliIo): Promise<void> {
  try {
    const summary = await client.close(session, ended);
    if (options.summaryFile) fs.writeFileSync(options.summaryFile, `${JSON.stringify(summary, undefined, 2)}\n`);
    io.stderr.write(endLines(summary, options.mode));
  } catch (fault) {
    if (codeOf(fault) === undefined) throw fault;
    io.stderr.write(`${product.name}: no summary: ${fault instanceof Error ? fault.message : ''}\n`);
  }
}

interface Parts {
  readonly program: ResolvedProgram;
  readonly adapter: Adapter | undefined;
  readonly user: UserView;
  readonly session: OpenReply;
  readonly caPem: string;
  readonly overlay: string;
  readonly cacheDir: string;
}

function planFor(options: RunOptions, io: CliIo, { program, adapter, user, session, caPem, overlay, cacheDir }: Parts): LaunchPlan {
  const { workspace } = options;
  const contained = adapter?.contain({
    user,
    workspace,
    home: io.home,
    gatewayUrl: `http://127.0.0.1:${gatewayPort}`,
    placeholders: session.placeholders,
    hasModels: session.hasModels,
  });
  const { username, uid } = os.userInfo();
  // Root is shown inside as an ordinary user; a name that says otherwise would mislead programs.
  const userName = uid === 0 ? 'user' : username;
  const isBelow = !path.relative(workspace, io.cwd).startsWith('..');
  return {
    argv: [program.path, ...options.command.slice(1)],
    workspace,
    cwd: isBelow ? io.cwd : workspace,
    mode: options.mode,
    env: {
      ...baseEnvironment(io.env, io.home, userName),
      PATH: searchPath(program),
      ...trustEnv(trustPaths.ca, trustPaths.bundle),
      ...contained?.env,
      ...passedByName(options.env, io.env, user, adapter, session.placeholders),
    },
    home: io.home,
    homeFiles: contained?.files ?? [],
    readOnly: program.trees,
    caPem,
    ports,
    proxyPort,
    gatewayPort,
    ...(options.mode === 'overlay' ? { overlay: { upper: path.join(overlay, 'upper'), work: path.join(overlay, 'work') } } : {}),
    limits: {
      pids: options.limitPids,
      ...limits,
      ...(options.limitMemoryBytes === undefined ? {} : { memoryBytes: options.limitMemoryBytes }),
    },
    cacheDir,
    hostName: product.name,
    userName,
  };
}
