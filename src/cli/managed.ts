// `managed emit`: the managed settings of an agent that follow from the policy, on standard output; it installs nothing.
import fs from 'node:fs';
import { parseArgs } from 'node:util';
import { managedAgents, managedFor } from '../audit/index.ts';
import { loadConfig, readRegister, registerFileIn, vettingOf } from '../config/index.ts';
import { IntramurError, placesFrom } from '../core/index.ts';
import type { CliIo } from './io.ts';

export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { agent: { type: 'string' }, diff: { type: 'boolean', default: false } },
  });
  if (positionals.length !== 1 || positionals[0] !== 'emit') throw new IntramurError('USAGE', 'managed emit --agent ID [--diff]');
  const config = await loadConfig({ env: io.env, home: io.home, cwd: io.cwd, systemDir: placesFrom(io.env, io.home).system });
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
    io.stdout.write(lineDiff(path, installed, text));
  }
  return differs ? 1 : 0;
}

/** Lines that would go and lines that would come, in the order of the files. */
function lineDiff(path: string, before: string, after: string): string {
  const old = before.split('\n');
  const next = after.split('\n');
  // Longest common subsequence; files that people write have tens of lines, and what has thousands is shown whole.
  if (old.length > 2000)
    return `--- ${path}\n+++ policy\n${[...old.map((line) => `-${line}`), ...next.map((line) => `+${line}`)].join('\n')}\n`;
  const table = Array.from({ length: old.length + 1 }, () => new Array<number>(next.length + 1).fill(0));
  for (let i = old.length - 1; i >= 0; i--) {
    for (let j = next.length - 1; j >= 0; j--) {
      const row = table[i];
      if (row !== undefined)
        row[j] = old[i] === next[j] ? (table[i + 1]?.[j + 1] ?? 0) + 1 : Math.max(table[i + 1]?.[j] ?? 0, row[j + 1] ?? 0);
    }
  }
  const out = [`--- ${path}`, '+++ policy'];
  let i = 0;
  let j = 0;
  while (i < old.length || j < next.length) {
    if (i < old.length && j < next.length && old[i] === next[j]) {
      out.push(` ${old[i] ?? ''}`);
      i++;
      j++;
    } else if (j >= next.length || (i < old.length && (table[i + 1]?.[j] ?? 0) >= (table[i]?.[j + 1] ?? 0))) out.push(`-${old[i++] ?? ''}`);
    else out.push(`+${next[j++] ?? ''}`);
  }
  return `${out.join('\n')}\n`;
}
