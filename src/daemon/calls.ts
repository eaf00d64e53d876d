// The calls of the daemon's socket that are HTTP: exchanges, connections, and the command line's questions. Loaded with the first of them.
import http from 'node:http';
import type { Readable } from 'node:stream';
import type { ExchangeHead, ExchangeReply } from '../core/index.ts';
import type { Connection } from './client.ts';
import { faultFrom, unreachable } from './fault.ts';
import { type DescribedConnect, decode, describedHeader, encode, maxHeaderBytes } from './protocol.ts';
import type { Watch } from './watch.ts';

export interface Calls {
  call(method: string, path: string, body?: unknown): Promise<unknown>;
  forward(token: string, head: ExchangeHead, body: Readable, signal: AbortSignal): Promise<ExchangeReply>;
  connect(described: DescribedConnect): Promise<Connection>;
  release(): void;
}

export function createCalls(socketPath: string, watch: Watch): Calls {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1024 });
  const base = { socketPath, agent, maxHeaderSize: maxHeaderBytes } as const;

  function request(options: http.RequestOptions): http.ClientRequest {
    const outgoing = http.request({ ...base, ...options });
    watch.add(outgoing);
    outgoing.once('close', () => watch.remove(outgoing));
    return outgoing;
  }

  return {
    async call(method, path, body) {
      const { promise, resolve, reject } = Promise.withResolvers<unknown>();
      const text = body === undefined ? '' : JSON.stringify(body);
      const outgoing = request({ method, path, headers: { 'content-length': Buffer.byteLength(text) } });
      outgoing.on('error', (cause) => reject(unreachable(cause)));
      outgoing.on('response', (response) => {
        readText(response).then(
          (answer) => {
            if (response.statusCode === 200) resolve(answer === '' ? undefined : JSON.parse(answer));
            else reject(faultFrom(answer));
          },
          (cause: Error) => reject(unreachable(cause)),
        );
      });
      outgoing.end(text);
      return await promise;
    },

    async forward(token, head, body, signal) {
      const { promise, resolve, reject } = Promise.withResolvers<ExchangeReply>();
      const outgoing = request({
        method: 'POST',
        path: '/exchange',
        signal,
        headers: { [describedHeader]: encode({ token, head }), 'transfer-encoding': 'chunked' },
      });
      outgoing.on('error', (cause) => reject(unreachable(cause)));
      outgoing.on('response', (response) => {
        const described = response.headers[describedHeader];
        if (response.statusCode !== 200 || typeof described !== 'string') {
          readText(response).then((text) => reject(faultFrom(text)), reject);
          return;
        }
        const { status, rawHeaders } = decode(described) as { status: number; rawHeaders: string[] };
        resolve({ status, rawHeaders, body: response });
      });
      body.on('error', (error) => outgoing.destroy(error));
      body.pipe(outgoing);
      return await promise;
    },

    async connect(described) {
      const { promise, resolve, reject } = Promise.withResolvers<Connection>();
      const outgoing = request({ method: 'CONNECT', path: 'session', agent: false, headers: { [describedHeader]: encode(described) } });
      outgoing.on('error', (cause) => reject(unreachable(cause)));
      outgoing.on('connect', (response, stream, head) => {
        watch.remove(outgoing);
        if (response.statusCode !== 200) {
          stream.destroy();
          resolve({ effect: 'deny', reason: String(decode(String(response.headers['intramur-reason']))) });
          return;
        }
        if (head.length > 0) stream.unshift(head);
        resolve({ effect: 'allow', stream });
      });
      outgoing.end();
      return await promise;
    },

    release: () => agent.destroy(),
  };
}

async function readText(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
