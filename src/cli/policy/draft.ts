// `policy replay` and `policy diff`: what a draft would change, in recorded decisions and in the policies themselves. A draft is a
// directory; it takes the place of the pack or directory of its name, and otherwise joins them.
import path from 'node:path';
import type { Config } from '../../config/index.ts';
import { type Entry, IntramurError } from '../../core/index.ts';
import { readEntries } from '../../ledger/index.ts';
import type { PolicyEngine } from '../../policy/index.ts';
import type { CliIo } from '../io.ts';
import { ledgerDirectory, parseSince } from '../ledger/place.ts';
import { type Options, parseOptions } from '../options.ts';
import { commonOptions, configured, engineFor, print } from './place.ts';
import { isAct, requestFrom } from './recorded.ts';

interface Flip {
  readonly index: number;
  readonly time: string;
  readonly agent: string;
  readonly act: string;
  readonly from: 'allow' | 'deny';
  readonly to: 'allow' | 'deny';
  /** The policies of the draft that make it so. */
  readonly policies: readonly string[];
}

export const replayOptions = {
  ...commonOptions,
  policy: { type: 'string', value: 'DIR', does: 'the draft' },
  since: { type: 'string', default: '7d', value: 'WHEN', does: 'from when on; 7d, 12h, 90m or a date' },
} as const satisfies Options;

export async function replay(args: readonly string[], io: CliIo): Promise<number> {
  const { values } = parseOptions(args, replayOptions);
  if (values.policy === undefined) throw new IntramurError('USAGE', 'policy replay needs --policy DIR');
  const since = parseSince(values.since, new Date());
  const config = await configured(io, values.config);
  const [today, draft] = await bothEngines(config, path.resolve(io.cwd, values.policy));
  const flips: Flip[] = [];
  let replayed = 0;
  let unclear = 0;
  for await (const entry of readEntries(await ledgerDirectory(undefined, io))) {
    if (!isAct(entry) || entry.time < since.toISOString()) continue;
    const { request, facts } = requestFrom(entry, config);
    // An entry does not hold every fact. Where the policies of today do not come to what was recorded, nothing can be said of a draft.
    const before = today.decide(request, facts);
    if (before.effect !== entry.decision) {
      unclear += 1;
      continue;
    }
    replayed += 1;
    const after = draft.decide(request, facts);
    if (after.effect === before.effect) continue;
    const { index, time, agent = '' } = entry;
    flips.push({ index, time, agent, act: actText(entry), from: before.effect, to: after.effect, policies: after.policies });
  }
  if (values.json) print(io, { schema: 'intramur/policy-replay/1', since: since.toISOString(), replayed, unclear, flips });
  else {
    for (const { index, agent, act, from, to, policies } of flips)
      io.stdout.write(`${index}  ${from} → ${to}  ${agent}  ${act}  [${policies.join(', ')}]\n`);
    io.stdout.write(`${flips.length} of ${replayed} recorded decisions would flip; ${unclear} cannot be told from the record\n`);
  }
  return 0;
}

export async function diff(args: readonly string[], io: CliIo): Promise<number> {
  const { values, positionals } = parseOptions(args, commonOptions, 1);
  const [directory] = positionals;
  if (directory === undefined) throw new IntramurError('USAGE', 'policy diff needs the directory of a draft');
  const [today, draft] = await bothEngines(await configured(io, values.config), path.resolve(io.cwd, directory));
  const textOf = (engine: PolicyEngine, id: string) => engine.bundle.policies.get(id)?.text;
  const ids = [...new Set([...today.bundle.policies.keys(), ...draft.bundle.policies.keys()])].toSorted();
  const changed = ids.filter((id) => textOf(today, id) !== textOf(draft, id));
  const rows = changed.map((id) => {
    const change = textOf(today, id) === undefined ? 'added' : textOf(draft, id) === undefined ? 'removed' : 'changed';
    return { id, change, effect: (draft.bundle.policies.get(id) ?? today.bundle.policies.get(id))?.json.effect };
  });
  if (values.json) print(io, { schema: 'intramur/policy-diff/1', from: today.digest, to: draft.digest, policies: rows });
  else io.stdout.write(rows.map(({ id, change, effect }) => `${change.padEnd(8)} ${effect} ${id}\n`).join('') || 'no difference\n');
  return 0;
}

async function bothEngines(config: Config, directory: string): Promise<readonly [PolicyEngine, PolicyEngine]> {
  const name = path.basename(directory);
  const isOther = (place: string) => path.basename(place) !== name;
  const today = await engineFor(config);
  return [today, await engineFor({ packs: config.packs.filter(isOther), policies: [...config.policies.filter(isOther), directory] })];
}

function actText({ action, requestedModel, method, host, port }: Entry): string {
  if (action === 'llm.invoke') return `${action} ${JSON.stringify(requestedModel ?? '')}`;
  return `${method === undefined ? action : method} ${JSON.stringify(`${host}:${port}`)}`;
}
