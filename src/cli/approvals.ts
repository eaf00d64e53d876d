// `approvals`: what sessions were refused by default and a person may grant them, until their end.
import os from 'node:os';
import { IntramurError, placesFrom, product } from '../core/index.ts';
import { createClient, type DaemonClient, type Proposal } from '../daemon/index.ts';
import type { CliIo } from './io.ts';
import { visible } from './ledger/line.ts';
import { jsonOption, many, type Options, parseOptions } from './options.ts';

const options = {
  ...jsonOption,
  reason: { type: 'string', value: 'TEXT', does: 'why, for the ledger' },
} as const satisfies Options;
export const forms = { '': options };

/** @throws IntramurError DAEMON_UNREACHABLE: proposals live as long as the sessions, and those as long as the daemon */
export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const { values, positionals } = parseOptions(args, options, many);
  const [verb = 'list', id, ...rest] = positionals;
  if (!['list', 'approve', 'deny'].includes(verb) || rest.length > 0 || (verb === 'list') !== (id === undefined)) {
    throw new IntramurError('USAGE', `say: ${product.name} approvals [list | approve ID | deny ID] [--reason TEXT]`);
  }
  const client = createClient(placesFrom(io.env, io.home).socket);
  try {
    if (id === undefined) return await list(client, values.json, io);
    const user = os.userInfo().username;
    const decided = await client.decideProposal({
      id,
      isApproved: verb === 'approve',
      user,
      ...(values.reason === undefined ? {} : { reason: values.reason }),
    });
    if (values.json) io.stdout.write(`${JSON.stringify({ schema: 'intramur/approval/1', approval: decided }, undefined, 2)}\n`);
    else io.stdout.write(`${decided.status}: ${describe(decided)}\n`);
    return 0;
  } finally {
    client.release();
  }
}

async function list(client: DaemonClient, asJson: boolean, io: CliIo): Promise<number> {
  const approvals = await client.proposals();
  if (asJson) io.stdout.write(`${JSON.stringify({ schema: 'intramur/approvals/1', approvals }, undefined, 2)}\n`);
  else if (approvals.length === 0) io.stdout.write('nothing waits for an approval\n');
  else for (const one of approvals) io.stdout.write(`${one.id.padEnd(5)} ${one.status.padEnd(8)} ${describe(one)}\n`);
  return 0;
}

function describe({ grant, agent, session, count, nextStep }: Proposal): string {
  const what = grant.kind === 'host' ? `${grant.host}:${grant.port}` : grant.name;
  return visible(
    `${what} for ${agent}, session ${session} (refused ${count} ${count === 1 ? 'time' : 'times'}); for good: ${nextStep.config}`,
  );
}
