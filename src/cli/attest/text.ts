// An attestation for people: what was found, where, with what it goes, and what the agent says openly.
import type { Covert } from '../../attest/index.ts';
import { visible } from '../ledger/line.ts';
import type { AttestDocument } from './document.ts';

export function attestationText(document: AttestDocument, isConclusive: boolean): string {
  const { agent: name, version, runs, failedRuns, failures, tokensCompared, covert, disclosed, sideChannels, shipped } = document;
  const lines = [
    `${visible(name)} ${visible(version)}: ${runs} runs${failedRuns > 0 ? `, ${failedRuns} failed` : ''}, ${tokensCompared} tokens compared`,
  ];
  for (const failure of failures) lines.push(`  failed: ${visible(failure)}`);
  if (document.unseen.length > 0) lines.push(`  not looked at, because no run with it succeeded: ${unseenText(document)}`);
  if (!isConclusive) lines.push('Too many runs failed: nothing can be said.');
  else if (covert.length === 0) lines.push('No hidden environment marker found: nothing that varied was hidden.');
  else
    lines.push(
      `${covert.length} hidden environment marker${covert.length > 1 ? 's' : ''} found:`,
      ...covert.flatMap((one) => covertLines(one)),
    );
  if (disclosed.length > 0) {
    lines.push('Openly stated:');
    const places = Map.groupBy(disclosed, ({ what, to }) => `  ${what} to ${to}`);
    for (const [what, all] of places) lines.push(`${what}: ${all.map(({ where }) => visible(where)).join('; ')}`);
  }
  if (sideChannels.length > 0) {
    lines.push('Besides the model calls:');
    for (const { host, class: kind, requests, bytes } of sideChannels)
      lines.push(`  ${visible(host)} (${kind}): ${requests} request${requests === 1 ? '' : 's'}, ${bytes} bytes`);
  }
  if (shipped.length > 0) {
    lines.push('In the program (hints only):');
    for (const { says, evidence, count } of shipped) lines.push(`  ${visible(says)} (${count}): ${visible(evidence)}`);
  }
  return `${lines.join('\n')}\n`;
}

export function unseenText({ unseen }: AttestDocument): string {
  return unseen.flatMap((one) => Object.entries(one).map(([factor, value]) => `${factor} ${value}`)).join(', ');
}

export function percent(confidence: number): string {
  return confidence > 0.999999 ? 'more than 99.9999 %' : `${(confidence * 100).toFixed(4)} %`;
}

export function covertLines({ where, channel, confidence, tokens, variesWith }: Covert): string[] {
  const chance = percent(confidence);
  return [
    `  ${visible(where)}`,
    `    varies with ${variesWith.join(' and ')} (${channel}, confidence ${chance})`,
    ...tokens.slice(0, 12).map((token) => `    ${visible(token)}`),
    ...(tokens.length > 12 ? [`    and ${tokens.length - 12} more`] : []),
  ];
}
