// Runs outside, as the user whose sandbox is tried: launches the attempts, and judges by the canaries. Writes one JSON document.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { type Listeners, launch, resolveProgram } from '../../src/sandbox/index.ts';
import { workspaceTree } from '../../src/sandbox/workspace-tree.ts';
import { layCanaries, type Verdict } from './canaries.ts';

export interface Report {
  readonly verdicts: readonly Verdict[];
  /** Files of the workspace that are neither as before nor asked for. */
  readonly stray: readonly string[];
  /** What gains rights, is no file or leads out, in a workspace that was written to itself, and was not named afterwards. */
  readonly unnamed: readonly string[];
  readonly exitCode: number | null;
}

const [mode, scratch, canary, reportFile] = process.argv.slice(2);
if ((mode !== 'overlay' && mode !== 'direct') || scratch === undefined || canary === undefined || reportFile === undefined)
  throw new Error('usage: outside.ts overlay|direct DIRECTORY CANARY REPORT');

const canaries = await layCanaries(scratch, canary, mode, false);
const { place } = canaries;
const { home, workspace } = place;

const arrived: string[] = [];
let queriesElsewhere = 0;
function serve({ tcp: listeners, dns, dnsElsewhere }: Listeners): void {
  for (const { handle, port } of listeners) {
    net
      .createServer((socket) => {
        arrived.push(`${(socket.localAddress ?? '').replace(/^::ffff:/, '')}:${port}`);
        socket.on('error', () => {});
        socket.destroy();
      })
      .listen(handle)
      .unref();
  }
  dns.unref();
  for (const socket of dnsElsewhere) {
    socket.on('message', () => {
      queriesElsewhere++;
    });
    socket.unref();
  }
}

const kit = path.resolve(import.meta.dirname, '../..');
const node = resolveProgram(process.execPath, {}, '/');
const stdoutFile = path.join(scratch, 'inside.jsonl');
const before = listing(workspace);
const launched = await launch(
  {
    argv: [
      '/bin/sh',
      '-c',
      'exec "$0" "$@" > inside.jsonl 2> inside.err',
      process.execPath,
      path.join(kit, 'test/escape/inside.ts'),
      JSON.stringify(place),
    ],
    workspace,
    cwd: workspace,
    mode,
    ...(mode === 'overlay'
      ? { overlay: { upper: path.join(scratch, 'session', 'upper'), work: path.join(scratch, 'session', 'work') } }
      : {}),
    env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', HOME: home },
    home,
    homeFiles: [],
    readOnly: [...(node?.trees ?? []), kit],
    caPem: '',
    ports: [443, 80, 22, 853],
    proxyPort: 3128,
    gatewayPort: 4180,
    limits: place.limits,
    cacheDir: path.join(scratch, 'cache'),
    hostName: 'box',
    userName: 'agent',
  },
  { listening: serve },
);
const exit = await launched.exited;
const layerDir = mode === 'overlay' ? path.join(scratch, 'session', 'upper') : workspace;
fs.renameSync(path.join(layerDir, 'inside.jsonl'), stdoutFile);
const errors = fs.readFileSync(path.join(layerDir, 'inside.err'), 'utf8');
fs.rmSync(path.join(layerDir, 'inside.err'));

const verdicts = canaries.judge(
  fs.readFileSync(stdoutFile, 'utf8'),
  errors,
  { arrived, queriesElsewhere },
  (limit) => !launched.limits.held.some((line) => line.startsWith(limit)),
);
const allowed = /^(?:link-out|link-write|up|hard|hard-env|swap|dangling|odd-|fresh|nested-|node-c-|fill|big)/;
const stray =
  mode === 'overlay'
    ? listing(workspace).filter((name) => !before.includes(name))
    : listing(workspace).filter((name) => !before.includes(name) && !allowed.test(name));
const named = new Set((await launched.changes()).forbidden?.map((one) => one.path));
const unnamed = mode === 'direct' ? listing(workspace).filter((name) => isOdd(path.join(workspace, name)) && !named.has(name)) : [];
const report: Report = { verdicts, stray, unnamed, exitCode: exit.code };

canaries.remove();
fs.writeFileSync(reportFile, JSON.stringify(report));
process.exit(0);

/** By the host's own reading of links. */
function isOdd(file: string): boolean {
  const stat = fs.lstatSync(file);
  if (stat.isDirectory() || stat.isFile()) return stat.isFile() && (stat.mode & 0o6000) !== 0;
  return !stat.isSymbolicLink() || !`${readlinkThrough(file)}/`.startsWith(`${workspace}/`);
}

function readlinkThrough(file: string): string {
  return spawnSync('readlink', ['-m', file], { encoding: 'utf8' }).stdout.trim();
}

function listing(directory: string): string[] {
  return [...workspaceTree(directory).names].sort();
}
