// `policy check|test|explain`: are the policies valid, do they say what their cases say, and why did one decide as it did.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { loadConfig } from '../config/index.ts';
import { IntramurError, packageRoot, placesFrom } from '../core/index.ts';
import { type Explanation, loadPolicies, type PolicyEngine, parseRequestDocument, runCases } from '../policy/index.ts';
import type { CliIo } from './io.ts';

const usage = 'policy check [DIR] | policy test [DIR] | policy explain --request FILE';

export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { json: { type: 'boolean', default: false }, config: { type: 'string' }, request: { type: 'string' } },
  });
  const [command, directory, ...rest] = positionals;
  if (rest.length > 0) throw new IntramurError('USAGE', `unexpected argument ${JSON.stringify(rest[0])}`, { hint: usage });
  const policy: PolicyCommand = { io, isJson: values.json, configFile: values.config, packsDir: path.join(packageRoot(), 'src', 'packs') };
  switch (command) {
    case 'check':
      return await check(policy, directory);
    case 'test':
      return await test(policy, directory);
    case 'explain':
      if (values.request === undefined || directory !== undefined)
        throw new IntramurError('USAGE', 'policy explain needs --request FILE', { hint: usage });
      return await explain(policy, values.request);
    case 'replay':
    case 'diff':
      throw new IntramurError('USAGE', `"policy ${command}" is not built yet`);
    default:
      throw new IntramurError('USAGE', command === undefined ? 'policy needs a command' : `unknown command "policy ${command}"`, {
        hint: usage,
      });
  }
}

interface PolicyCommand {
  readonly io: CliIo;
  readonly isJson: boolean;
  readonly configFile: string | undefined;
  readonly packsDir: string;
}

/** The packs and directories that hold here: what the daemon would load for this workspace. */
async function configured({ io, configFile }: PolicyCommand): Promise<{ packs: readonly string[]; dirs: readonly string[] }> {
  const { env, home, cwd } = io;
  const { packs, policies } = await loadConfig({ env, home, cwd, file: configFile, systemDir: placesFrom(env, home).system });
  return { packs, dirs: policies };
}

async function load(command: PolicyCommand, directory: string | undefined): Promise<PolicyEngine> {
  const { packsDir, io } = command;
  if (directory === undefined) return await loadPolicies({ ...(await configured(command)), packsDir });
  return await loadPolicies({ packs: [], packsDir, dirs: [path.resolve(io.cwd, directory)] });
}

async function check(command: PolicyCommand, directory: string | undefined): Promise<number> {
  const { bundle, digest, packs, unasked } = await load(command, directory);
  const policies = [...bundle.policies.values()].map(({ id, json, file, line }) => ({ id, effect: json.effect, file, line }));
  const notes = unasked.map((id) => `${id} has no effect yet: nothing asks about its actions`);
  if (command.isJson) print(command, { schema: 'intramur/policy-check/1', ok: true, digest, packs, policies, notes });
  else {
    for (const note of notes) command.io.stdout.write(`note: ${note}\n`);
    command.io.stdout.write(`${policies.length} ${policies.length === 1 ? 'policy is' : 'policies are'} valid (${digest.slice(0, 12)})\n`);
  }
  return 0;
}

async function test(command: PolicyCommand, directory: string | undefined): Promise<number> {
  const { packsDir, io } = command;
  const { packs, dirs } = directory === undefined ? await configured(command) : { packs: [], dirs: [path.resolve(io.cwd, directory)] };
  const places = [...packs.map((pack) => path.join(packsDir, pack)), ...dirs];
  const results = (await Promise.all(places.map((place) => runCases(place, packsDir)))).flat();
  if (results.length === 0)
    throw new IntramurError('POLICY_INVALID', `no cases in ${places.map((place) => path.join(place, 'cases')).join(', ')}`);
  const failed = results.filter(({ differences }) => differences.length > 0);
  if (command.isJson) {
    const rows = results.map(({ file, name, differences }) => ({ file, name, ok: differences.length === 0, differences }));
    print(command, { schema: 'intramur/policy-test/1', passed: results.length - failed.length, failed: failed.length, results: rows });
  } else {
    for (const { file, name, differences } of failed) {
      io.stdout.write(`FAILED ${path.relative(io.cwd, file)}: ${name}\n${differences.map((line) => `       ${line}\n`).join('')}`);
    }
    io.stdout.write(`${results.length - failed.length} passed, ${failed.length} failed\n`);
  }
  return failed.length > 0 ? 1 : 0;
}

async function explain(command: PolicyCommand, file: string): Promise<number> {
  const name = path.resolve(command.io.cwd, file);
  const text = await readFile(name, 'utf8').catch((cause: unknown) => {
    throw new IntramurError('CONFIG_NOT_FOUND', `${name}: cannot be read`, { cause });
  });
  const { request, facts } = parseRequestDocument(name, text);
  const engine = await load(command, undefined);
  const explanation = engine.explain(request, facts);
  if (command.isJson) print(command, { schema: 'intramur/policy-explain/1', policy: engine.digest, ...explanation });
  else command.io.stdout.write(asText(explanation));
  return 0;
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

function print({ io }: PolicyCommand, document: object): void {
  io.stdout.write(`${JSON.stringify(document, undefined, 2)}\n`);
}
