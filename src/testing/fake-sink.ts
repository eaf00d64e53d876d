// A server of any kind that only takes down what reaches it: stands for an outside host that must never be reached, or for an
// allowed one whose traffic a test wants to see.
import http from 'node:http';
import https from 'node:https';
import net, { type AddressInfo } from 'node:net';
import tls from 'node:tls';
import type { Recorded } from './fake-upstream.ts';

export interface FakeSinkOptions {
  /** `http` answers 200; `tcp` keeps the bytes and answers nothing. */
  readonly protocol: 'tcp' | 'http';
  readonly tls?: { readonly key: string | Buffer; readonly cert: string | Buffer };
  readonly port?: number;
  readonly host?: string;
  /** What `http` answers with; default `rehearsal sink`. */
  readonly body?: string;
}

export interface FakeSink {
  readonly url: string;
  readonly port: number;
  /** Connections that were opened, whatever came of them. */
  readonly connections: number;
  /** HTTP requests (`http`). */
  readonly requests: readonly Recorded[];
  /** All bytes of all connections (`tcp`). */
  readonly bytes: Buffer;
  close(): Promise<void>;
}

export async function startFakeSink(options: FakeSinkOptions): Promise<FakeSink> {
  const requests: Recorded[] = [];
  const chunks: Buffer[] = [];
  const sockets = new Set<net.Socket>();
  let connections = 0;
  const server = createServer(options, requests, chunks);
  server.on('connection', (socket: net.Socket) => {
    connections++;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  const host = options.host ?? '127.0.0.1';
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  const scheme = options.protocol === 'http' ? (options.tls ? 'https' : 'http') : options.tls ? 'tls' : 'tcp';
  return {
    url: `${scheme}://${host}:${port}`,
    port,
    requests,
    get connections() {
      return connections;
    },
    get bytes() {
      return Buffer.concat(chunks);
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

function createServer(options: FakeSinkOptions, requests: Recorded[], chunks: Buffer[]): net.Server {
  if (options.protocol === 'tcp') {
    const onSocket = (socket: net.Socket): void => {
      socket.on('error', () => {});
      socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    };
    return options.tls ? tls.createServer({ ...options.tls }, onSocket) : net.createServer(onSocket);
  }
  const onRequest = (request: http.IncomingMessage, response: http.ServerResponse): void => {
    const parts: Buffer[] = [];
    request.on('error', () => {});
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const { method = '', url = '', rawHeaders } = request;
      requests.push({ method, path: url, rawHeaders, body: Buffer.concat(parts), time: Date.now() });
      response.writeHead(200, { 'content-type': 'text/plain', server: 'intramur-rehearsal' }).end(options.body ?? 'rehearsal sink\n');
    });
  };
  return options.tls ? https.createServer({ ...options.tls }, onRequest) : http.createServer(onRequest);
}
