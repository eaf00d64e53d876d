// `attest --diff A B`: what an upgrade changes in what an agent says of its surroundings. Both versions were attested before.
import { type AttestationDiff, compareAttestations } from '../../attest/index.ts';
import type { CliIo } from '../io.ts';
import { visible } from '../ledger/line.ts';
import type { AttestDocument } from './document.ts';
import { kept } from './store.ts';
import { covertLines } from './text.ts';

interface Asked {
  readonly agent: string;
  /** Each a version that was attested here, or a file that holds an attestation. */
  readonly versions: readonly [string, string];
  readonly json: boolean;
}

/** @returns 1 when the second did not pass or hides what the first did not */
export function diffAttestations({ agent, versions: [a, b], json }: Asked, state: string, io: CliIo): number {
  const [before, after] = [kept(state, agent, a, io.cwd), kept(state, agent, b, io.cwd)];
  const diff = compareAttestations(before, after);
  if (json) {
    const named = ({ version, sha256, passed, attestedAt }: AttestDocument) => ({ version, sha256, passed, attestedAt });
    const document = { schema: 'intramur/attest-diff/1', agent, from: named(before), to: named(after), ...diff };
    io.stdout.write(`${JSON.stringify(document, undefined, 2)}\n`);
  } else io.stdout.write(textOf(agent, before, after, diff));
  return diff.passed ? 0 : 1;
}

function textOf(
  agent: string,
  before: AttestDocument,
  after: AttestDocument,
  { covert, disclosed, sideChannels }: AttestationDiff,
): string {
  const lines = [`${visible(agent)} ${visible(before.version)} → ${visible(after.version)}`];
  const said = (title: string, items: readonly string[]): void => {
    if (items.length > 0) lines.push(title, ...items);
  };
  said(
    'Hidden environment markers that are gone:',
    covert.gone.flatMap((one) => covertLines(one)),
  );
  said(
    'Hidden environment markers that are new:',
    covert.added.flatMap((one) => covertLines(one)),
  );
  said(
    'Hidden environment markers in both:',
    covert.kept.flatMap((one) => covertLines(one)),
  );
  if (covert.gone.length + covert.added.length + covert.kept.length === 0) lines.push('No hidden environment marker in either.');
  for (const [sign, { what, to }] of [
    ...disclosed.gone.map((one) => ['-', one] as const),
    ...disclosed.added.map((one) => ['+', one] as const),
  ])
    lines.push(`${sign} states ${what} to ${to}`);
  for (const [sign, { host, class: kind, bytes }] of [
    ...sideChannels.gone.map((one) => ['-', one] as const),
    ...sideChannels.added.map((one) => ['+', one] as const),
  ])
    lines.push(`${sign} ${visible(host)} (${kind}), ${bytes} bytes`);
  const [old, now] = [before, after].map(({ sideChannels: all }) => all.reduce((sum, channel) => sum + channel.bytes, 0));
  lines.push(`Beside the model calls: ${old} → ${now} bytes`);
  return `${lines.join('\n')}\n`;
}
