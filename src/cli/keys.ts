// `keys`: virtual keys for people and programs outside the sandbox. A key is shown once; only its hash is kept.
import crypto from 'node:crypto';
import { type KeyConfig, loadConfig } from '../config/index.ts';
import { classifications, IntramurError, nearest, type Places, placesFrom, product, purposes } from '../core/index.ts';
import { hashOf, keyFileIn, readKeys, usedBy, writeKeys } from '../gateway/index.ts';
import type { CliIo } from './io.ts';
import { jsonOption, many, type Options, parseOptions } from './options.ts';

const addOptions = {
  user: { type: 'string', value: 'U', does: 'whose it is' },
  team: { type: 'string', value: 'T', does: 'whose it is' },
  tool: { type: 'string', value: 'T', does: 'the program that has it' },
  purpose: { type: 'string', value: 'P', does: `one of ${purposes.join(', ')}` },
  classification: { type: 'string', value: 'C', does: 'what comes with it is at least of this class' },
  budget: { type: 'string', value: 'LIMITS', does: 'requests=N,tokens=N,usd=N,per=day' },
  ...jsonOption,
} as const satisfies Options;
export const forms = { 'add ID': addOptions, list: jsonOption, 'revoke ID': {} };

const usage = `usage: ${product.name} keys add ID [--user U] [--team T] [--tool T] [--purpose P] [--classification C] [--budget requests=N,tokens=N,usd=N,per=day]
       ${product.name} keys list [--json]
       ${product.name} keys revoke ID`;

export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const [verb, ...rest] = args;
  const places = placesFrom(io.env, io.home);
  switch (verb) {
    case 'add':
      return add(rest, io, places);
    case 'list':
      return list(rest, io, places);
    case 'revoke':
      return revoke(rest, io, places);
    default:
      throw new IntramurError('USAGE', usage);
  }
}

const name = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/;

async function add(args: readonly string[], io: CliIo, places: Places): Promise<number> {
  const { values, positionals } = parseOptions(args, addOptions, many);
  const [id] = positionals;
  if (id === undefined || positionals.length > 1) throw new IntramurError('USAGE', usage);
  nameOf(id, 'ID');
  const named = (['user', 'team', 'tool'] as const).flatMap((field) => {
    const value = values[field];
    return value === undefined ? [] : [[field, nameOf(value, `--${field}`)] as const];
  });
  const file = keyFileIn(places.state);
  const keys = readKeys(file);
  const config = await configOf(io, places);
  if ([...config.keys, ...keys].some((known) => known.id === id))
    throw new IntramurError('USAGE', `there is a key "${id}" already`, { hint: `${product.name} keys revoke ${id}` });

  const secret = `sk-${product.name}-${crypto.randomBytes(32).toString('base64url')}`;
  const key: KeyConfig = {
    id,
    sha256: hashOf(secret),
    ...Object.fromEntries(named),
    ...(values.purpose === undefined ? {} : { purpose: wordOf(values.purpose, purposes, '--purpose') }),
    ...(values.classification === undefined ? {} : { classification: wordOf(values.classification, classifications, '--classification') }),
    ...(values.budget === undefined ? {} : { budget: budgetOf(values.budget) }),
  };
  writeKeys(file, [...keys, key]);
  if (values.json) io.stdout.write(`${JSON.stringify({ schema: 'intramur/key/1', id, key: secret }, undefined, 2)}\n`);
  else {
    io.stdout.write(`${secret}\n`);
    io.stderr.write(
      `This key is shown once. It goes where a client takes an API key; the address is gateway.url of \`${product.name} status\`.\n`,
    );
  }
  return 0;
}

