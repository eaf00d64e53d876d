// `down`: stops the daemon and waits until it is gone. A daemon that is not there is already down.
import { IntramurError, placesFrom, product } from '../core/index.ts';
import { createClient } from '../daemon/index.ts';
import { isRunning } from './daemon-at-hand.ts';
import type { CliIo } from './io.ts';
import { parseOptions } from './options.ts';
import { printable } from './run/status-line.ts';

export const forms = { '': {} };

const stopLimitMs = 15_000;

export async function run(args: readonly string[], io: CliIo): Promise<number> {
  parseOptions(args, {});
  const client = createClient(placesFrom(io.env, io.home).socket);
  if (!(await isRunning(client))) {
    io.stdout.write('not running\n');
    return 0;
  }
  const { sessions } = await client.status();
  await client.stop();
  client.release();
  const deadline = Date.now() + stopLimitMs;
  while (await isRunning(client)) {
    if (Date.now() > deadline) throw new IntramurError('DAEMON_UNREACHABLE', `the daemon did not stop within ${stopLimitMs / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  io.stdout.write('stopped\n');
  for (const { id, agent } of sessions)
    io.stderr.write(`${product.name}: the session ${id} (${printable(agent)}) was running, and is ended\n`);
  return 0;
}
