// An attestation for people: what was found, where, with what it goes, and what the agent says openly.
import type { Attestation, Covert } from '../../attest/index.ts';
import { visible } from '../ledger/line.ts';

export function attestationText(name: string, version: string, result: Attestation): string {
  const { runs, failedRuns, failures, tokensCompared, covert, disclosed, sideChannels, isConclusive } = result;
  const lines = [
    `${visible(name)} ${visible(version)}: ${runs} runs${failedRuns > 0 ? `, ${failedRuns} failed` : ''}, ${tokensCompared} tokens compared`,
  ];
  for (const failure of failures) lines.push(`  failed: ${visible(failure)}`);
  if (!isConclusive) lines.push('Too many runs failed: nothing can be said.');
  else if (covert.length === 0) lines.push('No hidden environment marker found: nothing that varied was hidden.');
  else lines.push(`${covert.length} hidden environment marker${covert.length > 1 ? 's' : ''} found:`, ...covert.flatMap(covertLines));
  if (disclosed.length > 0) {
    lines.push('Openly stated:');
    const places = Map.groupBy(disclosed, ({ what, to }) => `  ${what} to ${to}`);
    for (const [what, all] of places) lines.push(`${what}: ${all.map(({ where }) => visible(where)).join('; ')}`);
  }
  if (sideChannels.length > 0) {
    lines.push('Besides the model calls:');
    for (const { host, class: kind, requests, bytes } of sideChannels)
      lines.push(`  ${visible(host)} (${kind}): ${requests} requests, ${bytes} bytes`);
  }
  return `${lines.join('\n')}\n`;
}

function covertLines({ where, channel, confidence, tokens, variesWith }: Covert): string[] {
  const chance = confidence > 0.999999 ? 'more than 99.9999 %' : `${(confidence * 100).toFixed(4)} %`;
  return [
    `  ${visible(where)}`,
    `    varies with ${variesWith.join(' and ')} (${channel}, confidence ${chance})`,
    ...tokens.slice(0, 12).map((token) => `    ${visible(token)}`),
    ...(tokens.length > 12 ? [`    and ${tokens.length - 12} more`] : []),
  ];
}
