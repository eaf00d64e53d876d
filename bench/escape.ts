// The escape suite (test/escape) against other sandboxes: the same attempts in the same place, judged by the same canaries from
// outside, as an ordinary user at a terminal. One row for each group of attempts, `contained/total` for each sandbox; an attempt that
// cannot be asked of a sandbox is left out of its total.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Attempt } from '../test/escape/attempt.ts';
import { attempts } from '../test/escape/attempts/index.ts';
import { newCanary, type Verdict, withLeak } from '../test/escape/canaries.ts';
import { type Tool, tools, versionOf } from './escape/tools.ts';
import { type Ordinary, ordinary } from './ordinary.ts';

const root = path.resolve(import.meta.dirname, '..');

interface Column {
  readonly name: string;
  readonly configured: string;
  readonly verdicts: readonly Verdict[];
}

export interface EscapeBench {
  readonly work: readonly Readonly<Record<string, string>>[];
  /** How each sandbox was configured, which one is not in the table, which attempt was asked of ours alone; each with why. */
  readonly notes: readonly string[];
  /** By sandbox: what got out of it, and what it got. */
  readonly out: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** By attempt: the layer of our sandbox that stops it. */
  readonly stoppedBy: Readonly<Record<string, Attempt['layer']>>;
}

export function benchEscape(): EscapeBench {
  const place = ordinary(['src/core', 'src/sandbox', 'test/escape', 'bench/escape']);
  const { base, kit, who } = place;
  const missing: Record<string, string> = {};
  const columns: Column[] = [];
  try {
    const peers = copyPeers(base);
    spawnSync('chown', ['-R', `${who.uid}:${who.gid}`, peers]);
    for (const mode of ['overlay', 'direct'] as const) {
      const script = path.join(kit, 'test/escape/outside.ts');
      const said = tried(place, `intramur-${mode}`, (scratch, canary, report) => [script, mode, scratch, canary, report]);
      columns.push({ name: `intramur ${mode}`, configured: `its own, ${mode} mode`, verdicts: said.verdicts });
    }
    for (const tool of tools) {
      const version = versionOf(tool, peers);
      const column = version === undefined ? undefined : peerColumn(tool, version, place, peers);
      if (typeof column === 'object') columns.push(column);
      else missing[tool.name] = column ?? 'it is not installed';
    }
  } finally {
    place.remove();
  }
  requireTelling(columns);
  return summary(columns, missing);
}

function copyPeers(base: string): string {
  const [from, to] = [path.join(root, 'bench', 'peers', 'node_modules'), path.join(base, 'peers', 'node_modules')];
  if (fs.existsSync(from)) fs.cpSync(from, to, { recursive: true });
  return to;
}

interface Told {
  readonly verdicts: readonly Verdict[];
  readonly ran?: boolean;
  readonly errors?: string;
}

/** Runs one `outside.ts` as the user, at a terminal of its own, with a descriptor leaked. */
function tried(
  { base, node, who }: Ordinary,
  name: string,
  args: (scratch: string, canary: string, report: string) => readonly string[],
): Told {
  const scratch = path.join(base, name.replaceAll(' ', '-'));
  fs.mkdirSync(scratch);
  fs.chownSync(scratch, who.uid, who.gid);
  const canary = newCanary();
  const report = path.join(scratch, 'report.json');
  const line = withLeak(scratch, canary, [node, ...args(scratch, canary, report)]);
  const quoted = line.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
  const [command, ...rest] = who.command(['script', '-qefc', quoted, '/dev/null']);
  const env = { PATH: process.env['PATH'] ?? '/usr/bin:/bin', HOME: path.join(scratch, 'home'), TERM: 'xterm', SHELL: '/bin/bash' };
  const { stdout, status } = spawnSync(command, rest, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], timeout: 180_000 });
  if (!fs.existsSync(report)) throw new Error(`${name}: the attempts did not run (${status}): ${stdout}`);
  return JSON.parse(fs.readFileSync(report, 'utf8')) as Told;
}

function peerColumn(tool: Tool, version: string, place: Ordinary, peers: string): Column | string {
  const script = path.join(place.kit, 'bench/escape/outside.ts');
  const told = tried(place, tool.name, (scratch, canary, report) => [script, tool.name, scratch, canary, report, peers]);
  if (told.ran !== true) return `it did not run the attempts: ${told.errors?.trim().slice(0, 300)}`;
  return { name: `${tool.name} ${version}`.trim(), configured: tool.configured, verdicts: told.verdicts };
}

function summary(columns: readonly Column[], missing: Readonly<Record<string, string>>): EscapeBench {
  const groups = [...new Set(attempts.map(({ group }) => group))];
  const count = (verdicts: readonly Verdict[], ids: ReadonlySet<string>): string => {
    const asked = verdicts.filter(({ id, contained }) => ids.has(id) && contained !== undefined);
    return `${asked.filter(({ contained }) => contained === true).length}/${asked.length}`;
  };
  const row = (name: string, ids: ReadonlySet<string>): Record<string, string> => ({
    group: name,
    ...Object.fromEntries(columns.map((column) => [column.name, count(column.verdicts, ids)])),
  });
  const idsOf = (wanted: (attempt: (typeof attempts)[number]) => boolean): ReadonlySet<string> =>
    new Set(attempts.filter(wanted).map(({ id }) => id));
  const control = columns.find(({ name }) => name === 'no sandbox')?.verdicts ?? [];
  const telling = new Set(control.filter(({ contained }) => contained === false).map(({ id }) => id));
  const out = Object.fromEntries(columns.map(({ name, verdicts }) => [name, escapesOf(verdicts)]));
  return {
    work: [
      ...groups.map((group) =>
        row(
          group,
          idsOf((attempt) => attempt.group === group),
        ),
      ),
      row(
        'all',
        idsOf(() => true),
      ),
      row('those that get out without a sandbox', telling),
    ],
    notes: [
      ...columns.map(({ name, configured }) => `${name}: ${configured}`),
      ...Object.entries(missing).map(([name, why]) => `${name} is not in the table: ${why}`),
      ...attempts.flatMap(({ id, oursAlone }) => (oursAlone === undefined ? [] : [`n/a elsewhere: ${id} (${oursAlone})`])),
    ],
    out,
    stoppedBy: Object.fromEntries(attempts.map(({ id, layer }) => [id, layer])),
  };
}

const escapesOf = (verdicts: readonly Verdict[]): Record<string, string> =>
  Object.fromEntries(verdicts.filter(({ contained }) => contained === false).map(({ id, seen }) => [id, seen]));

/** INVARIANT: figures are only given for a suite that can tell: ours contains all, and without a sandbox many of them get out. */
function requireTelling(columns: readonly Column[]): void {
  for (const { name, verdicts } of columns) {
    const out = Object.keys(escapesOf(verdicts));
    if (name.startsWith('intramur') && out.length > 0) throw new Error(`${name} does not contain: ${out.join(', ')}`);
    if (name === 'no sandbox' && out.length < attempts.length / 3)
      throw new Error(`without a sandbox only ${out.length} of ${attempts.length} get out`);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  process.stdout.write(`${JSON.stringify(benchEscape(), undefined, 2)}\n`);
}
