// What the egress costs beside a bare Node server, and what it saves beside a bridge of two socats, all in one run. Servers are
// processes of their own, so that a process's own CPU clock is the measure; rounds alternate, because the machine is shared.
// `node bench/egress.ts`; with a role as argument it is one of its own children.
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { createAuthority, createEgress, makeAuthority } from '../src/egress/index.ts';

const self = fileURLToPath(import.meta.url);
const answer = Buffer.from('an answer of about fifty bytes, as small ones are.');
const name = 'a.example';

interface Ports {
  readonly secure: number;
  readonly plain: number;
  /** Where to dial: for the egress the synthetic address of `name`. */
  readonly address: string;
}

async function listen(server: net.Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen({ port: 0, host: '0.0.0.0', backlog: 1024 }, resolve));
  const address = server.address();
  return typeof address === 'object' && address ? address.port : 0;
}

/** The floor: the same certificate kind, the same answer, nothing else. */
async function bare(): Promise<Ports> {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'bench-egress-'));
  process.on('exit', () => fs.rmSync(dir, { recursive: true, force: true }));
  const { execFileSync } = await import('node:child_process');
  const files = { key: path.join(dir, 'key.pem'), cert: path.join(dir, 'cert.pem') };
  const args = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', `/CN=${name}`];
  execFileSync('openssl', [...args, '-keyout', files.key, '-out', files.cert], { stdio: 'ignore' });
  const answered: http.RequestListener = (request, response) => {
    request.resume();
    response.writeHead(200, { 'content-type': 'text/plain', 'content-length': answer.length }).end(answer);
  };
  const secure = https.createServer({ key: fs.readFileSync(files.key), cert: fs.readFileSync(files.cert) }, answered);
  const plain = http.createServer(answered);
  return { secure: await listen(secure), plain: await listen(plain), address: '127.0.0.1' };
}

async function egress(): Promise<Ports> {
  const exit = createEgress({
    authority: createAuthority(makeAuthority(new Date())),
    gatewayHosts: [],
    async forward(_head, body) {
      body.resume();
      return { status: 200, rawHeaders: ['content-type', 'text/plain'], body: answer };
    },
    connect: async () => ({ effect: 'deny', reason: 'not in this bench' }),
  });
  const query = Buffer.from([0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, ...Buffer.from('a'), 7, ...Buffer.from('example'), 0, 0, 1, 0, 1]);
  const address = [...(exit.answerDns(query, 'udp', true) ?? Buffer.alloc(4)).subarray(-4)].join('.');
  const secure = net.createServer((socket) => exit.accept(socket, 'any', 443));
  const plain = net.createServer((socket) => exit.accept(socket, 'any', 80));
  return { secure: await listen(secure), plain: await listen(plain), address };
}

async function serve(role: string): Promise<void> {
  process.send?.(role === 'bare' ? await bare() : await egress());
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    process.send?.(user + system);
  });
  process.on('disconnect', () => process.exit(0));
}

interface Part extends Ports {
  cpuMicroseconds(): Promise<number>;
  stop(): void;
}

async function start(role: string): Promise<Part> {
  const child: ChildProcess = fork(self, [role], {
    execArgv: process.argv.includes('--profile') && role === 'egress' ? ['--cpu-prof', '--cpu-prof-dir=bench/results'] : [],
  });
  const ports = await new Promise<Ports>((resolve) => child.once('message', (value) => resolve(value as unknown as Ports)));
  return {
    ...ports,
    cpuMicroseconds() {
      const told = new Promise<number>((resolve) => child.once('message', (value) => resolve(Number(value))));
      child.send('cpu');
      return told;
    },
    stop: () => child.disconnect(),
  };
}

/** program → TCP → socat → unix socket → socat → TCP → server, a process for each connection and side. */
async function socatBridge(port: number): Promise<{ port: number; stop(): void } | undefined> {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'bench-socat-'));
  const socket = path.join(dir, 'bridge.sock');
  const probe = net.createServer();
  const front = await listen(probe);
  probe.close();
  const bridges = [
    spawn('socat', [`UNIX-LISTEN:${socket},fork,backlog=1024`, `TCP:127.0.0.1:${port}`], { stdio: 'ignore' }),
    spawn('socat', [`TCP-LISTEN:${front},fork,reuseaddr,backlog=1024`, `UNIX-CONNECT:${socket}`], { stdio: 'ignore' }),
  ];
  const isMissing = await new Promise<boolean>((resolve) => {
    bridges[0]?.once('error', () => resolve(true));
    setTimeout(resolve, 300, false);
  });
  const stop = (): void => {
    for (const bridge of bridges) bridge.kill();
    fs.rmSync(dir, { recursive: true, force: true });
  };
  if (!isMissing) return { port: front, stop };
  stop();
  return undefined;
}

