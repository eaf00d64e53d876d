// `agents`: the register of tools. `ban`, `vet` and `pin` go through the daemon, which records who and why and acts at once.
import { isVersionRange, loadConfig, readRegister, registerFileIn, type Verb, vettingOf } from '../config/index.ts';
import { IntramurError, type Places, placesFrom, product } from '../core/index.ts';
import { listAgents } from './agents/list.ts';
import { hostsOf, identify, installedPin } from './agents/named.ts';
import { withDaemon } from './daemon-at-hand.ts';
import type { CliIo } from './io.ts';
import { jsonOption, many, type Options, parseOptions } from './options.ts';

const stateOptions = {
  versions: { type: 'string', value: 'RANGE', does: 'such as ">=2.1.198 <3"' },
  sha256: { type: 'string', value: 'H', does: 'of the program' },
  reason: { type: 'string', value: 'TEXT', does: 'why, for the ledger' },
  ...jsonOption,
} as const satisfies Options;
export const forms = { list: jsonOption, 'ban AGENT': stateOptions, 'vet AGENT': stateOptions, 'pin AGENT': stateOptions };

const usage = `usage: ${product.name} agents list [--json]
       ${product.name} agents ban|vet AGENT [--versions RANGE] [--sha256 H] [--reason TEXT]
       ${product.name} agents pin AGENT [--versions RANGE] [--sha256 H] [--reason TEXT]   (without both: what is installed)`;

export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const [verb, ...rest] = args;
  const places = placesFrom(io.env, io.home);
  switch (verb) {
    case 'list': {
      const { values } = parseOptions(rest, jsonOption);
      return await listAgents(io, places, values.json);
    }
    case 'ban':
    case 'vet':
    case 'pin':
      return await state(verb, rest, io, places);
    default:
      throw new IntramurError('USAGE', usage);
  }
}

async function state(verb: Verb, args: readonly string[], io: CliIo, places: Places): Promise<number> {
  const { values, positionals } = parseOptions(args, stateOptions, many);
  const [given] = positionals;
  if (given === undefined || positionals.length > 1) throw new IntramurError('USAGE', usage);
  const named = identify(given);
  const agent = named.id;
  if (named.remark !== undefined) io.stderr.write(`${product.name}: ${named.remark}\n`);
  const isBare = values.versions === undefined && values.sha256 === undefined;
  const { versions, sha256 } =
    verb === 'pin' && isBare ? await installedPin(agent, io) : { ...values, sha256: values.sha256?.toLowerCase() };
  if (versions !== undefined && !isVersionRange(versions))
    throw new IntramurError('USAGE', `--versions ${JSON.stringify(versions)} is no comparison of versions such as ">=2.1.198 <3"`);
  if (sha256 !== undefined && !/^[0-9a-f]{64}$/.test(sha256))
    throw new IntramurError('USAGE', '--sha256 takes the 64 hexadecimal digits of the program');
  if (values.reason !== undefined && (values.reason.length > 500 || /\p{C}/u.test(values.reason)))
    throw new IntramurError('USAGE', '--reason is one line of at most 500 characters');

  const config = await loadConfig({ env: io.env, home: io.home, cwd: io.cwd, workspaceFile: 'ignored', systemDir: places.system });
  const configured = Object.hasOwn(config.tools, agent) ? config.tools[agent] : undefined;
  if (verb !== 'ban' && configured !== undefined && configured.status !== 'vetted')
    throw new IntramurError('USAGE', `the configuration says that ${agent} is ${configured.status}, and the register cannot loosen it`, {
      hint: config.files.join(', '),
    });
  const register = readRegister(registerFileIn(places.state));
  const isBanned = (id: string) => vettingOf(config, { id }, register) === 'banned';
  const hosts = verb === 'ban' && isBare ? hostsOf(agent, isBanned) : [];
  const { client, answer } = await withDaemon(places, io.env, (daemon) =>
    daemon.state({
      verb,
      agent,
      ...(versions === undefined ? {} : { versions }),
      ...(sha256 === undefined ? {} : { sha256 }),
      ...(values.reason === undefined ? {} : { reason: values.reason }),
      ...(hosts.length === 0 ? {} : { hosts }),
    }),
  );
  client.release();
  if (values.json) {
    const { entry, halted, lifted } = answer;
    const said = { verb, agent, versions: versions ?? null, sha256: sha256 ?? null, reason: values.reason ?? null, hosts };
    io.stdout.write(`${JSON.stringify({ schema: 'intramur/agent/1', ...said, entry, halted, lifted }, undefined, 2)}\n`);
    return 0;
  }
  const what = [versions, sha256 === undefined ? undefined : `sha256 ${sha256}`].filter((part) => part !== undefined).join(', ');
  const done = { ban: 'banned', vet: 'vetted', pin: 'pinned' }[verb];
  io.stdout.write(`${agent} is ${done}${what === '' ? '' : ` (${what})`}; ledger entry ${answer.entry}\n`);
  for (const { by, at, reason, versions: part } of answer.lifted)
    io.stdout.write(
      `lifted: the ban${part === undefined ? '' : ` of ${part}`} by ${by} on ${at.slice(0, 10)}${reason === undefined ? '' : `: ${reason}`}\n`,
    );
  if (hosts.length > 0) io.stdout.write(`closed for everybody: ${hosts.join(', ')}\n`);
  for (const { id } of answer.halted) io.stdout.write(`halted session ${id}\n`);
  return 0;
}
