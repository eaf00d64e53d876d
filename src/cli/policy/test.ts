// `policy test [DIR]`: the cases of what is configured, or of one directory.
import path from 'node:path';
import { IntramurError } from '../../core/index.ts';
import { runCases } from '../../policy/index.ts';
import type { CliIo } from '../io.ts';
import { parseOptions } from '../options.ts';
import { commonOptions, configured, packsDirectory, print } from './place.ts';

export async function test(args: readonly string[], io: CliIo): Promise<number> {
  const { values, positionals } = parseOptions(args, commonOptions, 1);
  const [directory] = positionals;
  const places = directory === undefined ? await configuredPlaces(io, values.config) : [path.resolve(io.cwd, directory)];
  const results = (await Promise.all(places.map((place) => runCases(place, packsDirectory())))).flat();
  if (results.length === 0) {
    throw new IntramurError('POLICY_INVALID', `there is no case in ${places.map((place) => path.join(place, 'cases')).join(', ')}`);
  }
  const failed = results.filter(({ differences }) => differences.length > 0);
  const passed = results.length - failed.length;
  if (values.json) {
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

async function configuredPlaces(io: CliIo, configFile: string | undefined): Promise<string[]> {
  const { packs, policies } = await configured(io, configFile);
  return [...packs.map((pack) => path.join(packsDirectory(), pack)), ...policies];
}
