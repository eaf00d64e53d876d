// What work costs inside the sandbox, against the same work under bare bubblewrap with the same system call filter, and on the host.
// The work is timed by itself, without the start. All are run in turn, A B C A B C …; medians and ratios of one run.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { contentFd } from '../src/sandbox/content-fd.ts';
import { type LaunchPlan, launch } from '../src/sandbox/index.ts';
import { seccompProgram } from '../src/sandbox/seccomp.ts';

export interface SandboxBench {
  readonly rounds: number;
  readonly work: readonly {
    readonly name: string;
    /** Median of the work alone, milliseconds. */
    readonly ms: Readonly<Record<Surrounding, number>>;
    /** Over bare bubblewrap with the same filter. */
    readonly ratio: { readonly overlay: number; readonly direct: number };
  }[];
}

type Surrounding = 'host' | 'bwrap' | 'overlay' | 'direct';
const surroundings: readonly Surrounding[] = ['host', 'bwrap', 'overlay', 'direct'];

const work: Readonly<Record<string, string>> = {
  'fork and exec, 500 times': 'i=0; while [ $i -lt 500 ]; do /bin/true; i=$((i+1)); done',
  'write, read and remove 2,000 files':
    'mkdir many; i=0; while [ $i -lt 2000 ]; do echo $i > many/$i; i=$((i+1)); done; cat many/* > /dev/null; rm -r many',
  'search 5,000 files': 'grep -r needle tree > /dev/null || true',
  'git status, 5,000 files': 'git status --short > /dev/null',
};

export async function benchSandbox(rounds: number): Promise<SandboxBench> {
  const dir = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'bench-sandbox-')));
  const workspace = path.join(dir, 'workspace');
  try {
    populate(workspace);
    const rows = [];
    for (const [name, script] of Object.entries(work)) {
      const times = new Map<Surrounding, number[]>(surroundings.map((one) => [one, []]));
      for (let round = -1; round < rounds; round++) {
        for (const surrounding of surroundings) {
          const took = await timed(surrounding, script, dir, workspace);
          if (round >= 0) times.get(surrounding)?.push(took);
        }
      }
      const of = (one: Surrounding): number => median(times.get(one) ?? []);
      const ms = { host: of('host'), bwrap: of('bwrap'), overlay: of('overlay'), direct: of('direct') };
      rows.push({ name, ms, ratio: { overlay: ms.overlay / ms.bwrap, direct: ms.direct / ms.bwrap } });
    }
    return { rounds, work: rows };
  } finally {
    spawnSync('chmod', ['-R', 'u+rwX', dir]);
    fs.rmSync(dir, { recursive: true, force: true });
  }
}

function populate(workspace: string): void {
  for (let i = 0; i < 5000; i++) {
    const file = path.join(workspace, 'tree', String(i % 50), `${i}.txt`);
    if (i < 50) fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, `line ${i}\n`.repeat(20));
  }
  const git = (...args: string[]): void =>
    void spawnSync('git', ['-c', 'user.name=b', '-c', 'user.email=b@example.com', ...args], { cwd: workspace });
  git('init', '-q', '.');
  git('add', '.');
  git('commit', '-qm', 'files');
}

async function timed(surrounding: Surrounding, script: string, dir: string, workspace: string): Promise<number> {
  // Standard output is the bench's own: the time comes out through a file in the workspace, or in the layer over it.
  const timing = `a=$(date +%s%N); ${script}; b=$(date +%s%N); echo $(((b-a)/1000)) > took`;
  const session = path.join(dir, 'session');
  if (surrounding === 'host') spawnSync('/bin/sh', ['-c', timing], { cwd: workspace });
  else if (surrounding === 'bwrap') bare(timing, dir, workspace);
  else await inside(surrounding, timing, dir, workspace, session);
  const file = path.join(surrounding === 'overlay' ? path.join(session, 'upper') : workspace, 'took');
  const took = Number(fs.readFileSync(file, 'utf8')) / 1000;
  fs.rmSync(file);
  spawnSync('chmod', ['-R', 'u+rwX', session]);
  fs.rmSync(session, { recursive: true, force: true });
  return took;
}

/** Namespaces, read-only root, the workspace, and our filter: nothing more. */
function bare(script: string, dir: string, workspace: string): void {
  const filter = contentFd(dir, seccompProgram(process.arch === 'arm64' ? 'arm64' : 'x64'));
  const args = [
    '--unshare-all',
    '--cap-drop',
    'ALL',
    '--seccomp',
    '3',
    '--ro-bind',
    '/',
    '/',
    '--dev',
    '/dev',
    '--proc',
    '/proc',
    '--tmpfs',
    '/tmp',
  ];
  const { status, stderr } = spawnSync(
    '/usr/bin/bwrap',
    [...args, '--bind', workspace, workspace, '--chdir', workspace, '/bin/sh', '-c', script],
    {
      stdio: ['ignore', 'ignore', 'pipe', filter],
    },
  );
  fs.closeSync(filter);
  if (status !== 0) throw new Error(`bubblewrap ended with ${status}: ${stderr.toString()}`);
}

async function inside(mode: LaunchPlan['mode'], script: string, dir: string, workspace: string, session: string): Promise<void> {
  const launched = await launch(
    {
      argv: ['/bin/sh', '-c', script],
      workspace,
      cwd: workspace,
      mode,
      overlay: { upper: path.join(session, 'upper'), work: path.join(session, 'work') },
      env: { PATH: '/usr/bin:/bin', HOME: '/home/bench' },
      home: '/home/bench',
      homeFiles: [],
      readOnly: [],
      caPem: '',
      ports: [443],
      proxyPort: 3128,
      gatewayPort: 4180,
      limits: { pids: 4096, fileBytes: 1 << 30, tmpfsBytes: 1 << 28 },
      cacheDir: path.join(dir, 'cache'),
      hostName: 'bench',
      userName: 'bench',
    },
    {
      listening({ tcp, dns, dnsElsewhere }) {
        for (const { handle } of tcp) net.createServer().listen(handle).unref();
        for (const socket of [dns, ...dnsElsewhere]) socket.close();
      },
    },
  );
  const { code } = await launched.exited;
  if (code !== 0) throw new Error(`the work ended with ${code}`);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  process.stdout.write(`${JSON.stringify(await benchSandbox(Number(process.argv[2] ?? 7)), undefined, 2)}\n`);
}
