// How long it takes until a program runs inside, against a bare Node start and, where the bench's peers are installed, against
// `@anthropic-ai/sandbox-runtime`. All are run in turn, A B C A B C …; medians of wall clock, ratios and differences in one run.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const root = path.resolve(import.meta.dirname, '..');
const main = path.join(root, 'dist', 'main.js');
const peer = path.join(root, 'bench', 'peers', 'node_modules', '@anthropic-ai', 'sandbox-runtime', 'dist', 'cli.js');

export interface LaunchBench {
  readonly rounds: number;
  /** Median wall clock, milliseconds. */
  readonly ms: Readonly<Record<string, number>>;
  /** Over `node -e 0` in the same run, milliseconds. */
  readonly over: Readonly<Record<string, number>>;
  /** How many times longer the peer takes. */
  readonly peerRatio: number | undefined;
}

export function benchLaunch(rounds: number): LaunchBench {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'bench-launch-'));
  const workspace = path.join(dir, 'workspace');
  fs.mkdirSync(workspace);
  const env = { PATH: process.env['PATH'], HOME: dir, INTRAMUR_HOME: path.join(dir, 'state') };
  const commands: Record<string, string[]> = {
    'node -e 0': ['-e', '0'],
    '--version': [main, '--version'],
    'run -- true': [main, 'run', '--', 'true'],
    'run --mode direct -- true': [main, 'run', '--mode', 'direct', '--', 'true'],
    ...(fs.existsSync(peer) ? { 'sandbox-runtime true': [peer, 'true'] } : {}),
  };
  const start = (args: readonly string[]) => {
    const began = performance.now();
    const { status, stderr } = spawnSync(process.execPath, args, { cwd: workspace, env, stdio: ['ignore', 'ignore', 'pipe'] });
    if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}: ${stderr.toString()}`);
    return performance.now() - began;
  };
  try {
    start([main, 'up', '--background']);
    const times = new Map<string, number[]>(Object.keys(commands).map((name) => [name, []]));
    for (let round = -1; round < rounds; round++) {
      for (const [name, args] of Object.entries(commands)) {
        const took = start(args);
        if (round >= 0) times.get(name)?.push(took);
      }
    }
    const ms = Object.fromEntries([...times].map(([name, all]) => [name, median(all)]));
    const floor = ms['node -e 0'] ?? 0;
    const ours = ms['run -- true'] ?? 0;
    const theirs = ms['sandbox-runtime true'];
    return {
      rounds,
      ms,
      over: Object.fromEntries(Object.entries(ms).map(([name, value]) => [name, value - floor])),
      peerRatio: theirs === undefined ? undefined : theirs / ours,
    };
  } finally {
    spawnSync(process.execPath, [main, 'down'], { env, stdio: 'ignore' });
    fs.rmSync(dir, { recursive: true, force: true });
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  process.stdout.write(`${JSON.stringify(benchLaunch(Number(process.argv[2] ?? 20)), undefined, 2)}\n`);
}