interface Load {
  readonly load: string;
  readonly isSecure: boolean;
  readonly keepsAlive: boolean;
  readonly requests: number;
  readonly connections: number;
}

const loads: readonly Load[] = [
  { load: 'https, kept connections', isSecure: true, keepsAlive: true, requests: 10_000, connections: 16 },
  { load: 'https, 500 connections', isSecure: true, keepsAlive: true, requests: 10_000, connections: 500 },
  { load: 'https, a connection each', isSecure: true, keepsAlive: false, requests: 400, connections: 8 },
  { load: 'http, 500 connections', isSecure: false, keepsAlive: true, requests: 10_000, connections: 500 },
  { load: 'http, 500 at once, a connection each', isSecure: false, keepsAlive: false, requests: 1000, connections: 500 },
];

const request = Buffer.from(`GET / HTTP/1.1\r\nHost: ${name}\r\n\r\n`);
const lastRequest = Buffer.from(`GET / HTTP/1.1\r\nHost: ${name}\r\nConnection: close\r\n\r\n`);

/** As little client as there can be, so that the servers are what is measured. @returns requests per second */
async function drive(host: string, port: number, { isSecure, keepsAlive, requests, connections }: Load): Promise<number> {
  let left = requests;
  const open = async (): Promise<net.Socket> => {
    const socket = isSecure
      ? tls.connect({ host, port, servername: name, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] })
      : net.connect({ host, port });
    await once(socket, isSecure ? 'secureConnect' : 'connect');
    return socket;
  };
  const ask = async (socket: net.Socket, bytes: Buffer): Promise<void> => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    let seen = '';
    const onData = (chunk: Buffer): void => {
      seen += chunk.toString('latin1');
      const head = seen.indexOf('\r\n\r\n');
      if (head >= 0 && seen.length >= head + 4 + answer.length) resolve();
    };
    socket.on('data', onData).once('error', reject).once('close', reject);
    socket.write(bytes);
    await promise;
    socket.off('data', onData).off('error', reject).off('close', reject);
    if (!seen.startsWith('HTTP/1.1 200')) throw new Error(seen);
  };
  const worker = async (): Promise<void> => {
    let socket: net.Socket | undefined;
    while (left-- > 0) {
      socket ??= await open();
      await ask(socket, keepsAlive ? request : lastRequest);
      if (keepsAlive) continue;
      socket.destroy();
      socket = undefined;
    }
    socket?.destroy();
  };
  const began = performance.now();
  await Promise.all(Array.from({ length: connections }, worker));
  return (requests / (performance.now() - began)) * 1000;
}

export interface EgressRow {
  readonly load: string;
  /** Median over the rounds, microseconds of the server's CPU for each request. */
  readonly bareCpu: number;
  readonly egressCpu: number;
  readonly cpuRatio: number;
  /** Median requests per second, client included. */
  readonly barePerSecond: number;
  readonly egressPerSecond: number;
  readonly socatPerSecond: number | undefined;
}

export async function benchEgress(rounds = 3): Promise<EgressRow[]> {
  const parts = { bare: await start('bare'), egress: await start('egress') };
  const bridge = await socatBridge(parts.bare.plain);
  const rows: EgressRow[] = [];
  try {
    for (const load of loads) {
      const cpu = { bare: [] as number[], egress: [] as number[] };
      const rate = { bare: [] as number[], egress: [] as number[], socat: [] as number[] };
      for (let round = -1; round < rounds; round++) {
        for (const which of ['bare', 'egress'] as const) {
          const part = parts[which];
          const before = await part.cpuMicroseconds();
          const perSecond = await drive(part.address, load.isSecure ? part.secure : part.plain, load);
          if (round < 0) continue;
          cpu[which].push(((await part.cpuMicroseconds()) - before) / load.requests);
          rate[which].push(perSecond);
        }
        if (bridge && !load.isSecure) {
          const perSecond = await drive('127.0.0.1', bridge.port, load);
          if (round >= 0) rate.socat.push(perSecond);
        }
      }
      rows.push({
        load: load.load,
        bareCpu: Math.round(median(cpu.bare)),
        egressCpu: Math.round(median(cpu.egress)),
        cpuRatio: Math.round((median(cpu.egress) / median(cpu.bare)) * 100) / 100,
        barePerSecond: Math.round(median(rate.bare)),
        egressPerSecond: Math.round(median(rate.egress)),
        socatPerSecond: rate.socat.length === 0 ? undefined : Math.round(median(rate.socat)),
      });
    }
    return rows;
  } finally {
    bridge?.stop();
    parts.bare.stop();
    parts.egress.stop();
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const role = process.argv[2];
  if (role === 'bare' || role === 'egress') await serve(role);
  else console.table(await benchEgress());
}
