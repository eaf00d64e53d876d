// `run`: any program, unmodified, in the sandbox. Asks the daemon for a session first and prepares the sandbox while it waits.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Credential } from '../agents/index.ts';
import { IntramurError, type Places, placesFrom, product } from '../core/index.ts';
import { withDaemon } from './daemon-at-hand.ts';
import type { CliIo } from './io.ts';
import { contain } from './run/contain.ts';
import { userView } from './run/environment.ts';
import { parseRun, type RunOptions, runOptions } from './run/options.ts';
import { refuseOwnPlaces } from './run/own-places.ts';
import { programOf } from './run/program.ts';

export const forms = { '': runOptions };

export async function run(args: readonly string[], io: CliIo): Promise<number> {
  // The process's own clock: the global `performance` would load Node's measuring first.
  const began = process.uptime() * 1000;
  const places = placesFrom(io.env, io.home);
  if (args.some((arg) => arg.includes('\ufffd'))) (await import('./run/when-asked/arguments.ts')).refuseChanged();
  const options = await optionsFrom(args, places, io);
  const program = await programOf(options.command, io);
  if (!fs.statSync(options.workspace, { throwIfNoEntry: false })?.isDirectory()) {
    throw new IntramurError('CONFIG_NOT_FOUND', `the workspace ${options.workspace} is not a directory`);
  }
  refuseOwnPlaces([options.workspace, ...program.resolved.trees, ...options.read], places);
  if (options.summaryFile !== undefined) (await import('./run/when-asked/summary-file.ts')).refuseUnwritable(options.summaryFile);
  const drift = await driftOf(options.workspace, places);
  if (drift !== undefined) io.stderr.write(drift.lines);
  const user = userView(io.env, io.home);
  const own = (program.adapter?.credentials(user) ?? []).map((credential) => inHome(credential, io.home));
  const credentials = [...own, ...(await namedBesides(own, options.env, io))];
  const life = { halt: () => {}, isHalted: false, isOver: false };
  const opening = withDaemon(places, io.env, (daemon) =>
    daemon.open(
      {
        agent: program.tool,
        program: program.file,
        ...(program.version === undefined ? {} : { agentVersion: program.version }),
        user: os.userInfo().username,
        workspace: options.workspace,
        ...(options.purpose === undefined ? {} : { purpose: options.purpose }),
        allow: options.allow,
        credentials,
        ...(drift === undefined ? {} : { refused: drift.reason }),
        sandbox: { mode: options.mode, pids: options.limitPids, ...asked(options) },
      },
      (reason) => {
        if (life.isOver) return;
        // Without a daemon every exchange is refused by itself; the program may still save its work.
        const what = reason === undefined ? 'the daemon went away; nothing can leave any more' : `the session was halted: ${reason}`;
        io.stderr.write(`${product.name}: ${what}\n`);
        if (reason === undefined) return;
        life.isHalted = true;
        life.halt();
      },
    ),
  );
  opening.catch(() => {}); // awaited below; until then its failure is nobody's
  // One turn of the loop, in which the question leaves: the daemon thinks while the sandbox is prepared.
  await new Promise((resolve) => setImmediate(resolve));
  return await contain({ options, program, places, user, credentials, opening, life, began }, io);
}

/** A vendor's key that `--env` names for a program that is not that vendor's agent stays outside as well. */
async function namedBesides(own: readonly Credential[], names: readonly string[], { env }: CliIo): Promise<Credential[]> {
  if (names.length === 0) return [];
  const { credentialsAmong } = await import('./run/when-asked/adapter.ts');
  return credentialsAmong(names, env).filter(({ value }) => !own.some((known) => known.value === value));
}

/** The daemon, which keeps a renewed login, has a home of its own. */
function inHome(credential: Credential, home: string): Credential {
  const { login } = credential;
  return login?.file === undefined ? credential : { ...credential, login: { ...login, file: path.join(home, login.file) } };
}

/** Where nobody ever pinned anything, this is one look at the disk. */
async function driftOf(workspace: string, places: Places): Promise<{ reason: string; lines: string } | undefined> {
  if (!fs.existsSync(path.join(places.state, 'pins'))) return undefined;
  const { refusalFor } = await import('./run/when-asked/drift.ts');
  return await refusalFor(workspace, places);
}

async function optionsFrom(args: readonly string[], places: Places, io: CliIo): Promise<RunOptions> {
  const options = parseRun(args, io.cwd);
  if (options.profile === undefined) return options;
  const { emptyProfile, profileFile, readProfile, withProfile } = await import('./run/when-asked/profile.ts');
  const file = profileFile(places.config, options.profile);
  // A profile that is to be learnt need not be there yet.
  const profile = options.learn && !fs.existsSync(file) ? emptyProfile : readProfile(file);
  return withProfile(options, profile, { file, home: io.home, env: io.env });
}

/** What else the session's record says of how it was started. */
function asked({ auditExec, learn, profile }: RunOptions): Record<string, string | boolean> {
  return { ...(auditExec ? { auditExec } : {}), ...(learn ? { learn } : {}), ...(profile === undefined ? {} : { profile }) };
}
