// What `run` says on standard error: one line at the start, a few at the end. Every number comes from the run.
import { product } from '../../core/index.ts';
import type { OpenReply, Summary } from '../../daemon/index.ts';

export function startLine(
  milliseconds: number,
  { purpose, classification, hasModels, firstPerimeter }: OpenReply,
  mode: string,
  keys: { readonly placeholders: number; readonly asTheyAre: readonly string[] },
  degraded: readonly string[] = [],
): string {
  const models = hasModels ? `${firstPerimeter} first` : "the vendor's own";
  const { placeholders, asTheyAre } = keys;
  const held = placeholders === 0 ? 'none inside' : placeholders === 1 ? '1 placeholder' : `${placeholders} placeholders`;
  // Nobody here knows whether they are keys.
  const asked = asTheyAre.length === 0 ? '' : ` · as they are: ${printable(asTheyAre.join(', '))}`;
  return `${product.name}: boxed in ${Math.round(milliseconds)} ms · writes: ${mode === 'direct' ? 'this workspace' : 'a layer until apply'} · models: ${models} · keys: ${held}${asked} · purpose: ${purpose} · data: ${classification}\n${degraded.map((line) => `${product.name}: DEGRADED: ${printable(line)}\n`).join('')}`;
}

export function endLines({ model, egress, labels, refusals, programs, files, ledger, session, halted }: Summary, mode: string): string {
  const lines: string[] = [];
  if (halted !== undefined) lines.push(`the session was ended: ${printable(halted)}`);
  const requests = model.map((row) => `${row.requests} to ${row.provider} (${row.perimeter})`);
  const found = labels.filter(({ count }) => count > 0).map(({ label, count }) => `${count} × ${label}`);
  lines.push(
    `${requests.length > 0 ? `model calls: ${requests.join(', ')}` : 'no model calls'} · ${refusals} refused${found.length > 0 ? ` · seen: ${found.join(', ')}` : ''}`,
  );
  const denied = egress.filter(({ decision }) => decision === 'deny');
  for (const { host, port, class: kind, count, reason } of denied.slice(0, 8)) {
    lines.push(`  refused ${printable(host)}:${port} (${kind}${count > 1 ? `, ${count} times` : ''}): ${printable(reason ?? '')}`);
  }
  if (denied.length > 8) lines.push(`  and ${denied.length - 8} more; see ${product.name} ledger show --session ${session}`);
  const grantable = denied.find(({ class: kind, reason }) => kind === 'other' && reason?.includes('default deny'));
  if (grantable)
    lines.push(
      `  to grant a host: ${product.name} run --allow ${printable(grantable.host)}${[80, 443].includes(grantable.port) ? '' : `:${grantable.port}`} -- …, or ${product.name} approvals while it runs`,
    );
  if (programs) {
    const refused = programs.refused > 0 ? `, ${programs.refused} refused` : '';
    lines.push(`programs: ${programs.started} started${refused}; see ${product.name} ledger show --session ${session}`);
  }
  const { changed, added, deleted, sensitive, forbidden = [] } = files;
  const some = (count: number, what: string): string => (count > 0 ? `, ${count} ${what}` : '');
  if (changed + added + deleted > 0)
    lines.push(
      `files: ${changed} changed, ${added} added, ${deleted} deleted${some(sensitive.length, 'sensitive')}${some(forbidden.length, 'forbidden')}`,
    );
  for (const file of sensitive.slice(0, 8)) lines.push(`  can run or steer later: ${printable(file)}`);
  for (const { path: file, why } of forbidden.slice(0, 8)) lines.push(`  forbidden, and in this workspace: ${printable(file)} (${why})`);
  if (forbidden.length > 8) lines.push(`  and ${forbidden.length - 8} more that are forbidden; --summary-json names all`);
  if (mode === 'overlay' && changed + added + deleted > 0)
    lines.push(`none of it is in the workspace yet: ${product.name} diff, then apply or discard`);
  lines.push(`ledger entries ${ledger.first}–${ledger.last}, root ${ledger.root}`);
  return lines.map((line) => `${product.name}: ${line}\n`).join('');
}

/** Names come from inside: no control, escape or direction character reaches the user's terminal. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '\ufffd');
}
