// `run`: any program, unmodified, in the sandbox. Joins the launcher's parts: daemon session, sandbox, egress.
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { adapterFor } from '../agents/index.ts';
import { IntramurError, placesFrom, product } from '../core/index.ts';
import type { DaemonClient, OpenReply } from '../daemon/index.ts';
import { createAuthority, createEgress, type Egress, trustEnv } from '../egress/index.ts';
import { type LaunchPlan, launch, type Listeners, resolveProgram } from '../sandbox/index.ts';
import { daemonAtHand } from './daemon-at-hand.ts';
import type { CliIo } from './io.ts';
import { baseEnvironment, searchPath, userView } from './run/environment.ts';
import { parseRun, type RunOptions } from './run/options.ts';
import { endLines, startLine } from './run/status-line.ts';

/** Our gateway as seen from inside. The address exists in the session's own network namespace only. */
const gatewayPort = 4180;
const proxyPort = 3128;

export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const options = parseRun(args, io.cwd);
  const [command, ...rest] = options.command;
  const program = resolveProgram(command, io.env, io.cwd);
  if (!program) throw new IntramurError('CONFIG_NOT_FOUND', `there is no program "${command}"`, { hint: 'it is searched for as the shell does, along PATH' });
  if (!fs.statSync(options.workspace, { throwIfNoEntry: false })?.isDirectory()) {
    throw new IntramurError('CONFIG_NOT_FOUND', `the workspace ${options.workspace} is not a directory`);
  }
  const places = placesFrom(io.env, io.home);
  const client = await daemonAtHand(places, io.env);
  const adapter = adapterFor(program.path);
  const user = userView(io.env, io.home);
  const credentials = adapter?.credentials(user) ?? [];
  const session = await client.open({
    agent: adapter?.id ?? path.basename(command),
    user: os.userInfo().username,
    workspace: options.workspace,
    ...(options.purpose === undefined ? {} : { purpose: options.purpose }),
    allow: options.allow,
    credentials,
    sandbox: { mode: options.mode, pids: options.limitPids },
  });
  const began = performance.now();
  const authority = createAuthority(new Date());
  const egress = createSessionEgress(client, session, authority);
  try {
    const contained = adapter?.contain({
      user,
      workspace: options.workspace,
      home: io.home,
      gatewayUrl: `http://127.0.0.1:${gatewayPort}`,
      placeholders: session.placeholders,
      hasModels: session.hasModels,
    });
    const plan = planFor(options, io, [program.path, ...rest], program.trees, authority.pem, contained, places.cache);
    const launched = await launch(plan, { listening: (listeners) => adopt(listeners, egress) });
    await client.hold(session, (reason) => {
      io.stderr.write(`${product.name}: session halted: ${reason}\n`);
      launched.kill();
    });
    io.stderr.write(startLine(performance.now() - began, session, options.mode, credentials.length));
    const release = followSignals(launched.kill);
    const exit = await launched.exited;
    release();
    const exitCode = exit.signal ? 128 + (os.constants.signals[exit.signal as NodeJS.Signals] ?? 0) : (exit.code ?? 70);
    await egress.close();
    const summary = await client.close(session, { exitCode });
    if (options.summaryFile) fs.writeFileSync(options.summaryFile, `${JSON.stringify(summary, undefined, 2)}\n`);
    io.stderr.write(endLines(summary));
    return exitCode;
  } finally {
    await egress.close();
    client.release();
  }
}
