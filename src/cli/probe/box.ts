// One run of an agent in the sandbox with no way out but to a rehearsal model that asks for one act after another. Joins the sandbox, the
// egress and the test kit's model.
import fs from 'node:fs';
import path from 'node:path';
import type { ExchangeHead } from '../../core/index.ts';
import { type Authority, createAuthority, createEgress, makeAuthority, trustEnv } from '../../egress/index.ts';
import { discardLayer, type LaunchPlan, type ResolvedProgram, readLayer, trustPaths } from '../../sandbox/index.ts';
import { type Act, startFakeUpstream } from '../../testing/index.ts';
import { detectCall } from '../../wire/index.ts';
import { askModel, boxLimits, boxPorts, nobodyHome, quiet, readAll, runInBox } from '../boxed.ts';
import { searchPath } from '../run/environment.ts';
import { modelHost } from './launched.ts';
import type { Staged } from './stage.ts';

export interface BoxedRun {
  readonly program: ResolvedProgram;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly files: readonly { readonly path: string; readonly text: string }[];
  readonly workspace: string;
  readonly home: string;
  readonly staged: Staged;
  /** What the rehearsal model asks for, one act a turn. */
  readonly acts: readonly Act[];
  /** An empty directory of our own, on a disk that can hold layers. */
  readonly directory: string;
  readonly cacheDir: string;
}

export interface BoxedEnd {
  /** All that the agent told its model before each turn; as long as the agent asked for turns. */
  readonly told: readonly string[];
  /** Text of a file in the layer, by its path relative to the workspace. */
  written(file: string): string;
  /** Is there such a file in the layer, though it may be empty? */
  left(file: string): boolean;
  close(): void;
}

const runLimitMs = 90_000;

export async function runBoxed(run: BoxedRun): Promise<BoxedEnd> {
  const told: string[] = [];
  const upstream = await startFakeUpstream({
    script(request) {
      // Titles and summaries are asked for without tools.
      if (request.tools.length === 0) return { text: 'Rehearsal' };
      // What an agent asks on its own behalf afterwards, with the whole talk in it, is not its answer to an act.
      told[request.turn] ??= request.text;
      const act = run.acts[request.turn];
      return act === undefined ? { text: 'That is all.' } : { text: `Step ${request.turn + 1}.`, acts: [act] };
    },
  });
  const upper = path.join(run.directory, 'upper');
  for (const { path: name, text } of run.staged.workspaceFiles) {
    const file = path.join(upper, name);
    fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    fs.writeFileSync(file, text);
  }
  fs.mkdirSync(upper, { recursive: true, mode: 0o700 });
  const authority = createAuthority(makeAuthority(new Date()));
  const egress = createEgress({
    authority,
    gatewayHosts: [],
    connect: async () => ({ effect: 'deny', reason: 'a probe has no way out' }),
    async forward(head, body) {
      const bytes = await readAll(body);
      return isModelCall(head) ? await askModel(upstream.port, head, bytes) : nobodyHome(head);
    },
  });
  try {
    await runInBox(planFor(run, authority), egress, runLimitMs);
  } finally {
    await upstream.close();
  }
  const left = (name: string) => fs.lstatSync(path.join(upper, name), { throwIfNoEntry: false })?.isFile() === true;
  return {
    told,
    left,
    written: (name) => (left(name) ? fs.readFileSync(path.join(upper, name), 'utf8') : ''),
    close() {
      const layer = readLayer(run.directory);
      if (layer) discardLayer(layer);
    },
  };
}

function planFor({ program, args, env, files, workspace, home, staged, directory, cacheDir }: BoxedRun, authority: Authority): LaunchPlan {
  const bin = path.posix.join(home, '.local/bin');
  return {
    argv: quiet(program.path, args),
    workspace,
    cwd: workspace,
    mode: 'overlay',
    env: {
      TERM: 'dumb',
      LANG: 'C.UTF-8',
      HOME: home,
      USER: 'user',
      LOGNAME: 'user',
      SHELL: '/bin/bash',
      TMPDIR: '/tmp',
      PATH: `${staged.programs}:${searchPath(program)}:${bin}`,
      ...trustEnv(trustPaths.ca, trustPaths.bundle),
      ...env,
    },
    home,
    homeFiles: [...staged.homeFiles, ...files],
    readOnly: [...program.trees, staged.programs, ...staged.system],
    caPem: authority.pem,
    javaStore: authority.javaStore,
    ports: [80, 443],
    ...boxPorts,
    overlay: { upper: path.join(directory, 'upper'), work: path.join(directory, 'work') },
    limits: boxLimits,
    cacheDir,
    hostName: 'probe',
    userName: 'user',
  };
}

/** Wherever the agent's own settings send it: a model call is a model call. */
function isModelCall(head: ExchangeHead): boolean {
  const { kind } = detectCall(head, head.host === modelHost ? 'gateway' : 'vendor');
  return kind !== 'unknown' || detectCall(head, 'gateway').kind === 'invoke';
}
