// Test rig: an egress on loopback as a sandbox would see it. Synthetic addresses are loopback addresses, so that real programs can
// dial them; what AnyIP makes possible inside (dialling any address) is played by telling the egress another dialled address.
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http2, { type ClientHttp2Session } from 'node:http2';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Readable } from 'node:stream';
import type { ExchangeHead, ExchangeReply } from '../core/index.ts';
import {
  type Attempt,
  type Authority,
  type Connect,
  createAuthority,
  createEgress,
  type Egress,
  type Limits,
  makeAuthority,
  type Role,
} from './index.ts';

export interface Rig {
  readonly egress: Egress;
  readonly authority: Authority;
  readonly caPath: string;
  readonly heads: ExchangeHead[];
  readonly bodies: Buffer[];
  readonly attempts: Attempt[];
  /** Reasons of what egress itself refused. */
  refusals(): string[];
  /**
   * A listener that stands for port `port` inside.
   * @param dialled what the program is taken to have dialled; default: what it really did
   */
  listen(role: Role, port: number, dialled?: string): Promise<number>;
  /** The address of a name, asked as DNS. */
  resolve(name: string): string;
  /** Runs a program, its output as text. */
  run(command: string, args: readonly string[], env?: Record<string, string>): Promise<{ code: number; stdout: string; stderr: string }>;
  stop(): Promise<void>;
}

export interface RigOptions {
  readonly forward?: (head: ExchangeHead, body: Readable, signal: AbortSignal) => Promise<ExchangeReply>;
  readonly connect?: Connect;
  readonly limits?: Partial<Limits>;
  readonly gatewayHosts?: readonly string[];
}

export function text(status: number, body: string, headers: readonly string[] = []): ExchangeReply {
  return { status, rawHeaders: ['content-type', 'text/plain', ...headers], body: Buffer.from(body) };
}

export async function readAll(body: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of body) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

export function createRig({ forward, connect, limits, gatewayHosts = [] }: RigOptions = {}): Rig {
  const dir = mkdtempSync(path.join(tmpdir(), 'egress-'));
  const caPath = path.join(dir, 'ca.pem');
  const authority = createAuthority(makeAuthority(new Date()));
  writeFileSync(caPath, authority.pem);
  const heads: ExchangeHead[] = [];
  const bodies: Buffer[] = [];
  const attempts: Attempt[] = [];
  const servers: net.Server[] = [];
  const egress = createEgress({
    authority,
    gatewayHosts,
    async forward(head, body, signal) {
      heads.push(head);
      if (forward) return await forward(head, body, signal);
      bodies.push(await readAll(body));
      return text(200, `${head.method} ${head.scheme}://${head.host}:${head.port}${head.target}\n`);
    },
    async connect(attempt) {
      attempts.push(attempt);
      return connect ? await connect(attempt) : { effect: 'deny', reason: 'nothing is allowed in this test' };
    },
    ...(limits ? { limits } : {}),
  });
  let queryId = 0;
  return {
    egress,
    authority,
    caPath,
    heads,
    bodies,
    attempts,
    refusals: () => attempts.flatMap(({ detail }) => detail?.['refused'] ?? []),
    async listen(role, port, dialled) {
      const server = net.createServer((socket) => {
        if (dialled !== undefined) Object.defineProperty(socket, 'localAddress', { value: dialled });
        egress.accept(socket, role, port);
      });
      servers.push(server);
      await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
      return (server.address() as AddressInfo).port;
    },
    resolve(name) {
      queryId += 1;
      const reply = egress.answerDns(dnsQuery(name, 1, queryId), 'udp', true);
      return reply ? [...reply.subarray(-4)].join('.') : '';
    },
    run: (command, args, env = {}) => runProgram(command, args, { PATH: process.env['PATH'] ?? '', HOME: dir, ...env }),
    async stop() {
      await egress.close();
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

export function runProgram(
  command: string,
  args: readonly string[],
  env: Record<string, string>,
): Promise<{ code: number; stdout: string; stderr: string }> {
  const { promise, resolve } = Promise.withResolvers<{ code: number; stdout: string; stderr: string }>();
  execFile(command, args, { env, timeout: 20_000, maxBuffer: 32 * 1024 * 1024 }, (error, stdout, stderr) => {
    resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : 255, stdout, stderr });
  });
  return promise;
}

export function dnsQuery(name: string, type: number, id = 1, klass = 1): Buffer {
  const labels =
    name === '' ? [] : name.split('.').map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label, 'latin1')]));
  const tail = Buffer.from([0, type >> 8, type & 0xff, klass >> 8, klass & 0xff]);
  return Buffer.concat([Buffer.from([id >> 8, id & 0xff, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]), ...labels, tail]);
}

