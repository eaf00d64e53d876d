// What many launches in a row leave behind: `run -- true` by the command line, with its daemon, in both modes. Counted before and
// after: the daemon's descriptors and children, mounts, processes of these launches, files of the workspace, of the product's own places
// and of its temporary directory. An error if anything is left.
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const root = path.resolve(import.meta.dirname, '..');
const main = path.join(root, 'dist', 'main.js');

export interface LeakRow {
  readonly what: string;
  readonly before: number;
  readonly after: number;
}

export function benchLeaks(launches: number): LeakRow[] {
  const dir = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'bench-leaks-')));
  const workspace = path.join(dir, 'workspace');
  const state = path.join(dir, 'state');
  const temporary = path.join(dir, 'tmp');
  for (const at of [workspace, temporary]) fs.mkdirSync(at);
  // Enough that a session ends while it still takes its first looks at them.
  for (let i = 0; i < 2000; i++) fs.writeFileSync(path.join(workspace, `file-${i}`), 'x');
  const env = { PATH: process.env['PATH'], HOME: dir, INTRAMUR_HOME: state, TMPDIR: temporary };
  const intramur = (...args: string[]): string =>
    execFileSync(process.execPath, [main, ...args], { cwd: workspace, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  const launch = (i: number): void => void intramur('run', '--mode', i % 2 ? 'direct' : 'overlay', '--', 'sleep', i % 4 ? '0' : '0.02');
  try {
    intramur('up', '--background');
    const { pid } = JSON.parse(intramur('status', '--json')) as { pid: number };
    // The first ones make what is kept for all: programs in the cache, keys.
    for (let i = 0; i < 4; i++) launch(i);
    const before = count(pid, dir, workspace);
    for (let i = 0; i < launches; i++) launch(i);
    const after = count(pid, dir, workspace);
    const rows = Object.entries(before).map(([what, n]) => ({ what, before: n, after: after[what] ?? Number.NaN }));
    const left = rows.filter((row) => row.after > row.before);
    if (left.length > 0) throw new Error(`${launches} launches left something: ${JSON.stringify(left)}`);
    return rows;
  } finally {
    spawnSync(process.execPath, [main, 'down'], { env, stdio: 'ignore' });
    spawnSync('chmod', ['-R', 'u+rwX', dir]);
    fs.rmSync(dir, { recursive: true, force: true });
  }
}

function count(daemon: number, dir: string, workspace: string): Record<string, number> {
  const listing = (at: string): string[] => fs.readdirSync(at, { recursive: true, encoding: 'utf8' });
  const commands = fs
    .readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => textOf(`/proc/${pid}/cmdline`));
  return {
    'descriptors of the daemon': fs.readdirSync(`/proc/${daemon}/fd`).length,
    'children of the daemon': textOf(`/proc/${daemon}/task/${daemon}/children`).split(' ').filter(Boolean).length,
    'processes of the launches': commands.filter((text) => text.includes(dir) && !text.includes(`${main}\0up`)).length,
    'mounts of the machine': textOf('/proc/self/mountinfo').split('\n').length,
    'files in the workspace': listing(workspace).length,
    // The ledger and its index are meant to grow, and Node fills its own cache of compiled code.
    'files of the product': listing(dir).filter((name) => !/ledger|index|cache\/compile|workspace\//.test(name)).length,
  };
}

function textOf(file: string): string {
  try {
    return fs.readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) console.table(benchLeaks(Number(process.argv[2] ?? 200)));
