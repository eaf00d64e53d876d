// One run of an agent in the sandbox with no way out but to a rehearsal model that asks for one act after another. Joins the sandbox, the
// egress and the test kit's model.
import type dgram from 'node:dgram';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import type { Readable } from 'node:stream';
import type { ExchangeHead, ExchangeReply } from '../../core/index.ts';
import { type Authority, createAuthority, createEgress, type Egress, makeAuthority, trustEnv } from '../../egress/index.ts';
import { discardLayer, type LaunchPlan, type Listeners, launch, type ResolvedProgram, readLayer, trustPaths } from '../../sandbox/index.ts';
import { type Act, startFakeUpstream } from '../../testing/index.ts';
import { detectCall } from '../../wire/index.ts';
import { searchPath } from '../run/environment.ts';
import { modelHost } from './launched.ts';
import type { Staged } from './stage.ts';

export interface BoxedRun {
  readonly program: ResolvedProgram;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly files: readonly { readonly path: string; readonly text: string }[];
  readonly workspace: string;
  readonly home: string;
  readonly staged: Staged;
  /** What the rehearsal model asks for, one act a turn. */
  readonly acts: readonly Act[];
  /** An empty directory of our own, on a disk that can hold layers. */
  readonly directory: string;
  readonly cacheDir: string;
}

export interface BoxedEnd {
  /** All that the agent told its model before each turn; as long as the agent asked for turns. */
  readonly told: readonly string[];
  /** Text of a file in the layer, by its path relative to the workspace. */
  written(file: string): string;
  close(): void;
}

const [gatewayPort, proxyPort] = [4180, 3128];
const runLimitMs = 90_000;

export async function runBoxed(run: BoxedRun): Promise<BoxedEnd> {
  const told: string[] = [];
  const upstream = await startFakeUpstream({
    script(request) {
      // Titles and summaries are asked for without tools.
      if (request.tools.length === 0) return { text: 'Rehearsal' };
      told[request.turn] = request.text;
      const act = run.acts[request.turn];
      return act === undefined ? { text: 'That is all.' } : { text: `Step ${request.turn + 1}.`, acts: [act] };
    },
  });
  const upper = path.join(run.directory, 'upper');
  for (const { path: name, text } of run.staged.workspaceFiles) {
    const file = path.join(upper, name);
    fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    fs.writeFileSync(file, text);
  }
  fs.mkdirSync(upper, { recursive: true, mode: 0o700 });
  const authority = createAuthority(makeAuthority(new Date()));
  const egress = createEgress({
    authority,
    gatewayHosts: [],
    connect: async () => ({ effect: 'deny', reason: 'a probe has no way out' }),
    forward: async (head, body) => (isModelCall(head) ? await ask(upstream.port, head, await readAll(body)) : aside(head, body)),
  });
  const server = serve(egress);
  try {
    const launched = await launch(planFor(run, authority), { listening: server.adopt });
    const timer = setTimeout(launched.kill, runLimitMs);
    await launched.exited.finally(() => clearTimeout(timer));
  } finally {
    server.close();
    await egress.close();
    await upstream.close();
  }
  return {
    told,
    written(name) {
      const file = path.join(upper, name);
      return fs.lstatSync(file, { throwIfNoEntry: false })?.isFile() ? fs.readFileSync(file, 'utf8') : '';
    },
    close() {
      const layer = readLayer(run.directory);
      if (layer) discardLayer(layer);
    },
  };
}

function planFor({ program, args, env, files, workspace, home, staged, directory, cacheDir }: BoxedRun, authority: Authority): LaunchPlan {
  const bin = path.posix.join(home, '.local/bin');
  return {
    // Nothing of the program reaches our own output, and it has no input.
    argv: ['/bin/sh', '-c', 'exec "$0" "$@" </dev/null >/dev/null 2>&1', program.path, ...args],
    workspace,
    cwd: workspace,
    mode: 'overlay',
    env: {
      TERM: 'dumb',
      LANG: 'C.UTF-8',
      HOME: home,
      USER: 'user',
      LOGNAME: 'user',
      SHELL: '/bin/bash',
      TMPDIR: '/tmp',
      PATH: `${staged.programs}:${searchPath(program)}:${bin}`,
      ...trustEnv(trustPaths.ca, trustPaths.bundle),
      ...env,
    },
    home,
    homeFiles: [...staged.homeFiles, ...files],
    readOnly: [...program.trees, staged.programs, ...staged.system],
    caPem: authority.pem,
    javaStore: authority.javaStore,
    ports: [80, 443],
    proxyPort,
    gatewayPort,
    overlay: { upper: path.join(directory, 'upper'), work: path.join(directory, 'work') },
    limits: { pids: 4096, fileBytes: 2 ** 32, tmpfsBytes: 2 ** 30 },
    cacheDir,
    hostName: 'probe',
    userName: 'user',
  };
}

/** Wherever the agent's own settings send it: a model call is a model call. */
function isModelCall(head: ExchangeHead): boolean {
  const { kind } = detectCall(head, head.host === modelHost ? 'gateway' : 'vendor');
  return kind !== 'unknown' || detectCall(head, 'gateway').kind === 'invoke';
}

/** Silence would make an agent wait: whoever asks for something besides the model gets an empty answer. */
function aside({ method }: ExchangeHead, body: Readable): ExchangeReply {
  body.resume();
  const rawHeaders = ['content-type', 'application/json'];
  return method === 'POST'
    ? { status: 200, rawHeaders, body: Buffer.from('{}') }
    : { status: 404, rawHeaders, body: Buffer.from('{"error":"not found"}') };
}

async function ask(port: number, { method, target, rawHeaders }: ExchangeHead, body: Buffer): Promise<ExchangeReply> {
  const kept = without(rawHeaders, /^(?:host|content-length|transfer-encoding)$/i);
  const { promise, resolve, reject } = Promise.withResolvers<http.IncomingMessage>();
  const headers = [...kept, 'host', `127.0.0.1:${port}`, 'content-length', String(body.length)];
  const request = http.request({ host: '127.0.0.1', port, method, path: target, agent: false, headers });
  request.once('response', resolve);
  request.once('error', reject);
  request.end(body);
  const response = await promise;
  return {
    status: response.statusCode ?? 502,
    rawHeaders: without(response.rawHeaders, /^(?:connection|keep-alive|transfer-encoding)$/i),
    body: response,
  };
}

function without(rawHeaders: readonly string[], names: RegExp): string[] {
  return rawHeaders.flatMap((text, i) => (i % 2 === 0 && !names.test(text) ? [text, rawHeaders[i + 1] ?? ''] : []));
}

async function readAll(body: Readable): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of body) parts.push(Buffer.from(part));
  return Buffer.concat(parts);
}

function serve(egress: Egress): { adopt(listeners: Listeners): void; close(): void } {
  const servers: net.Server[] = [];
  const sockets: dgram.Socket[] = [];
  return {
    adopt({ tcp, dns, dnsElsewhere }) {
      for (const { role, port, handle } of tcp) {
        const server = net.createServer({ allowHalfOpen: true }, (socket) =>
          role === 'dns-tcp' ? egress.dnsTcp(socket) : egress.accept(socket, role, port),
        );
        server.listen(handle);
        servers.push(server);
      }
      dns.on('message', (query, from) => {
        const answer = egress.answerDns(query, 'udp', true);
        if (answer) dns.send(answer, from.port, from.address);
      });
      sockets.push(dns, ...dnsElsewhere);
    },
    close() {
      for (const server of servers) server.close();
      for (const socket of sockets.splice(0)) socket.close();
    },
  };
}
