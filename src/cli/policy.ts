// `policy check|test|explain`: are the policies valid, do they say what their cases say, and why did one decide as it did.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { type Config, loadConfig } from '../config/index.ts';
import { IntramurError, packageRoot, placesFrom, product } from '../core/index.ts';
import { readEntry } from '../ledger/index.ts';
import {
  type Explanation,
  loadPolicies,
  type PolicyEngine,
  parseRequestDocument,
  type RequestDocument,
  runCases,
} from '../policy/index.ts';
import type { CliIo } from './io.ts';
import { ledgerDirectory, parseIndex } from './ledger/place.ts';
import { requestFrom } from './policy/recorded.ts';

const hint = `${product.name} policy check [DIR] | test [DIR] | explain --ledger N | explain --request FILE`;

interface PolicyCommand {
  readonly io: CliIo;
  readonly isJson: boolean;
  readonly configFile: string | undefined;
  readonly packsDir: string;
}

export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      config: { type: 'string' },
      request: { type: 'string' },
      ledger: { type: 'string' },
      policy: { type: 'string' },
      since: { type: 'string' },
    },
  });
  const [name, directory, ...rest] = positionals;
  if (rest.length > 0) throw new IntramurError('USAGE', `unexpected argument ${JSON.stringify(rest[0])}`, { hint });
  const command: PolicyCommand = { io, isJson: values.json, configFile: values.config, packsDir: path.join(packageRoot(), 'src', 'packs') };
  switch (name) {
    case 'check':
      return await check(command, directory);
    case 'test':
      return await test(command, directory);
    case 'explain':
      if (directory !== undefined || (values.request === undefined) === (values.ledger === undefined)) {
        throw new IntramurError('USAGE', 'policy explain needs one of --ledger N and --request FILE', { hint });
      }
      return await explain(command, values.request, values.ledger);
    case 'replay':
    case 'diff':
      throw new IntramurError('USAGE', `"policy ${name}" is not built yet`);
    case undefined:
      throw new IntramurError('USAGE', 'policy needs a subcommand', { hint });
    default:
      throw new IntramurError('USAGE', `unknown subcommand "policy ${name}"`, { hint });
  }
}

/** What the daemon would load for this workspace. */
async function configured({ io, configFile }: PolicyCommand): Promise<Config> {
  const { env, home, cwd } = io;
  return await loadConfig({ env, home, cwd, file: configFile, systemDir: placesFrom(env, home).system });
}

async function check(command: PolicyCommand, directory: string | undefined): Promise<number> {
  const { io, packsDir } = command;
  const { bundle, digest, packs, unasked } = await (directory === undefined
    ? engineFor(command, await configured(command))
    : loadPolicies({ packs: [], packsDir, dirs: [path.resolve(io.cwd, directory)] }));
  const policies = [...bundle.policies.values()].map(({ id, json, file, line }) => ({ id, effect: json.effect, file, line }));
  const notes = unasked.map((id) => `${id} has no effect yet: nothing asks about its actions`);
  if (command.isJson) print(io, { schema: 'intramur/policy-check/1', ok: true, digest, packs, policies, notes });
  else {
    for (const note of notes) io.stdout.write(`note: ${note}\n`);
    io.stdout.write(`${policies.length} ${policies.length === 1 ? 'policy is' : 'policies are'} valid (${digest.slice(0, 12)})\n`);
  }
  return 0;
}

function engineFor({ packsDir }: PolicyCommand, { packs, policies }: Config): Promise<PolicyEngine> {
  return loadPolicies({ packs, packsDir, dirs: policies });
}

