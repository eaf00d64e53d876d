// `policy`: are the policies valid, do they say what their cases say, why did one decide as it did, and what would a draft change.
import { IntramurError, product } from '../core/index.ts';
import type { CliIo } from './io.ts';
import { check } from './policy/check.ts';
import { diff, replay, replayOptions } from './policy/draft.ts';
import { explain, explainOptions } from './policy/explain.ts';
import { commonOptions } from './policy/place.ts';
import { test } from './policy/test.ts';

type Subcommand = (args: readonly string[], io: CliIo) => Promise<number>;

export const forms = {
  'check [DIR]': commonOptions,
  'test [DIR]': commonOptions,
  'explain --ledger N | --request FILE': explainOptions,
  'replay --policy DIR': replayOptions,
  'diff DIR': commonOptions,
};

const subcommands: Readonly<Record<string, Subcommand>> = { check, test, explain, replay, diff };

export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const [name = '', ...rest] = args;
  const subcommand = Object.hasOwn(subcommands, name) ? subcommands[name] : undefined;
  if (subcommand === undefined) {
    throw new IntramurError('USAGE', name === '' ? 'policy needs a subcommand' : `unknown subcommand "policy ${name}"`, {
      hint: `${product.name} policy ${Object.keys(subcommands).join('|')}`,
    });
  }
  return await subcommand(rest, io);
}
