// The rig of the whole-product tests: an installation of its own in a temporary directory, a rehearsal model on loopback, and the
// command line as a process.
import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import timers from 'node:timers/promises';
import type { Entry } from '../../src/core/index.ts';
import { createClient } from '../../src/daemon/client.ts';
import { readEntries } from '../../src/ledger/index.ts';
import { type FakeUpstream, type Script, startFakeUpstream } from '../../src/testing/index.ts';

export const root = path.resolve(import.meta.dirname, '../..');
export const main = path.join(root, 'dist', 'main.js');

export interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Rig {
  readonly dir: string;
  /** INTRAMUR_HOME. */
  readonly state: string;
  /** HOME. */
  readonly home: string;
  readonly workspace: string;
  readonly upstream: FakeUpstream;
  readonly env: NodeJS.ProcessEnv;
  configure(yaml: string): void;
  start(args: readonly string[], options?: StartOptions): ChildProcess;
  intramur(args: readonly string[], options?: StartOptions): Promise<Outcome>;
  /** The whole ledger, read as `ledger export` reads it, without a process for it. */
  entries(): Promise<Entry[]>;
  close(): Promise<void>;
}

export interface StartOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly input?: string;
  readonly limitMs?: number;
}

export interface RigOptions {
  readonly script?: Script;
  /** A script that names files of the workspace. */
  readonly scriptFor?: (workspace: string) => Script;
  /** Lines added to the configuration that points every dialect at the rehearsal model, declared onprem. */
  readonly extra?: string;
}

export async function createRig(options: RigOptions = {}): Promise<Rig> {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'intramur-e2e-'));
  const [state, home, workspace] = ['state', 'home', 'workspace'].map((name) => path.join(dir, name)) as [string, string, string];
  for (const each of [state, home, workspace]) fs.mkdirSync(each);
  const upstream = await startFakeUpstream({ script: options.scriptFor?.(workspace) ?? options.script ?? [{ text: 'rehearsed' }] });
  const env: NodeJS.ProcessEnv = { PATH: process.env['PATH'], HOME: home, INTRAMUR_HOME: state, LANG: 'C.UTF-8', NO_COLOR: '1' };
  const configure = (yaml: string) => fs.writeFileSync(path.join(state, 'intramur.yaml'), yaml);
  configure(configFor(upstream) + (options.extra ?? ''));

  const start = (args: readonly string[], { env: more, cwd }: StartOptions = {}) =>
    spawn(process.execPath, [main, ...args], { cwd: cwd ?? workspace, env: { ...env, ...more }, stdio: 'pipe' });
  const intramur = (args: readonly string[], started: StartOptions = {}) => finished(start(args, started), started);
  return {
    dir,
    state,
    home,
    workspace,
    upstream,
    env,
    configure,
    start,
    intramur,
    async entries() {
      const all: Entry[] = [];
      for await (const entry of readEntries(path.join(state, 'state', 'ledger'))) all.push(entry);
      return all;
    },
    async close() {
      await down(path.join(state, 'state', 'daemon.sock'));
      await upstream.close();
      // A process that just ended may still put its compiled code away.
      fs.rmSync(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    },
  };
}

/** What `intramur down` does: many rigs end here, and the command has its own tests. */
async function down(socket: string): Promise<void> {
  const client = createClient(socket);
  const isThere = (answer: Promise<unknown>): Promise<boolean> =>
    answer.then(
      () => true,
      () => false,
    );
  if (!(await isThere(client.stop()))) return;
  for (const deadline = Date.now() + 15_000; await isThere(client.status()); await timers.setTimeout(20)) {
    if (Date.now() > deadline) throw new Error('the daemon did not stop');
  }
}

/** Every dialect at the rehearsal model, inside. */
export function configFor({ url }: Pick<FakeUpstream, 'url'>, perimeter = 'onprem'): string {
  return `organization: test
providers:
  - { id: messages, dialect: anthropic-messages, url: "${url}", perimeter: ${perimeter} }
  - { id: responses, dialect: openai-responses, url: "${url}/v1", perimeter: ${perimeter} }
  - { id: chat, dialect: openai-chat, url: "${url}/v1", perimeter: ${perimeter} }
  - { id: google, dialect: gemini, url: "${url}", perimeter: ${perimeter} }
models: { "*": [messages/rehearsal, responses/rehearsal, chat/rehearsal, google/rehearsal] }
`;
}

export async function finished(child: ChildProcess, { input, limitMs = 60_000 }: StartOptions = {}): Promise<Outcome> {
  let [stdout, stderr] = ['', ''];
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.stdin?.on('error', () => {});
  child.stdin?.end(input ?? '');
  const timer = setTimeout(() => child.kill('SIGKILL'), limitMs);
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  const outcome = await promise;
  clearTimeout(timer);
  return outcome;
}
