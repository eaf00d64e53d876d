// The report for people: fits 80 columns, worst first, and says in plain words what each agent can do today.
import { product } from '../../core/index.ts';
import type { AuditReport } from './json.ts';
import { named, today } from './today.ts';

const width = 80;
const shownPerRule = 3;

export interface TextOptions {
  readonly colour: boolean;
  readonly home: string;
}

const colours: Readonly<Record<string, string>> = { critical: '1;31', high: '31', medium: '33', low: '36', info: '2' };

export function textReport(report: AuditReport, { colour, home }: TextOptions): string {
  const paint = (code: string, text: string): string => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);
  const short = (file: string): string =>
    home !== '/' && (file === home || file.startsWith(`${home}/`)) ? `~${file.slice(home.length)}` : file;
  const lines: string[] = [];
  const ids = new Set(report.agents.map(({ id }) => id));
  const unpinned = report.mcpServers.filter(({ pinned }) => pinned === false).length;
  const { files, ms } = report.scanned;
  lines.push(
    `${plural(ids.size, 'agent')}, ${plural(report.mcpServers.length, 'MCP server')}${unpinned > 0 ? ` (${unpinned} unpinned)` : ''}; ${counts(report)}.`,
    paint('2', `Looked at ${files.toLocaleString('en')} files in ${(ms / 1000).toFixed(1)} s. ${whatRan(report)}.`),
    '',
    ...findingLines(report, paint, short),
    ...todayLines(report, paint),
    ...probedLines(report, paint),
    ...summaryLines(report, paint, short),
    ...agentLines(report, paint, short),
    ...wrap(`Looked in ${whereLooked(report, short)}.`, 10),
    `Next: ${product.name} run -- AGENT   the same agent, boxed; your keys stay outside`,
  );
  return `${lines.join('\n')}\n`;
}

/** INVARIANT: says that nothing was started only when nothing was. */
export function whatRan({ probed }: Pick<AuditReport, 'probed'>): string {
  return probed === null
    ? 'Nothing was started, nothing was sent'
    : 'Agents were started in the sandbox, with no way out; nothing was sent';
}

/** Whole directories by name; single ones by name while they are few. */
export function whereLooked({ scanned: { places } }: Pick<AuditReport, 'scanned'>, short: Short): string {
  const [whole, single] = [places.filter((place) => place.whole), places.filter((place) => !place.whole)];
  const names = whole.map(({ path }) => short(path)).join(', ');
  if (single.length === 0) return names;
  const which =
    single.length <= shownPerRule ? single.map(({ path }) => short(path)).join(', ') : plural(single.length, 'single directory');
  return `${names}; of ${which} only what agents read there`;
}

type Paint = (code: string, text: string) => string;
type Short = (file: string) => string;

function counts({ findings }: AuditReport): string {
  const parts = ['critical', 'high', 'medium', 'low'].flatMap((severity) => {
    const count = findings.filter((finding) => finding.severity === severity).length;
    return count === 0 ? [] : [`${count} ${severity}`];
  });
  return parts.length === 0 ? 'nothing above level info' : parts.join(', ');
}

function findingLines({ findings }: AuditReport, paint: Paint, short: Short): readonly string[] {
  const lines: string[] = [];
  const groups = new Map<string, AuditReport['findings'][number][]>();
  for (const finding of findings) {
    if (finding.severity === 'info') continue;
    const key = `${finding.severity}\0${finding.id}`;
    groups.set(key, [...(groups.get(key) ?? []), finding]);
  }
  for (const group of groups.values()) {
    const shown = group.slice(0, shownPerRule);
    for (const [index, { severity, id, agent, message, file, line, remedy, confidence }] of shown.entries()) {
      const label = severity.toUpperCase().padEnd(8);
      const [head = '', ...rest] = wrap(
        `${label} ${id.padEnd(9)} ${agent === null || message.toLowerCase().startsWith(agent.slice(0, 4)) ? '' : `${agent}: `}${message}${confidence === 'low' ? ' (not certain)' : ''}`,
        11,
      );
      lines.push(paint(colours[severity] ?? '0', head.slice(0, 8)) + head.slice(8), ...rest);
      if (file !== null) lines.push(paint('2', `           ${cut(short(file), width - 18)}${line === null ? '' : `:${line}`}`));
      const next = shown[index + 1];
      if (next === undefined && group.length > shownPerRule)
        lines.push(`           and ${plural(group.length - shownPerRule, 'more place')} (--json lists all)`);
      // Once for all that it helps against.
      if (next?.remedy !== remedy) lines.push(...wrap(`           -> ${remedy}`, 14));
    }
  }
  const remarks = findings.filter(({ severity }) => severity === 'info').length;
  if (remarks > 0) lines.push(`${plural(remarks, 'remark')} of level info: --json shows ${remarks === 1 ? 'it' : 'them'}.`);
  return lines.length === 0 ? [] : [...lines, ''];
}

