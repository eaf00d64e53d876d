// The report for people: fits 80 columns, worst first, and says in plain words what each agent can do today.
import { product } from '../../core/index.ts';
import type { AuditReport } from './json.ts';

const width = 80;
const shownPerRule = 3;

export interface TextOptions {
  readonly colour: boolean;
  readonly home: string;
}

const colours: Readonly<Record<string, string>> = { critical: '1;31', high: '31', medium: '33', low: '36', info: '2' };

export function textReport(report: AuditReport, { colour, home }: TextOptions): string {
  const paint = (code: string, text: string): string => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);
  const short = (file: string): string => (home !== '/' && file.startsWith(`${home}/`) ? `~${file.slice(home.length)}` : file);
  const lines: string[] = [];
  const counts = new Map<string, number>();
  for (const { severity } of report.findings) counts.set(severity, (counts.get(severity) ?? 0) + 1);
  const ids = new Set(report.agents.map(({ id }) => id));
  const unpinned = report.mcpServers.filter(({ pinned }) => pinned === false).length;
  const { files, ms } = report.scanned;
  lines.push(
    `${plural(ids.size, 'agent')}, ${plural(report.mcpServers.length, 'MCP server')}${unpinned > 0 ? ` (${unpinned} unpinned)` : ''}, ${plural(report.findings.filter(({ severity }) => severity !== 'info').length, 'finding')}.`,
    paint('2', `Looked at ${files.toLocaleString('en')} files in ${(ms / 1000).toFixed(1)} s. Nothing was started, nothing was sent.`),
    '',
  );
  for (const agent of report.agents) {
    const version = agent.version ?? (agent.presence === 'traces' ? 'traces only' : 'version unknown');
    lines.push(
      ...wrap(
        `  ${agent.name} ${version}  (${agent.vendor}, ${agent.jurisdiction})${agent.status === 'unvetted' ? '' : `  ${agent.status}`}  ${short(agent.path)}`,
        6,
      ),
    );
  }
  if (report.agents.length > 0) lines.push('');
  if (report.summary.length > 0) {
    lines.push(paint('1', 'What can they do today, without asking anybody?'));
    for (const row of report.summary) {
      lines.push(...wrap(`  ${row.agent} in ${row.workspace === '*' ? 'any directory' : short(row.workspace)}`, 4));
      lines.push(...wrap(`    shell: ${row.shell}. Writes: ${row.write}.`, 6));
      lines.push(...wrap(`    network: ${row.network}. Secrets: ${row.secrets}.`, 6));
      lines.push(...wrap(`    model: ${row.modelHost}.${row.unattended ? ' Runs unattended.' : ''}`, 6));
    }
    lines.push('');
  }
  const serious = report.findings.filter(({ severity }) => severity !== 'info');
  const byRule = new Map<string, (typeof serious)[number][]>();
  for (const finding of serious)
    byRule.set(`${finding.severity}\0${finding.id}`, [...(byRule.get(`${finding.severity}\0${finding.id}`) ?? []), finding]);
  for (const findings of byRule.values()) {
    for (const [index, { severity, id, agent, message, file, line }] of findings.entries()) {
      if (index === shownPerRule) {
        lines.push(`           and ${plural(findings.length - shownPerRule, 'more place')} of ${id} (--json lists all)`);
        break;
      }
      const label = severity.toUpperCase().padEnd(8);
      const [head = '', ...rest] = wrap(`${label} ${id.padEnd(9)} ${agent === null ? '' : `${agent}: `}${message}`, 11);
      lines.push(paint(colours[severity] ?? '0', head.slice(0, 8)) + head.slice(8), ...rest);
      if (file !== null) lines.push(paint('2', `           ${cut(short(file), width - 17)}${line === null ? '' : `:${line}`}`));
    }
    lines.push(...wrap(`           -> ${findings[0]?.remedy ?? ''}`, 14));
  }
  const info = counts.get('info') ?? 0;
  if (info > 0) lines.push(`${plural(info, 'remark')} of level info: --json shows them.`);
  if (serious.length === 0) lines.push('No findings above level info.');
  lines.push('', `Next: ${product.name} run -- AGENT   the same agent, boxed; your keys stay outside`);
  return `${lines.join('\n')}\n`;
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : `…${text.slice(text.length - length + 1)}`;
}

/** Lines of at most 80 columns; later ones are indented. A word that is longer than a line is cut into pieces. */
export function wrap(text: string, indent: number): readonly string[] {
  const lines: string[] = [];
  let line = /^ */.exec(text)?.[0] ?? '';
  let isEmpty = true;
  for (const word of text.trim().split(/(?<=\S)(?=\s)/)) {
    let rest = word;
    if (!isEmpty && line.length + rest.length > width) {
      lines.push(line);
      line = ' '.repeat(indent);
      rest = rest.trimStart();
      isEmpty = true;
    }
    while (line.length + rest.length > width) {
      const room = width - line.length;
      lines.push(line + rest.slice(0, room));
      rest = rest.slice(room);
      line = ' '.repeat(indent);
    }
    line += rest;
    isEmpty = false;
  }
  return [...lines, line];
}
