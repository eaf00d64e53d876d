// `up`: the daemon, in the foreground or the background.

import path from 'node:path';
import { IntramurError, placesFrom, product } from '../core/index.ts';
import { createClient, startDaemon } from '../daemon/index.ts';
import { isRunning } from './daemon-at-hand.ts';
import type { CliIo } from './io.ts';
import { type Options, parseOptions } from './options.ts';
import { startInBackground } from './start-in-background.ts';

const options = {
  background: { type: 'boolean', default: false, does: 'return as soon as the gateway listens' },
  port: { type: 'string', value: 'N', does: 'of the gateway, on loopback' },
  config: { type: 'string', value: 'FILE', does: 'instead of the intramur.yaml of this directory' },
} as const satisfies Options;
export const forms = { '': options };

export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const { values } = parseOptions(args, options);
  const places = placesFrom(io.env, io.home);
  const port = values.port === undefined ? undefined : portFrom(values.port);
  const configFile = values.config === undefined ? undefined : path.resolve(io.cwd, values.config);
  const client = createClient(places.socket);
  const running = await isRunning(client);
  client.release();
  if (running) throw new IntramurError('USAGE', 'the daemon is already running', { hint: `see: ${product.name} status` });

  if (values.background) {
    const passed = [...(port === undefined ? [] : ['--port', String(port)]), ...(configFile === undefined ? [] : ['--config', configFile])];
    await startInBackground(places, io.env, passed);
    return 0;
  }
  const daemon = await startDaemon({
    env: io.env,
    home: io.home,
    cwd: io.cwd,
    places,
    ...(port === undefined ? {} : { port }),
    ...(configFile === undefined ? {} : { configFile }),
    log: (line) => void io.stderr.write(`${product.name}: ${line}\n`),
  });
  io.stdout.write(`gateway  ${daemon.urls.gateway}\nconsole  ${daemon.urls.console}\nnext     npx ${product.name} run -- COMMAND\n`);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => daemon.stop());
  await daemon.stopped;
  return 0;
}

function portFrom(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new IntramurError('USAGE', `--port ${JSON.stringify(text)} is not a port`);
  return port;
}
