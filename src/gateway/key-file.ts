// Virtual keys that were added by command, and what each key has used: two small JSON files of the state directory, 0600, replaced
// as a whole so that a reader never sees half of one. A key itself is never stored, only its hash.
import fs from 'node:fs';
import path from 'node:path';
import type { KeyConfig } from '../config/index.ts';
import { classifications, IntramurError, purposes } from '../core/index.ts';

export function keyFileIn(stateDirectory: string): string {
  return path.join(stateDirectory, 'keys.json');
}

export const budgetPeriods = ['hour', 'day', 'week', 'month'] as const;

export interface Used {
  readonly requests: number;
  readonly tokens: number;
  readonly usd: number;
}

/** What a key has used since `since`, the beginning of its budget's period. */
export interface Usage extends Used {
  readonly since: string;
}

export function readKeys(file: string): readonly KeyConfig[] {
  return listIn(file, 'keys').map((value, at) => parseKey(value, `${file}: key ${at + 1}`));
}

export function writeKeys(file: string, keys: readonly KeyConfig[]): void {
  replace(file, { schema: 'intramur/key-file/1', keys });
}

export function usageFileOf(keyFile: string): string {
  return path.join(path.dirname(keyFile), 'key-usage.json');
}

/** What was used is no reason not to start: an unreadable count begins anew, in the period that is running. */
export function readUsage(file: string): Map<string, Usage> {
  try {
    return new Map(listIn(file, 'used').flatMap(usageIn));
  } catch {
    return new Map();
  }
}

/** One key's count, as a row of the table or a line of the journal has it; nothing for what is none. */
export function usageIn(row: unknown): readonly (readonly [id: string, usage: Usage])[] {
  const fields = fieldsOf(row);
  const [id, since] = [fields.get('id'), fields.get('since')];
  const count = (name: string): number => (typeof fields.get(name) === 'number' ? Number(fields.get(name)) : 0);
  if (typeof id !== 'string' || typeof since !== 'string') return [];
  return [[id, { since, requests: count('requests'), tokens: count('tokens'), usd: count('usd') }]];
}

/** Not flushed to the device: a count that a power cut takes back is worth less than a wait. */
export function writeUsage(file: string, used: ReadonlyMap<string, Usage>): void {
  const part = `${file}.${process.pid}.part`;
  const text = JSON.stringify({ schema: 'intramur/key-usage/1', used: [...used].map(([id, usage]) => ({ id, ...usage })) });
  fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  fs.writeFileSync(part, `${text}\n`, { mode: 0o600 });
  fs.renameSync(part, file);
}

function replace(file: string, value: object): void {
  fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  const part = `${file}.${process.pid}.part`;
  fs.rmSync(part, { force: true });
  const handle = fs.openSync(part, 'wx', 0o600);
  try {
    fs.writeFileSync(handle, `${JSON.stringify(value, null, 2)}\n`);
    fs.fdatasyncSync(handle);
  } finally {
    fs.closeSync(handle);
  }
  fs.renameSync(part, file);
}

function listIn(file: string, name: string): readonly unknown[] {
  let text: string;
  try {
    text = fs.readFileSync(file, 'utf8');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return [];
    throw new IntramurError('CONFIG_INVALID', `${file}: cannot be read`, { cause });
  }
  const list = fieldsOf(parse(text, file)).get(name);
  if (!Array.isArray(list)) throw new IntramurError('CONFIG_INVALID', `${file}: "${name}" is not a list`);
  return list;
}

function parse(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new IntramurError('CONFIG_INVALID', `${file}: is not JSON`, { cause });
  }
}

function fieldsOf(value: unknown): ReadonlyMap<string, unknown> {
  return new Map(typeof value === 'object' && value !== null ? Object.entries(value) : []);
}

function parseKey(value: unknown, where: string): KeyConfig {
  const fields = fieldsOf(value);
  const fault = (what: string): IntramurError => new IntramurError('CONFIG_INVALID', `${where}: ${what}`);
  const text = (name: string): string | undefined => {
    const field = fields.get(name);
    if (field !== undefined && typeof field !== 'string') throw fault(`"${name}" is not text`);
    return field;
  };
  const word = <T extends string>(name: string, words: readonly T[]): T | undefined => {
    const field = text(name);
    const known = words.find((one) => one === field);
    if (field !== undefined && known === undefined) throw fault(`"${name}" is none of ${words.join(', ')}`);
    return known;
  };
  const [id, sha256, user, team, tool] = ['id', 'sha256', 'user', 'team', 'tool'].map(text);
  if (!id || !sha256 || !/^[0-9a-f]{64}$/.test(sha256)) throw fault('needs "id" and "sha256"');
  const purpose = word('purpose', purposes);
  const classification = word('classification', classifications);
  const budget = fields.get('budget') === undefined ? undefined : parseBudget(fieldsOf(fields.get('budget')), fault);
  return {
    id,
    sha256,
    ...(user === undefined ? {} : { user }),
    ...(team === undefined ? {} : { team }),
    ...(tool === undefined ? {} : { tool }),
    ...(purpose === undefined ? {} : { purpose }),
    ...(classification === undefined ? {} : { classification }),
    ...(budget === undefined ? {} : { budget }),
  };
}

function parseBudget(fields: ReadonlyMap<string, unknown>, fault: (what: string) => IntramurError): NonNullable<KeyConfig['budget']> {
  const limit = (name: string): number | undefined => {
    const field = fields.get(name);
    if (field !== undefined && (typeof field !== 'number' || !(field >= 0))) throw fault(`budget: "${name}" is not a number`);
    return typeof field === 'number' ? field : undefined;
  };
  const per = budgetPeriods.find((period) => period === fields.get('per'));
  if (per === undefined) throw fault(`budget: "per" is none of ${budgetPeriods.join(', ')}`);
  const [requests, tokens, usd] = ['requests', 'tokens', 'usd'].map(limit);
  return {
    per,
    ...(requests === undefined ? {} : { requests }),
    ...(tokens === undefined ? {} : { tokens }),
    ...(usd === undefined ? {} : { usd }),
  };
}
