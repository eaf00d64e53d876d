// `ledger`: the log of every decision, and its proof. Reads plain files only, so that it works with the daemon down and on a copy.
import { IntramurError, product } from '../core/index.ts';
import type { CliIo } from './io.ts';
import { exportEntries, exportOptions } from './ledger/export.ts';
import { dirOption } from './ledger/place.ts';
import { proof, show, showOptions } from './ledger/show.ts';
import { tail, tailOptions } from './ledger/tail.ts';
import { verify, verifyOptions } from './ledger/verify.ts';

export const forms = {
  verify: verifyOptions,
  'show [N…]': showOptions,
  tail: tailOptions,
  'proof N': dirOption,
  export: exportOptions,
};

type Subcommand = (args: readonly string[], io: CliIo) => Promise<number>;

const subcommands: Readonly<Record<string, Subcommand>> = { verify, show, tail, proof, export: exportEntries, witness };

export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const [name = '', ...rest] = args;
  const subcommand = Object.hasOwn(subcommands, name) ? subcommands[name] : undefined;
  if (subcommand === undefined) {
    const known = Object.keys(subcommands).filter((word) => word !== 'witness');
    throw new IntramurError('USAGE', name === '' ? 'ledger needs a subcommand' : `unknown subcommand "${name}"`, {
      hint: `${product.name} ledger ${known.join('|')}`,
    });
  }
  return subcommand(rest, io);
}

async function witness(_args: readonly string[], io: CliIo): Promise<number> {
  io.stderr.write(`${product.name}: "ledger witness" is not built yet\n`);
  return 2;
}
