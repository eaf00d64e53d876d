// Starts a daemon in the background and waits until it answers: one, however many find none at the same time. The child gets no terminal and
// no directory of ours to keep busy.
import fs from 'node:fs';
import path from 'node:path';
import { type Code, faults, IntramurError, type Places, product } from '../core/index.ts';
import { createClient, type DaemonClient } from '../daemon/index.ts';
import { type Lock, lockFile } from '../ledger/index.ts';
import { isRunning } from './daemon-at-hand.ts';

/** How long a daemon may take until it answers. */
const startLimitMs = 20_000;
const lookEveryMs = 30;
const soonMs = 1500;

export async function startInBackground(
  places: Places,
  env: Readonly<Record<string, string | undefined>>,
  args: readonly string[],
): Promise<void> {
  fs.mkdirSync(places.state, { recursive: true, mode: 0o700 });
  const client = createClient(places.socket);
  const deadline = Date.now() + startLimitMs;
  const lock = await startersLock(path.join(places.state, 'start.lock'), client, deadline);
  try {
    if (lock) await start(places, env, args, client, deadline);
  } finally {
    lock?.release();
    client.release();
  }
}

/** `undefined` as soon as a daemon answers, which somebody else started. */
async function startersLock(file: string, client: DaemonClient, deadline: number): Promise<Lock | undefined> {
  for (;;) {
    if (await isRunning(client)) return undefined;
    const lock = await lockFile(file);
    if (lock && !(await isRunning(client))) return lock;
    lock?.release();
    if (Date.now() > deadline)
      throw new IntramurError('DAEMON_UNREACHABLE', 'another process starts the daemon, and does not come to an end');
    await delay(lookEveryMs);
  }
}

async function start(
  places: Places,
  env: Readonly<Record<string, string | undefined>>,
  args: readonly string[],
  client: DaemonClient,
  deadline: number,
): Promise<void> {
  const home = env['INTRAMUR_HOME'];
  const log = path.join(places.state, 'daemon.log');
  const out = fs.openSync(log, 'w', 0o600);
  const script = process.argv[1] ?? '';
  const { spawn } = process.getBuiltinModule('node:child_process');
  const child = spawn(process.execPath, [script, 'up', ...args], {
    cwd: places.state,
    // A relative place means another from there.
    env: { ...env, ...(home ? { INTRAMUR_HOME: path.resolve(home) } : {}) },
    detached: true,
    stdio: ['ignore', out, out],
  });
  fs.closeSync(out);
  const { promise: ended, resolve } = Promise.withResolvers<number>();
  child.on('exit', (code) => resolve(code ?? 70));
  child.on('error', () => resolve(faults.DAEMON_UNREACHABLE.exit));
  for (;;) {
    const waited = await Promise.race([ended.then((code) => ({ code })), delay(lookEveryMs)]);
    if (await answers(client)) break;
    if (waited && !(await answersSoon(client, waited.code))) throw startFault(waited.code, fs.readFileSync(log, 'utf8'));
    if (Date.now() > deadline) {
      child.kill('SIGTERM');
      throw new IntramurError('DAEMON_UNREACHABLE', `the daemon did not answer within ${startLimitMs / 1000} s; see ${log}`);
    }
  }
  child.unref();
}

/** The ledger is held by a daemon that somebody started in the foreground, and that does not listen yet. */
async function answersSoon(client: DaemonClient, exit: number): Promise<boolean> {
  if (exit !== faults.LEDGER_APPEND.exit) return false;
  for (let waited = 0; waited < soonMs; waited += lookEveryMs) {
    await delay(lookEveryMs);
    if (await answers(client)) return true;
  }
  return false;
}

/** The child said on its log what went wrong, and by its exit code what kind of fault it is. */
function startFault(exit: number, said: string): IntramurError {
  const code: Code = exit === faults.CONFIG_INVALID.exit ? 'CONFIG_INVALID' : 'DAEMON_UNREACHABLE';
  const lines = said
    .trim()
    .split('\n')
    .map((line) => line.replace(/^intramur: /, ''));
  // On a full disk it could not even say so.
  if (!lines[0]) return new IntramurError(code, `the daemon ended with ${exit} and said nothing`, { hint: `${product.name} up says why` });
  return new IntramurError(code, lines[0], lines[1] ? { hint: lines[1].trim() } : {});
}

/** Of a daemon that is being started: until it answers, it has not begun. */
async function answers(client: DaemonClient): Promise<boolean> {
  return await client.status().then(
    () => true,
    () => false,
  );
}

function delay(ms: number): Promise<undefined> {
  return new Promise((resolve) => setTimeout(resolve, ms, undefined));
}
