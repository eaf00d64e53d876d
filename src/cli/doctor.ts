// `doctor`: probes each layer of the sandbox by doing it, and says the one command that mends what is missing.
import { parseArgs } from 'node:util';
import { faults } from '../core/index.ts';
import { doctor } from '../sandbox/index.ts';
import type { CliIo } from './io.ts';

export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const { values } = parseArgs({ args: [...args], options: { json: { type: 'boolean', default: false } } });
  const { mode, layers } = await doctor();
  if (values.json) io.stdout.write(`${JSON.stringify({ schema: 'intramur/doctor/1', mode, layers }, undefined, 2)}\n`);
  else {
    for (const { name, ok, reason, fix } of layers) {
      io.stdout.write(`${ok ? 'ok  ' : 'no  '} ${name}${reason ? `: ${reason}` : ''}\n`);
      if (!ok && fix) io.stdout.write(`     fix: ${fix}\n`);
    }
    io.stdout.write(`sandbox: ${mode}\n`);
  }
  return mode === 'full' ? 0 : mode === 'degraded' ? 1 : faults.SANDBOX_UNAVAILABLE.exit;
}
