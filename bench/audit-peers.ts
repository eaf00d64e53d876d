// The audit beside two peers from npm (ecc-agentshield, mcp-scan) on the same homes: planted problems and decoys of the second generator.
// Generous to the peers: any finding of theirs in the right file counts as found, whatever it says; ours must have the right id. All run
// with a home of their own that is thrown away and, on Linux, without a network.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { audit } from '../src/audit/index.ts';
import { type Laid, plant, plantDecoys, write } from '../test/fixtures/audit-home.ts';

/** So many that every kind of problem has its turn. */
const seeds = 13;
const home = '/home/dev';
const peers = path.resolve(import.meta.dirname, 'peers/node_modules/.bin');

interface Said {
  readonly file: string;
  /** Rule id of ours; `*` for a peer. */
  readonly id: string;
  readonly severity: string;
}
type Tool = (root: string) => readonly Said[];

function isolated(program: string, args: readonly string[], root: string): string {
  const command = [process.execPath, path.join(peers, program), ...args];
  const [first = '', ...rest] =
    process.platform === 'linux' ? ['unshare', '--user', '--map-root-user', '--net', '--', ...command] : command;
  const cwd = path.join(root, home);
  const env = { PATH: process.env['PATH'] ?? '', HOME: cwd, NO_COLOR: '1' };
  return spawnSync(first, rest, { cwd, env, encoding: 'utf8', maxBuffer: 1 << 28, timeout: 120_000 }).stdout;
}

function parsed(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
}

const tools: Readonly<Record<string, Tool>> = {
  intramur: (root) =>
    audit({ root, home, dirs: [], userHome: '/nowhere', cwd: '/', env: {}, tools: {} }).findings.map(({ file, id, severity }) => ({
      file: file ?? '',
      id,
      severity,
    })),
  'ecc-agentshield': (root) => {
    const { findings = [] } = parsed(isolated('agentshield', ['scan', '--path', path.join(root, home), '--format', 'json'], root));
    return (findings as { file?: string; severity?: string }[]).map(({ file = '', severity = '' }) => ({
      file: path.posix.join(home, file),
      id: '*',
      severity,
    }));
  },
  'mcp-scan': (root) => {
    const { results = [] } = parsed(isolated('mcp-scan', ['scan', '--json', '--offline'], root));
    return (results as { configPath?: string; findings?: { severity?: string }[] }[]).flatMap(({ configPath = '', findings = [] }) =>
      findings.map(({ severity = '' }) => ({ file: configPath.slice(root.length), id: '*', severity: severity.toLowerCase() })),
    );
  },
};

function inRoot<T>(laid: Laid, work: (root: string) => T): T {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'audit-peers-'));
  try {
    write(laid, root);
    return work(root);
  } finally {
    fs.rmSync(root, { recursive: true, force: true });
  }
}

interface Score {
  found: number;
  quiet: number;
  wrong: number;
  readonly areas: Record<string, [found: number, planted: number]>;
}

const scores: Record<string, Score> = Object.fromEntries(
  Object.keys(tools).map((name) => [name, { found: 0, quiet: 0, wrong: 0, areas: {} }]),
);
let planted = 0;
let decoys = 0;

for (let seed = 0; seed < seeds; seed++) {
  const full = plant(seed, home);
  const quiet = plantDecoys(seed, home);
  planted += full.problems.length;
  decoys += quiet.decoys.length;
  for (const [name, tool] of Object.entries(tools)) {
    const score = scores[name];
    if (score === undefined) continue;
    inRoot(full, (root) => {
      const said = tool(root);
      for (const { ids, file } of full.problems) {
        const [area = ''] = (ids[0] ?? '').split('-');
        const counts = (score.areas[area] ??= [0, 0]);
        const isFound = said.some((one) => one.file === file && (one.id === '*' || ids.includes(one.id)));
        score.found += Number(isFound);
        counts[0] += Number(isFound);
        counts[1] += 1;
      }
    });
    inRoot(quiet, (root) => {
      const said = tool(root).filter(({ severity }) => severity !== 'info');
      for (const { file } of quiet.decoys) {
        const wrong = said.filter((one) => one.file === file).length;
        score.wrong += wrong;
        score.quiet += Number(wrong === 0);
      }
    });
  }
}

fs.mkdirSync('bench/results', { recursive: true });
fs.writeFileSync('bench/results/audit-peers.json', `${JSON.stringify({ seeds, planted, decoys, scores }, undefined, 2)}\n`);
const percent = (part: number, whole: number): string => `${((100 * part) / whole).toFixed(0)} %`;
process.stdout.write(`${planted} planted problems and ${decoys} decoys in ${seeds} homes\n`);
for (const [name, { found, quiet, wrong, areas }] of Object.entries(scores)) {
  const by = Object.entries(areas).map(([area, [hits, all]]) => `${area} ${hits}/${all}`);
  process.stdout.write(
    `${name.padEnd(16)} found ${percent(found, planted)} (${by.join(', ')}); quiet on ${percent(quiet, decoys)} of decoys, ${wrong} findings above info there\n`,
  );
}
