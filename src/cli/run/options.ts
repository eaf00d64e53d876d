// The options of `run`, parsed once. What stands after `--` belongs to the program and is not looked at.

import path from 'node:path';
import { IntramurError, type Purpose, purposes } from '../../core/index.ts';
import { many, type Options, parseOptions } from '../options.ts';

export interface RunOptions {
  readonly command: readonly [string, ...string[]];
  readonly purpose: Purpose | undefined;
  readonly workspace: string;
  readonly mode: 'overlay' | 'direct';
  readonly allow: readonly string[];
  readonly env: readonly string[];
  readonly limitMemoryBytes: number | undefined;
  readonly limitPids: number;
  /** The number was asked for, not only the default. */
  readonly asksLimitPids: boolean;
  readonly limitCpus: number | undefined;
  /** Go on without layers that are asked for and missing, where the program is contained all the same. */
  readonly allowDegraded: boolean;
  /** Ask about, and record, each program that starts inside. */
  readonly auditExec: boolean;
  /** Propose a profile of what the session needed. */
  readonly learn: boolean;
  readonly profile: string | undefined;
  /** Paths outside the workspace to show read-only. */
  readonly read: readonly string[];
  readonly summaryFile: string | undefined;
}

export const defaultPids = 4096;

export const runOptions = {
  purpose: { type: 'string', value: 'PURPOSE', does: `${purposes.join(' or ')}; by default what the configuration says` },
  workspace: { type: 'string', value: 'DIR', does: 'by default the current directory' },
  mode: { type: 'string', value: 'MODE', does: 'overlay (default): writes wait for `apply`; or direct' },
  allow: { type: 'string', multiple: true, value: 'HOST[:PORT]', does: 'may be reached, unless a policy forbids it' },
  env: { type: 'string', multiple: true, value: 'NAME', does: 'pass this variable on' },
  profile: { type: 'string', value: 'NAME', does: 'what an earlier --learn proposed' },
  learn: { type: 'boolean', does: 'propose a profile of what the session needed' },
  'limit-memory': { type: 'string', value: 'SIZE', does: 'such as 4G' },
  'limit-pids': { type: 'string', value: 'N', does: `processes and threads at once, by default ${defaultPids}` },
  'limit-cpus': { type: 'string', value: 'N', does: 'processors, such as 1.5' },
  'allow-degraded': { type: 'boolean', does: 'go on without a limit that cannot be held here' },
  'audit-exec': { type: 'boolean', does: 'decide and record each program that starts inside' },
  'summary-json': { type: 'string', value: 'FILE', does: 'write what happened as JSON' },
} as const satisfies Options;

/** @throws IntramurError USAGE */
export function parseRun(args: readonly string[], cwd: string): RunOptions {
  const end = args.indexOf('--');
  const own = end < 0 ? args : args.slice(0, end);
  const { values, positionals } = parseOptions(own, runOptions, many);
  const [program, ...rest] = end < 0 ? positionals : args.slice(end + 1);
  if (end >= 0 && positionals.length > 0) throw usage(`unexpected "${positionals[0]}" before --`);
  if (!program) throw usage('no program to run; say: intramur run -- COMMAND');
  return {
    command: [program, ...rest],
    purpose: oneOf('purpose', values.purpose, purposes),
    workspace: path.resolve(cwd, values.workspace ?? '.'),
    mode: oneOf('mode', values.mode, ['overlay', 'direct'] as const) ?? 'overlay',
    allow: values.allow ?? [],
    env: (values.env ?? []).map(nameOf),
    limitMemoryBytes: values['limit-memory'] === undefined ? undefined : bytesFrom(values['limit-memory']),
    limitPids: values['limit-pids'] === undefined ? defaultPids : countFrom(values['limit-pids']),
    asksLimitPids: values['limit-pids'] !== undefined,
    limitCpus: values['limit-cpus'] === undefined ? undefined : cpusFrom(values['limit-cpus']),
    allowDegraded: values['allow-degraded'] ?? false,
    learn: values.learn ?? false,
    profile: values.profile,
    read: [],
    auditExec: values['audit-exec'] ?? false,
    summaryFile: values['summary-json'] === undefined ? undefined : path.resolve(cwd, values['summary-json']),
  };
}

function oneOf<T extends string>(name: string, value: string | undefined, allowed: readonly T[]): T | undefined {
  if (value === undefined) return undefined;
  const found = allowed.find((word) => word === value);
  if (!found) throw usage(`--${name} is one of ${allowed.join(', ')}, not "${value}"`);
  return found;
}

/** What stands behind the name may be a secret, so it is not repeated. */
function nameOf(given: string): string {
  const [name = ''] = given.split('=', 1);
  if (name !== given) throw usage(`--env takes the name of a variable that is set outside, without a value: --env ${name}`);
  return name;
}

const units: Readonly<Record<string, number>> = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };

const leastMemory = 4 * 2 ** 20;

function bytesFrom(text: string): number {
  const [, digits = '', unit = ''] = /^(\d+)\s*([kmgt]?)(?:i?b)?$/i.exec(text) ?? [];
  const bytes = Number(digits) * (units[unit.toLowerCase()] ?? Number.NaN);
  if (!digits || !Number.isSafeInteger(bytes) || bytes === 0)
    throw usage(`--limit-memory ${JSON.stringify(text)} is not a size such as 4G`);
  if (bytes < leastMemory)
    throw usage(`--limit-memory ${JSON.stringify(text)} is less than anything needs to start; write a size such as 4G`);
  return bytes;
}

function cpusFrom(text: string): number {
  const cpus = Number(text);
  if (!(cpus >= 0.01 && cpus <= 4096)) throw usage(`--limit-cpus ${JSON.stringify(text)} is not a number of processors such as 1.5`);
  return cpus;
}

function countFrom(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw usage(`--limit-pids ${JSON.stringify(text)} is not a positive number`);
  return count;
}

function usage(message: string): IntramurError {
  return new IntramurError('USAGE', message);
}
