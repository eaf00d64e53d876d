// One page that stands alone: no script, no font, no address outside. Made to be printed for somebody who has ten minutes.
import { product } from '../../core/index.ts';
import { catalogue, checkedOn } from '../catalogue/index.ts';
import { isInsideHost } from '../effective.ts';
import { type Severity, severities } from '../rules/rule.ts';
import type { AuditReport, SummaryRow } from './json.ts';
import { whatRan } from './text.ts';

const colours: Readonly<Record<Severity, string>> = {
  critical: '#9b1c1c',
  high: '#c2410c',
  medium: '#a16207',
  low: '#1d4ed8',
  info: '#6b7280',
};

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}

export function htmlReport(report: AuditReport, now: number): string {
  const worst = [...severities].reverse();
  const count = (severity: Severity): number => report.findings.filter((finding) => finding.severity === severity).length;
  const most = Math.max(1, ...worst.map(count));
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${product.title}: what the coding agents on this machine may do</title>
<style>
body{font:15px/1.5 system-ui,sans-serif;color:#1f2937;max-width:64rem;margin:2rem auto;padding:0 1.2rem}
h1{font-size:1.6rem;margin:0}h2{font-size:1.15rem;margin:2rem 0 .6rem;border-bottom:2px solid #e5e7eb;padding-bottom:.2rem}
table{border-collapse:collapse;width:100%;font-size:.88rem}td,th{border:1px solid #e5e7eb;padding:.35rem .5rem;text-align:left;vertical-align:top}
th{background:#f9fafb}code{font:.85em ui-monospace,monospace;overflow-wrap:anywhere}.bar{display:inline-block;height:.8rem;border-radius:2px;vertical-align:middle}
.tag{color:#fff;border-radius:3px;padding:0 .4rem;font-size:.75rem;font-weight:600}.yes{background:#fee2e2}.part{background:#fef3c7}.no{background:#dcfce7}
.ring{border:2px solid #9ca3af;border-radius:10px;padding:.6rem 1rem;margin:.5rem 0}.quiet{color:#6b7280}article{break-inside:avoid;margin:.8rem 0;padding-left:.8rem;border-left:4px solid}
@media print{body{margin:0;max-width:none;font-size:11px}h2{break-after:avoid}}
</style></head><body>
<h1>What the coding agents on this machine may do</h1>
<p class="quiet">${new Date(now).toISOString().slice(0, 16).replace('T', ' ')} UTC · ${report.scanned.files.toLocaleString('en')} files looked at in ${(report.scanned.ms / 1000).toFixed(1)} s · ${whatRan(report)}</p>
<h2>Risk at a glance</h2>
<table><tbody>${worst.map((severity) => `<tr><th scope="row" style="width:7rem">${severity}</th><td style="width:3rem">${count(severity)}</td><td><span class="bar" style="width:${Math.round((count(severity) / most) * 100)}%;background:${colours[severity]}"></span></td></tr>`).join('')}</tbody></table>
<h2>Agents and what they can do without asking</h2>
${matrix(report)}
<h2>Where the code goes</h2>
${perimeters(report)}
<h2>Findings and what to do</h2>
${findings(report, worst)}
<h2>Inventory</h2>
<table><thead><tr><th>Agent</th><th>Version</th><th>Vendor</th><th>Seat</th><th>Found as</th><th>Status</th></tr></thead><tbody>
${report.agents.map((agent) => `<tr><td>${escape(agent.name)}<br><code>${escape(agent.path)}</code></td><td>${escape(agent.version ?? 'unknown')}</td><td>${escape(agent.vendor)}</td><td>${escape(agent.jurisdiction)}</td><td>${escape(agent.presence)}</td><td>${agent.status}</td></tr>`).join('\n')}
</tbody></table>
${
  report.mcpServers.length === 0
    ? ''
    : `<h2>MCP servers</h2><table><thead><tr><th>Server</th><th>Agent</th><th>What it is</th><th>Pinned</th></tr></thead><tbody>
${report.mcpServers.map((server) => `<tr><td>${escape(server.name)}</td><td>${escape(server.agent)}</td><td><code>${escape(server.command ?? server.url ?? '')}</code><br><span class="quiet">${escape(server.source.file)}:${server.source.line}</span></td><td>${server.pinned === null ? 'remote' : server.pinned ? 'yes' : 'no'}</td></tr>`).join('\n')}</tbody></table>`
}
<p class="quiet">What is known of the agents was last checked on ${checkedOn}.</p>
</body></html>
`;
}

function matrix({ summary }: AuditReport): string {
  if (summary.length === 0) return '<p>No agent was found.</p>';
  const cell = (text: string): string => {
    const kind = /^(any|anywhere|can read)/.test(text)
      ? /sandbox/.test(text)
        ? 'part'
        : 'yes'
      : /^(in the workspace|asks;)/.test(text)
        ? 'part'
        : /^not known/.test(text)
          ? ''
          : 'no';
    return `<td class="${kind}">${escape(text)}</td>`;
  };
  const row = (one: SummaryRow): string =>
    `<tr><th scope="row">${escape(one.agent)}<br><span class="quiet">${escape(one.workspace === '*' ? 'anywhere' : one.workspace)}</span></th>${cell(one.shell)}${cell(one.write)}${cell(one.network)}${cell(one.secrets)}<td>${one.unattended ? 'yes' : 'no'}</td></tr>`;
  return `<table><thead><tr><th>Agent</th><th>Shell</th><th>Writes</th><th>Network</th><th>Secrets</th><th>Unattended</th></tr></thead><tbody>${summary.map(row).join('\n')}</tbody></table>`;
}

/** Two rings: what stays inside, what leaves, and where to. */
function perimeters({ agents, summary }: AuditReport): string {
  const places = new Map<string, Set<string>>();
  const inside = new Map<string, Set<string>>();
  const add = (map: Map<string, Set<string>>, host: string, agent: string): void =>
    void map.set(host, (map.get(host) ?? new Set()).add(agent));
  for (const { agent, modelHost } of summary) {
    const host = modelHost.split(' ')[0] ?? modelHost;
    const isHost = host.includes('.') || host.includes(':');
    if (isHost) add(isInsideHost(host) ? inside : places, `${host} (model)`, agent);
    else if (modelHost.startsWith("the vendor's")) add(places, modelHost, agent);
  }
  for (const id of new Set(agents.map((agent) => agent.id)))
    for (const host of catalogue.find((entry) => entry.id === id)?.telemetry?.hosts ?? []) add(places, `${host} (usage data)`, id);
  const list = (map: Map<string, Set<string>>): string =>
    map.size === 0
      ? '<p class="quiet">nothing</p>'
      : `<ul>${[...map].map(([host, who]) => `<li><code>${escape(host)}</code> ← ${escape([...who].join(', '))}</li>`).join('')}</ul>`;
  return `<div class="ring"><strong>Outside</strong>${list(places)}<div class="ring" style="border-color:#15803d"><strong>Inside the walls</strong>${list(inside)}</div></div>`;
}

function findings({ findings: all }: AuditReport, worst: readonly Severity[]): string {
  const shown = all.filter(({ severity }) => severity !== 'info');
  if (shown.length === 0) return '<p>Nothing above level info.</p>';
  return worst
    .flatMap((severity) => shown.filter((finding) => finding.severity === severity))
    .map(
      (finding) =>
        `<article style="border-color:${colours[finding.severity]}"><span class="tag" style="background:${colours[finding.severity]}">${finding.severity}</span> <strong>${finding.id}</strong> ${finding.agent === null ? '' : `${escape(finding.agent)}: `}${escape(finding.message)}<br>${finding.file === null ? '' : `<code>${escape(finding.file)}${finding.line === null ? '' : `:${finding.line}`}</code><br>`}<span class="quiet">${escape(finding.remedy)}${finding.owasp.length === 0 ? '' : ` · OWASP ${finding.owasp.join(', ')}`}</span></article>`,
    )
    .join('\n');
}
