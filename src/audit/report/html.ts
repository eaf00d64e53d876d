// One page that stands alone: no script, no font, no address outside. Made to be printed for somebody who has ten minutes.
import { product } from '../../core/index.ts';
import { checkedOn } from '../catalogue/index.ts';
import { type Severity, severities } from '../rules/rule.ts';
import { colours, escape, findings, matrix, perimeters, probed } from './html-sections.ts';
import type { AuditReport } from './json.ts';
import { whatRan, whereLooked } from './text.ts';
import { named, today } from './today.ts';

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
.ring{border:2px solid #9ca3af;border-radius:10px;padding:.6rem 1rem;margin:.5rem 0}.ring table{margin-top:.4rem}.short th{width:14rem}.short td:nth-child(2){width:5rem;white-space:nowrap}article ul{margin:.3rem 0;padding-left:1.2rem}li{overflow-wrap:anywhere}thead{display:table-header-group}tr{break-inside:avoid}.quiet{color:#6b7280}article{break-inside:avoid;margin:.8rem 0;padding-left:.8rem;border-left:4px solid}
@media print{@page{size:A4;margin:14mm}body{margin:0;padding:0;max-width:none;font-size:11px;-webkit-print-color-adjust:exact;print-color-adjust:exact}h2{break-after:avoid}}
</style></head><body>
<h1>What the coding agents on this machine may do</h1>
<p class="quiet">${new Date(now).toISOString().slice(0, 16).replace('T', ' ')} UTC · ${report.scanned.files.toLocaleString('en')} files looked at in ${(report.scanned.ms / 1000).toFixed(1)} s · ${escape(whereLooked(report, (file) => file))} · ${whatRan(report)}</p>
<h2>In short</h2>
${inShort(report)}
<h2>Risk at a glance</h2>
<table><tbody>${worst.map((severity) => `<tr><th scope="row" style="width:7rem">${severity}</th><td style="width:3rem">${count(severity)}</td><td><span class="bar" style="width:${Math.round((count(severity) / most) * 100)}%;background:${colours[severity]}"></span></td></tr>`).join('')}</tbody></table>
<h2>Agents and what they can do without asking</h2>
${matrix(report)}
<h2>Where the code goes</h2>
${perimeters(report)}
<h2>Findings and what to do</h2>
${findings(report)}
${probed(report)}
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

/** The page in four sentences, for whoever reads no further. */
function inShort(report: AuditReport): string {
  const { abilities, of } = today(report);
  const ids = new Set(report.agents.map(({ id }) => id)).size;
  const unpinned = report.mcpServers.filter(({ pinned }) => pinned === false).length;
  const able = abilities.map(
    ({ what, agents, none }) =>
      `<tr><th scope="row">${what}</th><td class="${agents.length === 0 ? 'no' : 'yes'}"><strong>${agents.length} of ${of}</strong></td><td>${escape(agents.length === 0 ? (none ?? 'no agent') : named(agents, 8))}</td></tr>`,
  );
  const servers = report.mcpServers.length;
  return `<p>${ids} coding ${ids === 1 ? 'agent is' : 'agents are'} here${servers === 0 ? '' : `, with ${servers} MCP ${servers === 1 ? 'server' : 'servers'}, ${unpinned} of them in whatever version is current`}. Without asking anybody, so many of them can today:</p>
<table class="short"><tbody>${able.join('')}</tbody></table>`;
}