export interface Talk {
  /** Resolves once this text has come back. */
  until(text: string): Promise<void>;
  /** Everything that came back, when the other side has closed; an error stands at its end as `<CODE>`. */
  readonly ended: Promise<string>;
}

/**
 * Sends bytes to a port.
 * @param endsAfter the program closes once a whole reply with a length is there
 */
export function talk(port: number, bytes: string | Buffer, host = '127.0.0.1', endsAfter = false): Talk {
  const { promise, resolve } = Promise.withResolvers<string>();
  const awaited = new Map<string, () => void>();
  let seen = '';
  const socket = net.connect({ port, host, allowHalfOpen: true }, () => socket.write(bytes));
  socket.setEncoding('latin1');
  socket.setTimeout(10_000, () => socket.destroy(new Error('timeout')));
  socket.on('data', (chunk: string) => {
    seen += chunk;
    for (const [text, found] of awaited) if (seen.includes(text)) found();
    const length = /\r\ncontent-length: (\d+)\r\n/i.exec(seen)?.[1];
    if (endsAfter && length !== undefined && seen.length >= seen.indexOf('\r\n\r\n') + 4 + Number(length)) socket.end();
  });
  socket.on('end', () => socket.end());
  socket.on('error', (error: NodeJS.ErrnoException) => {
    seen += `<${error.code ?? error.message}>`;
  });
  socket.on('close', () => resolve(seen));
  return {
    until: (text) =>
      new Promise((found) => {
        if (seen.includes(text)) found();
        else awaited.set(text, found);
      }),
    ended: promise,
  };
}

/** As `talk`, when only the end is of interest. */
export async function exchangeBytes(port: number, bytes: string | Buffer, host = '127.0.0.1', endsAfter = false): Promise<string> {
  return await talk(port, bytes, host, endsAfter).ended;
}

/** Whether a program is installed here: tests that need it are skipped, by name, where it is not. */
export function has(program: string): boolean {
  return (process.env['PATH'] ?? '').split(path.delimiter).some((dir) => existsSync(path.join(dir, program)));
}

/** A ClientHello with these extensions, in one record. */
export function helloBytes(extensions: readonly (readonly [type: number, value: Buffer])[]): Buffer {
  const sized = (bytes: Buffer): Buffer => Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]);
  const list = extensions.map(([type, value]) => Buffer.concat([Buffer.from([type >> 8, type & 255]), sized(value)]));
  const body = Buffer.concat([Buffer.from([3, 3]), Buffer.alloc(32), Buffer.from([0, 0, 2, 0x13, 0x01, 1, 0]), sized(Buffer.concat(list))]);
  const message = Buffer.concat([Buffer.from([1, 0, body.length >> 8, body.length & 255]), body]);
  return Buffer.concat([Buffer.from([22, 3, 1]), sized(message)]);
}

/** An HTTP/2 client to what plays `name`:443. */
export function connectHttp2(rig: Rig, port: number, name: string): ClientHttp2Session {
  const session = http2.connect(`https://${name}`, { host: rig.resolve(name), port, ca: rig.authority.pem, servername: name });
  session.on('error', () => {});
  return session;
}
