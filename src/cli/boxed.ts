// What `attest` and `audit --probe` share: a program in a box whose only way out leads to a rehearsal model, and nobody else at home.
// Joins the sandbox, the egress and the test kit's model.
import type dgram from 'node:dgram';
import http from 'node:http';
import net from 'node:net';
import type { Readable } from 'node:stream';
import { type ExchangeHead, type ExchangeReply, IntramurError } from '../core/index.ts';
import type { Egress } from '../egress/index.ts';
import { type LaunchPlan, type Listeners, launch } from '../sandbox/index.ts';

export const boxPorts = { gatewayPort: 4180, proxyPort: 3128 } as const;
export const boxLimits = { pids: 4096, fileBytes: 2 ** 32, tmpfsBytes: 2 ** 30 } as const;

/** Nothing of the program reaches our own output, and it has no input. */
export function quiet(program: string, args: readonly string[]): string[] {
  return ['/bin/sh', '-c', 'exec "$0" "$@" </dev/null >/dev/null 2>&1', program, ...args];
}

export interface BoxHooks {
  /** Called for each connection; has to call `take`. */
  connected?(take: () => void): void;
  /** A name that was asked for over UDP. */
  lookedUp?(query: Buffer): void;
}

/** Runs the program to its end; one that hangs is ended after `limitMs`. The egress is closed afterwards, come what may. */
export async function runInBox(plan: LaunchPlan, egress: Egress, limitMs: number, hooks: BoxHooks = {}): Promise<void> {
  const servers: net.Server[] = [];
  const sockets: dgram.Socket[] = [];
  const listening = ({ tcp, dns, dnsElsewhere }: Listeners): void => {
    for (const { role, port, handle } of tcp) {
      const server = net.createServer({ allowHalfOpen: true }, (socket) => {
        if (role === 'dns-tcp') return egress.dnsTcp(socket);
        const take = (): void => egress.accept(socket, role, port);
        if (hooks.connected) hooks.connected(take);
        else take();
      });
      server.listen(handle);
      servers.push(server);
    }
    dns.on('message', (query, from) => {
      hooks.lookedUp?.(query);
      const answer = egress.answerDns(query, 'udp', true);
      if (answer) dns.send(answer, from.port, from.address);
    });
    sockets.push(dns, ...dnsElsewhere);
  };
  try {
    const launched = await launch(plan, { listening });
    const timer = setTimeout(launched.kill, limitMs);
    await launched.exited.finally(() => clearTimeout(timer));
  } finally {
    for (const server of servers) server.close();
    for (const socket of sockets) socket.close();
    await egress.close();
  }
}

/** Silence would make an agent wait: whoever asks for something besides the model gets an empty answer. */
export function nobodyHome({ method }: ExchangeHead): ExchangeReply {
  const rawHeaders = ['content-type', 'application/json'];
  return method === 'POST'
    ? { status: 200, rawHeaders, body: Buffer.from('{}') }
    : { status: 404, rawHeaders, body: Buffer.from('{"error":"not found"}') };
}

/** Passes a model call on to a port on loopback. */
export async function askModel(port: number, { method, target, rawHeaders }: ExchangeHead, body: Buffer): Promise<ExchangeReply> {
  const kept = without(rawHeaders, /^(?:host|content-length|transfer-encoding)$/i);
  const headers = [...kept, 'host', `127.0.0.1:${port}`, 'content-length', String(body.length)];
  const { promise, resolve, reject } = Promise.withResolvers<http.IncomingMessage>();
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

/** Far above what any agent sends at once; below what would fill our memory. */
const maxBodyBytes = 64 << 20;

/** @throws IntramurError INSPECT_LIMIT for a body that is larger than we hold */
export async function readAll(body: Readable): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of body) {
    const bytes = Buffer.from(part);
    length += bytes.length;
    if (length > maxBodyBytes) throw new IntramurError('INSPECT_LIMIT', `a request of more than ${maxBodyBytes >> 20} MiB`);
    parts.push(bytes);
  }
  return Buffer.concat(parts);
}

function without(rawHeaders: readonly string[], names: RegExp): string[] {
  return rawHeaders.flatMap((text, i) => (i % 2 === 0 && !names.test(text) ? [text, rawHeaders[i + 1] ?? ''] : []));
}
