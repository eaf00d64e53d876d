// The parts of the HTML report that need more than a line: what each agent may do, where code goes, what was found, what was probed.
import { catalogue } from '../catalogue/index.ts';
import { isInsideHost } from '../effective.ts';
import { type Severity, severities } from '../rules/rule.ts';
import type { AuditReport, SummaryRow } from './json.ts';
import { named } from './today.ts';

export const colours: Readonly<Record<Severity, string>> = {
  critical: '#9b1c1c',
  high: '#c2410c',
  medium: '#a16207',
  low: '#1d4ed8',
  info: '#6b7280',
};

export function escape(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}

const kindOf = (text: string): string => {
  if (/^(any|anywhere|can read)/.test(text)) return /sandbox/.test(text) ? 'part' : 'yes';
  if (/^(in the workspace|asks;)/.test(text)) return 'part';
  return /^(not known|no secret)/.test(text) ? '' : 'no';
};

/** Agents × capabilities; a workspace has a row of its own only where it differs from the rest of the disk. */
export function matrix({ summary, agents }: AuditReport): string {
  if (summary.length === 0) return '<p>No agent was found.</p>';
  const says = ({ workspace: _place, ...rest }: SummaryRow): string => JSON.stringify(rest);
  const usual = new Map(summary.filter(({ workspace }) => workspace === '*').map((row) => [row.agent, says(row)]));
  const rows = summary.filter((row) => row.workspace === '*' || says(row) !== usual.get(row.agent));
  const nameOf = (id: string): string => agents.find((agent) => agent.id === id)?.name ?? id;
  const cell = (text: string): string => `<td class="${kindOf(text)}">${escape(text)}</td>`;
  const row = (one: SummaryRow): string =>
    `<tr><th scope="row">${escape(nameOf(one.agent))}<br><span class="quiet">${escape(one.workspace === '*' ? 'anywhere' : one.workspace)}</span></th>${cell(one.shell)}${cell(one.write)}${cell(one.network)}${cell(one.secrets)}<td class="${one.unattended ? 'yes' : 'no'}">${one.unattended ? 'yes' : 'no'}</td></tr>`;
  const left = summary.length - rows.length;
  const same = left === 0 ? '' : `<p class="quiet">${left} more workspaces are as the rest of the disk.</p>`;
  return `<table><thead><tr><th>Agent</th><th>Shell</th><th>Writes</th><th>Network</th><th>Secrets</th><th>Unattended</th></tr></thead><tbody>${rows.map(row).join('\n')}</tbody></table>${same}`;
}

interface Destination {
  readonly kinds: Set<string>;
  readonly agents: Set<string>;
}

/** What stays inside, what leaves, where to and by whose hand. */
export function perimeters({ agents, summary }: AuditReport): string {
  const [outside, inside] = [new Map<string, Destination>(), new Map<string, Destination>()];
  const add = (map: Map<string, Destination>, host: string, kind: string, agent: string): void => {
    const known = map.get(host) ?? { kinds: new Set(), agents: new Set() };
    known.kinds.add(kind);
    known.agents.add(agent);
    map.set(host, known);
  };
  for (const { agent, modelHost } of summary) {
    const host = modelHost.split(' ')[0] ?? modelHost;
    if (host.includes('.') || host.includes(':')) add(isInsideHost(host) ? inside : outside, host, 'prompts and code', agent);
    else if (modelHost.startsWith("the vendor's")) add(outside, modelHost, 'prompts and code', agent);
  }
  for (const id of new Set(agents.map((agent) => agent.id)))
    for (const host of catalogue.find((entry) => entry.id === id)?.telemetry?.hosts ?? []) add(outside, host, 'usage data', id);
  const seats = (ids: Iterable<string>): string =>
    [...new Set([...ids].flatMap((id) => agents.find((agent) => agent.id === id)?.jurisdiction ?? []))].sort().join(', ');
  const table = (map: Map<string, Destination>): string =>
    map.size === 0
      ? '<p class="quiet">nothing</p>'
      : `<table><thead><tr><th>Host</th><th>What goes there</th><th>From</th><th>Vendor's seat</th></tr></thead><tbody>${[...map]
          .map(
            ([host, { kinds, agents: who }]) =>
              `<tr><td><code>${escape(host)}</code></td><td>${[...kinds].join(', ')}</td><td>${escape(named([...who]))}</td><td>${escape(seats(who))}</td></tr>`,
          )
          .join('')}</tbody></table>`;
  return `<div class="ring" style="border-color:#15803d"><strong>Inside the walls</strong>${table(inside)}</div><div class="ring"><strong>Outside</strong>${table(outside)}</div>`;
}

/** One block for each rule, the worst first, with the remedy once. */
export function findings({ findings: all }: AuditReport): string {
  const groups = new Map<string, AuditReport['findings'][number][]>();
  for (const severity of [...severities].reverse()) {
    if (severity === 'info') continue;
    for (const finding of all)
      if (finding.severity === severity)
        groups.set(`${severity}${finding.id}`, [...(groups.get(`${severity}${finding.id}`) ?? []), finding]);
  }
  if (groups.size === 0) return '<p>Nothing above level info.</p>';
  return [...groups.values()]
    .map((group) => {
      const [first] = group;
      if (first === undefined) return '';
      const colour = colours[first.severity];
      const places = group.map(
        ({ agent, message, file, line }) =>
          `<li>${agent === null ? '' : `${escape(agent)}: `}${escape(message)}${file === null ? '' : `<br><code>${escape(file)}${line === null ? '' : `:${line}`}</code>`}</li>`,
      );
      const owasp = first.owasp.length === 0 ? '' : ` <span class="quiet">OWASP ${first.owasp.join(', ')}</span>`;
      return `<article style="border-color:${colour}"><span class="tag" style="background:${colour}">${first.severity}</span> <strong>${first.id}</strong>${group.length > 1 ? ` in ${group.length} places` : ''}${owasp}<ul>${places.join('')}</ul><strong>Do:</strong> ${escape(first.remedy)}</article>`;
    })
    .join('\n');
}

export function probed({ probed: done }: AuditReport): string {
  if (done === null) return '';
  const row = ({ agent, rule, mode, file, line, outcome, evidence }: NonNullable<AuditReport['probed']>['results'][number]): string =>
    `<tr><td>${escape(agent)}</td><td>${mode} <code>${escape(rule)}</code><br><code class="quiet">${escape(file)}:${line}</code></td><td class="${outcome === 'enforced' ? 'no' : outcome === 'not-enforced' ? 'yes' : ''}">${outcome === 'not-enforced' ? 'not enforced' : outcome}: ${escape(evidence)}</td></tr>`;
  return `<h2>Configured and enforced</h2><table><thead><tr><th>Agent</th><th>Rule</th><th>What happened</th></tr></thead><tbody>${done.results.map(row).join('\n')}</tbody></table>`;
}