async function list(args: readonly string[], io: CliIo, places: Places): Promise<number> {
  const { values } = parseOptions(args, jsonOption);
  const file = keyFileIn(places.state);
  const config = await configOf(io, places);
  const used = usedBy(file, new Date());
  const keys = [...config.keys, ...readKeys(file)].map((key) => {
    const { id, user = null, team = null, tool = null, purpose = config.defaultPurpose, classification = 'public', budget = null } = key;
    return { id, user, team, tool, purpose, classification, budget, used: used(key) };
  });
  if (values.json) {
    io.stdout.write(`${JSON.stringify({ schema: 'intramur/keys/1', keys }, undefined, 2)}\n`);
    return 0;
  }
  if (keys.length === 0) io.stdout.write(`no keys; ${product.name} keys add ID makes one\n`);
  for (const { id, user, purpose, classification, budget, used: spent } of keys) {
    const limit = budget ? `, of ${budgetText(budget)}` : '';
    io.stdout.write(
      `${id}  ${user ?? '-'}  ${purpose}, ${classification}  used ${spent.requests} requests, ${spent.tokens} tokens, ${spent.usd.toFixed(2)} USD${limit}\n`,
    );
  }
  return 0;
}

async function revoke(args: readonly string[], io: CliIo, places: Places): Promise<number> {
  const { positionals } = parseOptions(args, {}, many);
  const [id] = positionals;
  if (id === undefined || positionals.length > 1) throw new IntramurError('USAGE', usage);
  const file = keyFileIn(places.state);
  const keys = readKeys(file);
  const kept = keys.filter((key) => key.id !== id);
  if (kept.length === keys.length) {
    const { keys: configured, files } = await configOf(io, places);
    if (configured.some((key) => key.id === id))
      throw new IntramurError('USAGE', `key "${id}" stands in the configuration; take it out there`, { hint: files.join(', ') });
    const meant = nearest(
      id,
      keys.map((key) => key.id),
    );
    throw new IntramurError('USAGE', `there is no key "${id}"${meant ? `; did you mean "${meant}"?` : ''}`);
  }
  writeKeys(file, kept);
  io.stdout.write(`revoked ${id}\n`);
  return 0;
}

function configOf({ env, home, cwd }: CliIo, places: Places): ReturnType<typeof loadConfig> {
  return loadConfig({ env, home, cwd, workspaceFile: 'ignored', systemDir: places.system });
}

function nameOf(text: string, what: string): string {
  if (!name.test(text))
    throw new IntramurError('USAGE', `${what} is a name of letters, digits and . _ @ - that begins with a letter or digit`);
  return text;
}

function wordOf<T extends string>(text: string, words: readonly T[], flag: string): T {
  const word = words.find((one) => one === text);
  if (word === undefined) throw new IntramurError('USAGE', `${flag} is one of ${words.join(', ')}`);
  return word;
}

const periods = ['hour', 'day', 'week', 'month'] as const;
const units = ['requests', 'tokens', 'usd'] as const;

/** `requests=N,tokens=N,usd=N,per=day`; without `per` it counts per day. */
function budgetOf(text: string): NonNullable<KeyConfig['budget']> {
  const limits = new Map<(typeof units)[number], number>();
  let per: (typeof periods)[number] = 'day';
  const seen = new Set<string>();
  for (const part of text.split(',')) {
    const [field = '', value = '', ...more] = part.split('=');
    if (more.length > 0 || seen.has(field)) throw new IntramurError('USAGE', `--budget says ${JSON.stringify(field)} twice`);
    seen.add(field);
    if (field === 'per') {
      per = wordOf(value, periods, 'per in --budget');
      continue;
    }
    const unit = wordOf(field, units, 'each part of --budget');
    const limit = Number(value);
    const isValid = value.trim() !== '' && Number.isFinite(limit) && limit >= 0 && (unit === 'usd' || Number.isInteger(limit));
    if (!isValid) throw new IntramurError('USAGE', `${unit} in --budget is a number from 0 up`);
    limits.set(unit, limit);
  }
  if (limits.size === 0) throw new IntramurError('USAGE', '--budget limits nothing: it takes requests=N, tokens=N, usd=N');
  return { ...Object.fromEntries(limits), per };
}

function budgetText({ per, ...limits }: NonNullable<KeyConfig['budget']>): string {
  const parts = units.flatMap((unit) => (limits[unit] === undefined ? [] : [`${limits[unit]} ${unit === 'usd' ? 'USD' : unit}`]));
  return `${parts.join(', ')} per ${per}`;
}
