// `managed emit`: the managed settings of an agent that follow from the policy, on standard output; it installs nothing.
import fs from 'node:fs';
import { managedAgents, managedFor } from '../audit/index.ts';
import { loadConfig, readRegister, registerFileIn, vettingOf } from '../config/index.ts';
import { IntramurError, placesFrom } from '../core/index.ts';
import type { CliIo } from './io.ts';
import { lineDiff } from './line-diff.ts';
import { many, type Options, parseOptions } from './options.ts';

const options = {
  agent: { type: 'string', value: 'ID', does: `one of ${managedAgents.join(', ')}` },
  diff: { type: 'boolean', default: false, does: 'what differs from the installed ones; exit 1 when anything does' },
} as const satisfies Options;
export const forms = { '': options };

export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const { values, positionals } = parseOptions(args, options, many);
  if (positionals.length !== 1 || positionals[0] !== 'emit') throw new IntramurError('USAGE', 'managed emit --agent ID [--diff]');
  const config = await loadConfig({
    env: io.env,
    home: io.home,
    cwd: io.cwd,
    workspaceFile: 'ignored',
    systemDir: placesFrom(io.env, io.home).system,
  });
  const id = values.agent ?? '';
  const tool = Object.hasOwn(config.tools, id) ? config.tools[id] : undefined;
  const register = readRegister(registerFileIn(placesFrom(io.env, io.home).state));
  if (vettingOf(config, { id }, register) === 'banned')
    throw new IntramurError('USAGE', `${id} is banned: there is nothing to allow`, { hint: 'remove the agent from the machine' });
  const files = managedFor(id, { status: tool?.status ?? 'unvetted', versions: tool?.versions });
  if (files === undefined) throw new IntramurError('USAGE', `--agent: "${id}" is none of ${managedAgents.join(', ')}`);
  let differs = false;
  for (const { path, text } of files) {
    if (!values.diff) {
      io.stderr.write(`${path}\n`);
      io.stdout.write(text);
      continue;
    }
    const installed = fs.existsSync(path) ? fs.readFileSync(path, 'utf8') : '';
    if (installed === text) continue;
    differs = true;
    io.stdout.write(lineDiff({ name: path, text: installed }, { name: 'policy', text }));
  }
  return differs ? 1 : 0;
}
