// Starts a daemon in the background and waits until it answers. The child gets no terminal and no directory of ours to keep busy.
import fs from 'node:fs';
import path from 'node:path';
import { type Code, faults, IntramurError, type Places } from '../core/index.ts';
import { createClient } from '../daemon/index.ts';
import { isRunning } from './daemon-at-hand.ts';

/** How long a daemon may take until it answers. */
const startLimitMs = 20_000;

export async function startInBackground(
  places: Places,
  env: Readonly<Record<string, string | undefined>>,
  args: readonly string[],
): Promise<void> {
  fs.mkdirSync(places.state, { recursive: true, mode: 0o700 });
  const log = path.join(places.state, 'daemon.log');
  const out = fs.openSync(log, 'w', 0o600);
  const script = process.argv[1] ?? '';
  const { spawn } = process.getBuiltinModule('node:child_process');
  const child = spawn(process.execPath, [script, 'up', ...args], {
    cwd: places.state,
    env: { ...env },
    detached: true,
    stdio: ['ignore', out, out],
  });
  fs.closeSync(out);
  const { promise: ended, resolve } = Promise.withResolvers<number>();
  child.on('exit', (code) => resolve(code ?? 70));
  child.on('error', () => resolve(faults.DAEMON_UNREACHABLE.exit));
  const client = createClient(places.socket);
  const deadline = Date.now() + startLimitMs;
  for (;;) {
    const waited = await Promise.race([ended.then((code) => ({ code })), delay(30)]);
    if (await isRunning(client)) break;
    if (waited) throw startFault(waited.code, fs.readFileSync(log, 'utf8'));
    if (Date.now() > deadline) {
      child.kill('SIGTERM');
      throw new IntramurError('DAEMON_UNREACHABLE', `the daemon did not answer within ${startLimitMs / 1000} s; see ${log}`);
    }
  }
  client.release();
  child.unref();
}

/** The child said on its log what went wrong, and by its exit code what kind of fault it is. */
function startFault(exit: number, said: string): IntramurError {
  const code: Code = exit === faults.CONFIG_INVALID.exit ? 'CONFIG_INVALID' : 'DAEMON_UNREACHABLE';
  const lines = said
    .trim()
    .split('\n')
    .map((line) => line.replace(/^intramur: /, ''));
  return new IntramurError(code, lines.at(0) || `the daemon ended with ${exit}`, lines[1] ? { hint: lines[1].trim() } : {});
}

function delay(ms: number): Promise<undefined> {
  return new Promise((resolve) => setTimeout(resolve, ms, undefined));
}
