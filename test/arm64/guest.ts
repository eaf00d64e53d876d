// Runs in the guest, as root: the product from outside, then the escape suite, each as both users. One line for each result, `done` at last.
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { attempts } from '../escape/attempts/index.ts';
import { newCanary, withLeak } from '../escape/canaries.ts';
import { kitFor } from '../escape/kit.ts';
import type { Report } from '../escape/outside.ts';
import { users, type Who } from '../escape/user.ts';

const kit = path.resolve(import.meta.dirname, '../..');
const main = path.join(kit, 'dist', 'main.js');
const failed: string[] = [];
let asked = 0;

function tell(line: string): void {
  fs.writeSync(1, `intramur-guest ${line}\n`);
}

function expectThat(what: string, isSo: boolean, seen = ''): void {
  asked += 1;
  if (!isSo) failed.push(what);
  tell(`${isSo ? 'ok  ' : 'NO  '} ${what}${isSo ? '' : `: ${seen.trim().slice(-800).replaceAll('\n', ' | ')}`}`);
}

interface Ran {
  readonly status: number | null;
  readonly out: string;
}

function environment(place: string): NodeJS.ProcessEnv {
  return { PATH: '/usr/sbin:/usr/bin', HOME: place };
}

function asUser(who: Who, place: string, argv: readonly [string, ...string[]]): Ran {
  const [command, ...args] = who.command(argv);
  const options = { cwd: path.join(place, 'work'), env: environment(place), encoding: 'utf8', timeout: 600_000 } as const;
  const { status, stdout, stderr } = spawnSync(command, args, options);
  return { status, out: stdout + stderr };
}

/** What a person does with it. */
function product(who: Who): void {
  const place = fs.mkdtempSync(path.join(os.tmpdir(), 'product-'));
  fs.mkdirSync(path.join(place, 'work'));
  spawnSync('chown', ['-R', `${who.uid}:${who.gid}`, place]);
  const intramur = (...args: string[]): Ran => asUser(who, place, [process.execPath, main, ...args]);
  const named = (what: string): string => `${what} (${who.name})`;
  // It takes longer here than `run` would wait for it.
  const [command, ...args] = who.command([process.execPath, main, 'up']);
  const daemon = spawn(command, args, { cwd: path.join(place, 'work'), env: environment(place), stdio: 'ignore' });
  for (let i = 0; i < 60 && !intramur('status').out.includes('gateway'); i++) spawnSync('sleep', ['1']);
  daemon.unref();

  const doctor = intramur('doctor');
  const wanting = doctor.out.split('\n').filter((line) => /^no /.test(line) && !line.includes('limit of total memory'));
  expectThat(named('doctor: every layer but the limit of memory'), wanting.length === 0 && doctor.status === 0, doctor.out);
  const wrote = intramur('run', '--', 'sh', '-c', 'echo new > file; uname -m; exit 7');
  expectThat(named('the exit code comes back'), wrote.status === 7 && wrote.out.includes('aarch64'), wrote.out);
  expectThat(named('what it wrote is not in the workspace'), !fs.existsSync(path.join(place, 'work', 'file')));
  const diff = intramur('diff');
  expectThat(named('diff'), diff.out.includes('A file'), diff.out);
  intramur('apply');
  expectThat(named('apply'), fs.existsSync(path.join(place, 'work', 'file')));
  const net = intramur('run', '--', 'curl', '-sS', '-m', '60', 'http://93.184.216.34/');
  expectThat(named('an address that was dialled without a name'), net.out.includes('dialled an address'), net.out);
  const started = intramur('run', '--audit-exec', '--', 'sh', '-c', 'for i in 1 2 3 4 5; do /usr/bin/id -u; done');
  expectThat(named('programs start under the audit'), started.status === 0 && !started.out.includes('not permitted'), started.out);
  const programs = intramur('ledger', 'show').out.match(/allow process\.exec/g)?.length;
  expectThat(named('each start is in the ledger'), programs === 6, `${programs}: ${intramur('ledger', 'show').out}`);
  const verified = intramur('ledger', 'verify');
  expectThat(named('ledger verify'), verified.status === 0, verified.out);
  intramur('down');
}

/** Each attempt that was not contained is a line of its own. */
function escapes(who: Who, mode: 'overlay' | 'direct'): void {
  const { scratch, node, outside, remove } = kitFor(who);
  const canary = newCanary();
  const reportFile = path.join(scratch, 'report.json');
  const [command, ...args] = who.command(withLeak(scratch, canary, [node, outside, mode, scratch, canary, reportFile]));
  const run = spawnSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'ignore', 'pipe'], timeout: 1_200_000 });
  const report = run.status === 0 ? (JSON.parse(fs.readFileSync(reportFile, 'utf8')) as Report) : undefined;
  const name = `${mode}, ${who.name}`;
  const held = report?.verdicts.filter(({ contained }) => contained).length ?? 0;
  const out = report?.verdicts.filter(({ contained }) => !contained) ?? [];
  for (const { id, seen } of out.slice(0, 10)) tell(`     out: ${id}: ${seen}`);
  expectThat(
    `${name}: ${held} of ${attempts.length} attempts contained`,
    held === attempts.length,
    `${run.status ?? run.signal} ${run.error ?? ''} ${run.stderr}`,
  );
  const leftovers = [...(report?.stray ?? ['no report']), ...(report?.unnamed ?? [])];
  expectThat(`${name}: nothing stray, nothing unnamed`, leftovers.length === 0, leftovers.join(', '));
  remove();
}

tell(`${os.type()} ${os.release()} ${process.arch}, ${spawnSync('bwrap', ['--version'], { encoding: 'utf8' }).stdout.trim()}, emulated`);
for (const who of users()) {
  product(who);
  for (const mode of ['overlay', 'direct'] as const) escapes(who, mode);
}
tell(`done ${failed.length === 0 ? `all held: ${asked} of ${asked}` : `${failed.length} of ${asked} did not hold: ${failed.join('; ')}`}`);
