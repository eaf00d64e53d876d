// Can this machine enforce the sandbox? Each layer is probed by using it: a small program is started in a sandbox and reports what
// it could reach, and what it reports is compared with what the listeners saw.
import { execFileSync } from 'node:child_process';
import { accessSync, constants, mkdirSync, mkdtempSync, readFileSync, realpathSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { codeOf, IntramurError, type Places, placesFrom, product } from '../core/index.ts';
import { memoryLimit } from './cgroup.ts';
import { launch } from './launch.ts';
import { removeOverlay } from './overlay/remove.ts';
import type { LaunchPlan, Listeners } from './plan.ts';
import { bubblewrap } from './prepare.ts';
import { resolveProgram } from './program.ts';
import { askDoctor, bubblewrapMissing, namespaceRefusal } from './unavailable.ts';

export interface Probe {
  readonly name: string;
  readonly ok: boolean;
  readonly reason?: string;
  readonly fix?: string;
}

export interface Diagnosis {
  /** `full`: every layer holds. `degraded`: programs can be contained, but a layer is missing. `none`: `run` refuses. */
  readonly mode: 'full' | 'degraded' | 'none';
  readonly layers: readonly Probe[];
}

/** An address that is nowhere (RFC 5737): a connection to it can only arrive at our own listener. */
const nowhere = '192.0.2.1';
const probePort = 443;

/** Runs inside and prints what it could do, as one line of JSON. */
const probe = `
const fs = require('node:fs'), net = require('node:net'), dgram = require('node:dgram');
const status = fs.readFileSync('/proc/self/status', 'utf8');
const field = (name) => (new RegExp('^' + name + ':\\\\s*(\\\\S+)', 'm').exec(status) || [])[1];
const connect = (host) => new Promise((done) => {
  const socket = net.connect({ host, port: ${probePort} }, () => { socket.destroy(); done(true); });
  socket.on('error', () => done(false));
});
const ask = () => new Promise((done) => {
  const socket = dgram.createSocket('udp4').on('message', () => { socket.close(); done(true); }).on('error', () => done(false));
  socket.send('?', 53, '127.0.0.1');
  setTimeout(() => done(false), 2000).unref();
});
Promise.all([connect('${nowhere}'), ask()]).then(([direct, dns]) => fs.writeFileSync('probe.json', JSON.stringify({
  direct, dns, seccomp: field('Seccomp') === '2', capabilities: /^0+$/.test(field('CapEff')) && /^0+$/.test(field('CapBnd')),
  privileges: field('NoNewPrivs') === '1', hidden: !fs.existsSync(process.argv[1]), user: process.getuid() !== 0,
})));`;

export async function doctor(places: Places = placesFrom(process.env, os.homedir())): Promise<Diagnosis> {
  const first = bubblewrapLayer();
  const layers: Probe[] = [first];
  const overlay = await attempt(places, 'overlay');
  const direct = overlay instanceof IntramurError ? await attempt(places, 'direct') : overlay;
  if (direct instanceof IntramurError) {
    layers.push(missing('namespaces', direct, first.fix ?? namespaceRefusal()?.fix));
    return { mode: 'none', layers };
  }
  layers.push(
    { name: 'namespaces (user, network, mount, process, ipc, host name)', ok: true },
    holds(
      'no way out but the monitor: every address is ours',
      direct.direct,
      'a connection to an address outside did not reach the listener',
    ),
    holds('name resolution is ours', direct.dns, 'a query did not reach the answerer'),
    holds('system call filter', direct.seccomp && direct.privileges, 'the seccomp program is not in force'),
    holds('no capabilities', direct.capabilities, 'the program kept a capability'),
    holds('not root inside', direct.user, 'the program runs as user 0'),
    holds('only the workspace is visible', direct.hidden, 'a file outside of the workspace could be seen'),
    overlay instanceof IntramurError ? missing('copy-on-write workspace', overlay) : { name: 'copy-on-write workspace', ok: true },
    ...unwritable([places.state, places.cache].filter((directory) => !canBeWritten(directory))),
  );
  const isEnforced = layers.every(({ ok, name }) => ok || name === 'copy-on-write workspace');
  const isFull = layers.every(({ ok }) => ok);
  layers.push(memoryLayer());
  return { mode: isFull ? 'full' : isEnforced ? 'degraded' : 'none', layers };
}

/** Can the starts of programs be asked about (`run --audit-exec`)? Not part of the confinement. */
export async function auditLayer(places: Places): Promise<Probe> {
  const name = 'audit of program starts';
  let asked = 0;
  const decideStarts: LaunchPlan['decideStarts'] = (starts) => {
    asked += starts.length;
    return Promise.resolve(starts.map(() => true));
  };
  const outcome = await attempt(places, 'direct', { decideStarts });
  if (outcome instanceof IntramurError) return missing(name, outcome);
  return holds(name, asked > 0, 'a program started without a question');
}

function bubblewrapLayer(): Probe {
  const fix = bubblewrapMissing.fix;
  let file: string;
  try {
    file = bubblewrap();
  } catch {
    return { name: 'bubblewrap', ok: false, reason: bubblewrapMissing.reason, fix };
  }
  try {
    return { name: `bubblewrap (${execFileSync(file, ['--version'], { encoding: 'utf8' }).trim()})`, ok: true };
  } catch {
    return { name: 'bubblewrap', ok: false, reason: `${file} does not start`, fix };
  }
}

/** Without it no session can be kept, so `run` refuses; the other layers are probed elsewhere. */
function unwritable(directories: readonly string[]): Probe[] {
  if (directories.length === 0) return [];
  const fix = `export ${product.name.toUpperCase()}_HOME=DIR   # a directory that can be written`;
  return [{ name: 'a place on disk', ok: false, reason: `nothing can be written to ${directories.join(' and ')}`, fix }];
}

function canBeWritten(directory: string): boolean {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    accessSync(directory, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function memoryLayer(): Probe {
  const name = 'limit of total memory';
  const found = memoryLimit();
  return found.available ? { name, ok: true } : { name, ok: false, reason: found.reason, fix: found.fix };
}

function holds(name: string, ok: boolean, reason: string): Probe {
  return ok ? { name, ok } : { name, ok, reason };
}

/** @param known what mends it, where the fault knows no more than to ask `doctor` */
function missing(name: string, { message, hint }: IntramurError, known?: string): Probe {
  const fix = hint === askDoctor ? known : hint;
  return { name, ok: false, reason: message, ...(fix === undefined ? {} : { fix }) };
}

interface Report {
  readonly direct: boolean;
  readonly dns: boolean;
  readonly seccomp: boolean;
  readonly capabilities: boolean;
  readonly privileges: boolean;
  readonly hidden: boolean;
  readonly user: boolean;
}

/** What the probe reported from inside, or the fault that kept it from starting. */
async function attempt(
  places: Places,
  mode: LaunchPlan['mode'],
  more: Pick<LaunchPlan, 'decideStarts'> = {},
): Promise<Report | IntramurError> {
  const parent = [places.state, os.tmpdir()].find(canBeWritten);
  if (parent === undefined) return new IntramurError('SANDBOX_SETUP', `nothing can be written to ${places.state} or ${os.tmpdir()}`);
  const scratch = realpathSync(mkdtempSync(path.join(parent, 'doctor-')));
  const cacheDir = canBeWritten(places.cache) ? places.cache : path.join(scratch, 'cache');
  const below = (name: string): string => {
    mkdirSync(path.join(scratch, name));
    return path.join(scratch, name);
  };
  const [workspace, upper, work, canary] = [below('workspace'), below('upper'), below('work'), below('canary')];
  const node = resolveProgram(process.execPath, {}, '/');
  const arrived: string[] = [];
  const servers: net.Server[] = [];
  try {
    const launched = await launch(
      {
        argv: [process.execPath, '-e', probe, canary],
        workspace,
        cwd: workspace,
        mode,
        ...(mode === 'overlay' ? { overlay: { upper, work } } : {}),
        env: { PATH: '/usr/bin:/bin', HOME: '/home/doctor' },
        home: '/home/doctor',
        homeFiles: [],
        readOnly: node?.trees ?? [],
        caPem: '',
        ports: [probePort],
        proxyPort: 3128,
        gatewayPort: 4180,
        limits: { pids: 256, fileBytes: 1 << 20, tmpfsBytes: 1 << 20 },
        ...more,
        cacheDir,
        hostName: 'doctor',
        userName: 'doctor',
      },
      { listening: (listeners) => void servers.push(...serve(listeners, arrived)) },
    );
    const { code } = await launched.exited;
    const report: unknown = JSON.parse(readFileSync(path.join(mode === 'overlay' ? upper : workspace, 'probe.json'), 'utf8'));
    if (code !== 0 || !isReport(report)) throw new IntramurError('SANDBOX_SETUP', `the probe ended with code ${code}`);
    return { ...report, direct: report.direct && arrived.includes(nowhere) };
  } catch (fault) {
    if (codeOf(fault) !== undefined && fault instanceof IntramurError) return fault;
    return new IntramurError('SANDBOX_SETUP', 'the probe gave no report', { cause: fault });
  } finally {
    for (const server of servers) server.close();
    removeOverlay(scratch);
  }
}

function serve(listeners: Listeners, arrived: string[]): net.Server[] {
  listeners.dns.on('message', (query, from) => listeners.dns.send(query, from.port, from.address));
  for (const socket of [listeners.dns, ...listeners.dnsElsewhere]) socket.unref();
  return listeners.tcp.map(({ handle }) =>
    net
      .createServer((socket) => {
        arrived.push((socket.localAddress ?? '').replace(/^::ffff:/, ''));
        socket.destroy();
      })
      .listen(handle),
  );
}

const reportFields = ['direct', 'dns', 'seccomp', 'capabilities', 'privileges', 'hidden', 'user'] as const satisfies (keyof Report)[];

function isReport(value: unknown): value is Report {
  return typeof value === 'object' && value !== null && reportFields.every((field) => typeof Reflect.get(value, field) === 'boolean');
}
