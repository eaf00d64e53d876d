// `policy explain`: why an act was or would be decided as it was, and what single change would turn it.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Config } from '../../config/index.ts';
import { type Entry, IntramurError } from '../../core/index.ts';
import { readEntries, readEntry } from '../../ledger/index.ts';
import { type Explanation, parseRequestDocument, type RequestDocument } from '../../policy/index.ts';
import type { CliIo } from '../io.ts';
import { ledgerDirectory, parseIndex } from '../ledger/place.ts';
import { type Options, parseOptions } from '../options.ts';
import { commonOptions, configured, engineFor, print } from './place.ts';
import { requestFrom, ruleOf } from './recorded.ts';

interface Recorded {
  readonly index: number;
  readonly decision: string;
  readonly reason?: string;
  readonly policies: readonly string[];
  /** The rule of an enforcement point that refused it, which no policy turns. */
  readonly rule?: string;
  /** The entry that says so, when it was allowed at first. */
  readonly refusedIn?: number;
}

type Asked = RequestDocument & { readonly recorded?: Recorded };

export const explainOptions = {
  ...commonOptions,
  ledger: { type: 'string', value: 'N', does: 'the entry of this index' },
  request: { type: 'string', value: 'FILE', does: 'a request that is written down' },
} as const satisfies Options;

export async function explain(args: readonly string[], io: CliIo): Promise<number> {
  const { values } = parseOptions(args, explainOptions);
  const { request, ledger, json } = values;
  if ((request === undefined) === (ledger === undefined)) {
    throw new IntramurError('USAGE', 'policy explain needs one of --ledger N and --request FILE');
  }
  const config = await configured(io, values.config);
  const asked = request === undefined ? await fromLedger(parseIndex(ledger), config, io) : await fromFile(path.resolve(io.cwd, request));
  const engine = await engineFor(config);
  const explanation = await engine.explain(asked.request, asked.facts);
  const { recorded } = asked;
  if (json) print(io, { schema: 'intramur/policy-explain/1', policy: engine.digest, ...(recorded ? { recorded } : {}), ...explanation });
  else io.stdout.write(`${recorded ? recordedText(recorded, explanation) : ''}${asText(explanation)}`);
  return 0;
}

/** The outcome of a call stands close behind its decision, unless the answer was a long one; a refusal has no answer. */
const outcomeWithin = 4096;

async function fromLedger(index: number, config: Config, io: CliIo): Promise<Asked> {
  const directory = await ledgerDirectory(undefined, io);
  const entry = await readEntry(directory, index);
  const asked = requestFrom(entry, config);
  const refused = entry.decision === 'allow' ? await refusedLater(directory, index) : entry;
  const { reason, policies = [] } = refused ?? entry;
  const rule = refused && ruleOf(refused);
  return {
    ...asked,
    recorded: {
      index,
      decision: entry.decision ?? '',
      ...(reason === undefined ? {} : { reason }),
      policies,
      ...(rule === undefined ? {} : { rule }),
      ...(refused && refused !== entry ? { refusedIn: refused.index } : {}),
    },
  };
}

async function refusedLater(directory: string, index: number): Promise<Entry | undefined> {
  for await (const entry of readEntries(directory, { from: index + 1, to: index + 1 + outcomeWithin }))
    if (entry.outcomeOf === index) return entry.decision === 'deny' ? entry : undefined;
  return undefined;
}

async function fromFile(file: string): Promise<Asked> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new IntramurError('CONFIG_NOT_FOUND', `${file}: cannot be read`, { cause });
  });
  return parseRequestDocument(file, text);
}

function recordedText({ index, decision, reason, policies, rule, refusedIn }: Recorded, now: Explanation): string {
  const at = refusedIn === undefined ? `entry ${index}: ${decision}` : `entry ${index}: ${decision}, then refused (entry ${refusedIn})`;
  const was = `${at}${reason === undefined ? '' : `: ${reason}`} [${policies.join(', ')}]`;
  if (rule !== undefined)
    return `${was}\nIt was refused by a rule that stands beside policy (${rule}), which no policy turns. What policy says of it today:\n`;
  const isSame = now.decision.effect === decision && now.decision.policies.join() === policies.join();
  return `${was}\n${isSame ? 'The same by the policies of today:' : 'By the policies of today, as far as the entry tells:'}\n`;
}

function asText({ decision, rulings, changes }: Explanation): string {
  const lines = [decision.effect === 'allow' ? 'allow' : `deny: ${decision.reason.text}`];
  for (const { target, decision: ruling, policies, errors } of rulings) {
    if (target !== undefined) lines.push(`  ${target}: ${ruling}`);
    for (const { id, effect, reason, annotations, file, line } of policies) {
      lines.push(`    ${effect} ${id} (${file}:${line})${reason === undefined ? '' : `: ${reason}`}`);
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