/** The answer in four lines. */
function todayLines(report: AuditReport, paint: Paint): readonly string[] {
  const { abilities, of } = today(report);
  if (of === 0) return [];
  const lines = abilities.flatMap(({ what, agents, none }) =>
    wrap(
      `  ${`${what}:`.padEnd(28)} ${agents.length === 0 ? (none ?? 'no') : `yes, ${agents.length} of ${of}: ${named(agents, agents.length > 2 ? 1 : 2)}`}`,
      31,
    ),
  );
  return [paint('1', 'What can they do today, without asking?'), ...lines, ''];
}

/** Configured against enforced, one line an agent; what is not enforced stands among the findings. */
function probedLines({ probed }: AuditReport, paint: Paint): readonly string[] {
  if (probed === null) return [];
  const lines = [...new Set(probed.results.map(({ agent }) => agent))].flatMap((agent) => {
    const own = probed.results.filter((result) => result.agent === agent);
    const counted = (outcome: string): number => own.filter((result) => result.outcome === outcome).length;
    const [not, unknown] = [counted('not-enforced'), counted('unknown')];
    return wrap(
      `  ${agent}: ${plural(own.length, 'act')} that rules forbid; ${counted('enforced')} refused, ${not} done all the same${unknown === 0 ? '' : `, ${unknown} not known (${own.find(({ outcome }) => outcome === 'unknown')?.evidence ?? ''})`}`,
      4,
    );
  });
  const silent = probed.silent.flatMap(({ agent, why }) => wrap(`  ${agent}: not asked; ${why}`, 4));
  const left = probed.unprobed.length === 0 ? [] : [`  ${plural(probed.unprobed.length, 'rule')} not tried (--json says why)`];
  const all = [...lines, ...silent, ...left];
  return [paint('1', 'Configured and enforced'), ...(all.length === 0 ? ['  no rule of an agent that can be asked'] : all), ''];
}

/** One block an agent; a workspace only where it differs from the rest of the disk. */
function summaryLines({ summary }: AuditReport, paint: Paint, short: Short): readonly string[] {
  const lines: string[] = [];
  for (const row of summary) {
    const general = summary.find((one) => one.agent === row.agent && one.workspace === '*');
    const { workspace: _here, ...says } = row;
    const { workspace: _there, ...usual } = general ?? row;
    if (row.workspace !== '*' && general !== undefined && JSON.stringify(says) === JSON.stringify(usual)) continue;
    if (row.shell.startsWith('not known')) continue;
    lines.push(
      ...wrap(
        `  ${row.agent}, ${row.workspace === '*' ? 'anywhere' : short(row.workspace)}${row.unattended ? ': works unattended' : ''}`,
        4,
      ),
    );
    lines.push(
      ...wrap(`    shell    ${row.shell}`, 13),
      ...wrap(`    writes   ${row.write}`, 13),
      ...wrap(`    network  ${row.network}`, 13),
      ...wrap(`    secrets  ${row.secrets}`, 13),
      ...wrap(`    model    ${row.modelHost}`, 13),
    );
  }
  return lines.length === 0 ? [] : [paint('1', 'One by one'), ...lines, ''];
}

function agentLines({ agents }: AuditReport, paint: Paint, short: Short): readonly string[] {
  if (agents.length === 0) return [];
  const rows = agents.flatMap((agent) => {
    const version = agent.version ?? (agent.presence === 'traces' ? '(traces only)' : '(version unknown)');
    return wrap(
      `  ${agent.name} ${version}, ${agent.vendor} (${agent.jurisdiction})${agent.status === 'unvetted' ? '' : `, ${agent.status}`}: ${short(agent.path)}`,
      6,
    );
  });
  return [paint('1', 'What is here'), ...rows, ''];
}

function plural(count: number, noun: string): string {
  return `${count} ${count === 1 ? noun : noun.endsWith('y') ? `${noun.slice(0, -1)}ies` : `${noun}s`}`;
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