async function test(command: PolicyCommand, directory: string | undefined): Promise<number> {
  const { packsDir, io, isJson } = command;
  const places = directory === undefined ? await configuredPlaces(command) : [path.resolve(io.cwd, directory)];
  const results = (await Promise.all(places.map((place) => runCases(place, packsDir)))).flat();
  if (results.length === 0) {
    throw new IntramurError('POLICY_INVALID', `there is no case in ${places.map((place) => path.join(place, 'cases')).join(', ')}`);
  }
  const failed = results.filter(({ differences }) => differences.length > 0);
  const passed = results.length - failed.length;
  if (isJson) {
    const rows = results.map(({ file, name, differences }) => ({ file, name, ok: differences.length === 0, differences }));
    print(io, { schema: 'intramur/policy-test/1', passed, failed: failed.length, results: rows });
  } else {
    for (const { file, name, differences } of failed) {
      io.stdout.write(`FAILED ${path.relative(io.cwd, file)}: ${name}\n${differences.map((line) => `       ${line}\n`).join('')}`);
    }
    io.stdout.write(`${passed} passed, ${failed.length} failed\n`);
  }
  return failed.length > 0 ? 1 : 0;
}

async function configuredPlaces(command: PolicyCommand): Promise<string[]> {
  const { packs, policies } = await configured(command);
  return [...packs.map((pack) => path.join(command.packsDir, pack)), ...policies];
}

async function explain(command: PolicyCommand, file: string | undefined, index: string | undefined): Promise<number> {
  const { io, isJson } = command;
  const config = await configured(command);
  const asked = file === undefined ? await fromLedger(parseIndex(index), config, io) : await fromFile(path.resolve(io.cwd, file));
  const engine = await engineFor(command, config);
  const explanation = engine.explain(asked.request, asked.facts);
  const { recorded } = asked;
  if (isJson) print(io, { schema: 'intramur/policy-explain/1', policy: engine.digest, ...(recorded ? { recorded } : {}), ...explanation });
  else {
    if (recorded) io.stdout.write(`${recordedText(recorded, explanation)}\n`);
    io.stdout.write(asText(explanation));
  }
  return 0;
}

interface Recorded {
  readonly index: number;
  readonly decision: string;
  readonly reason?: string;
  readonly policies: readonly string[];
}

type Asked = RequestDocument & { readonly recorded?: Recorded };

async function fromLedger(index: number, config: Config, io: CliIo): Promise<Asked> {
  const entry = await readEntry(await ledgerDirectory(undefined, io), index);
  const { decision = '', reason, policies = [] } = entry;
  return { ...requestFrom(entry, config), recorded: { index, decision, ...(reason === undefined ? {} : { reason }), policies } };
}

async function fromFile(file: string): Promise<Asked> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new IntramurError('CONFIG_NOT_FOUND', `${file}: cannot be read`, { cause });
  });
  return parseRequestDocument(file, text);
}

function recordedText({ index, decision, reason, policies }: Recorded, now: Explanation): string {
  const was = `entry ${index}: ${decision}${reason === undefined ? '' : `: ${reason}`} [${policies.join(', ')}]`;
  const isSame = now.decision.effect === decision && now.decision.policies.join() === policies.join();
  return `${was}\n${isSame ? 'The same by the policies of today:' : 'By the policies of today, as far as the entry tells:'}`;
}

function asText({ decision, rulings, changes }: Explanation): string {
  const lines = [decision.effect === 'allow' ? 'allow' : `deny: ${decision.reason.text}`];
  for (const { target, decision: ruling, policies, errors } of rulings) {
    if (target !== undefined) lines.push(`  ${target}: ${ruling}`);
    for (const { id, effect, annotations, file, line } of policies) {
      lines.push(`    ${effect} ${id} (${file}:${line})${annotations['reason'] ? `: ${annotations['reason']}` : ''}`);
      for (const key of ['effect', 'approvers', 'ttl']) if (annotations[key]) lines.push(`      @${key} ${annotations[key]}`);
    }
    if (policies.length === 0 && errors.length === 0) lines.push('    no policy permits it (default deny)');
    for (const id of errors) lines.push(`    failed: ${id}`);
  }
  const turned = decision.effect === 'allow' ? 'refused' : 'allowed';
  if (changes.length > 0) lines.push(`It would be ${turned}:`, ...changes.map((change) => `  ${change}`));
  else lines.push(`No single change would make it ${turned}.`);
  return `${lines.join('\n')}\n`;
}

function print(io: CliIo, document: object): void {
  io.stdout.write(`${JSON.stringify(document, undefined, 2)}\n`);
}
