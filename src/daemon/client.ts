// The client of the daemon's socket, used by the launcher and the command line. It loads nothing but node:http, because the
// launcher's start-up is on the user's critical path.
import http from 'node:http';
import type { Duplex, Readable } from 'node:stream';
import { type Code, type ExchangeHead, type ExchangeReply, faults, IntramurError } from '../core/index.ts';
import {
  type CloseRequest,
  type ControlFault,
  type DaemonStatus,
  type DescribedConnect,
  decode,
  describedHeader,
  encode,
  type OpenReply,
  type OpenRequest,
  paths,
  type StateReply,
  type StateRequest,
  type Summary,
} from './protocol.ts';

/** Room for an agent's own headers (Node's limit is 16 KiB) after encoding. */
export const maxHeaderBytes = 256 * 1024;

/**
 * How often a daemon that is waited for is asked whether it is still there, and how long it may take to say so. Longer than the
 * longest look at one payload, during which it answers nobody.
 */
export interface Patience {
  readonly askEveryMs: number;
  readonly silenceMs: number;
}

const patience: Patience = { askEveryMs: 5_000, silenceMs: 15_000 };

export interface DaemonClient {
  status(): Promise<DaemonStatus>;
  stop(): Promise<void>;
  /**
   * Opens a session and ties its life to this process: the daemon ends it when this answer's connection closes.
   * @param onEnd called once: with the reason when the daemon halted the session, with `undefined` when the daemon went away
   */
  open(request: OpenRequest, onEnd: (reason: string | undefined) => void): Promise<OpenReply>;
  forward(token: string, head: ExchangeHead, body: Readable, signal: AbortSignal): Promise<ExchangeReply>;
  connect(described: DescribedConnect): Promise<{ effect: 'allow'; stream: Duplex } | { effect: 'deny'; reason: string }>;
  /** What `agents ban|vet|pin` says of a tool; in force when this returns. */
  state(request: StateRequest): Promise<StateReply>;
  close(session: OpenReply, request: CloseRequest): Promise<Summary>;
  /** Lets go of idle connections, so that the process can end. */
  release(): void;
}

export function createClient(socketPath: string, { askEveryMs, silenceMs }: Patience = patience): DaemonClient {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1024 });
  const base = { socketPath, agent, maxHeaderSize: maxHeaderBytes } as const;
  let held: http.ClientRequest | undefined;

  const waiting = new Set<http.ClientRequest>();
  let asking: NodeJS.Timeout | undefined;

  /** INVARIANT: a daemon that hangs is a daemon that is gone: whoever waits for it is told so in bounded time. */
  function request(options: http.RequestOptions): http.ClientRequest {
    const outgoing = http.request({ ...base, ...options });
    waiting.add(outgoing);
    outgoing.once('close', () => settled(outgoing));
    asking ??= setInterval(ask, askEveryMs).unref();
    return outgoing;
  }

  function settled(outgoing: http.ClientRequest): void {
    waiting.delete(outgoing);
    if (waiting.size > 0) return;
    clearInterval(asking);
    asking = undefined;
  }

  function ask(): void {
    const those = [...waiting];
    const question = http.get({ socketPath, path: paths.status, agent: false }, (response) => {
      clearTimeout(limit);
      response.resume();
    });
    question.on('error', () => {}); // a daemon that is gone closes the others' connections too
    const limit = setTimeout(() => {
      question.destroy();
      for (const outgoing of those) if (waiting.has(outgoing)) outgoing.destroy(new Error('it does not answer'));
    }, silenceMs).unref();
    question.once('close', () => clearTimeout(limit));
  }

  async function call(method: string, path: string, body?: unknown): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const text = body === undefined ? '' : JSON.stringify(body);
    const outgoing = request({ method, path, headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) } });
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
  }

  return {
    status: async () => (await call('GET', paths.status)) as DaemonStatus,
    stop: async () => void (await call('POST', paths.stop)),
    state: async (body) => (await call('POST', paths.agents, body)) as StateReply,
    close: async ({ session, token }, body) => (await call('POST', `${paths.sessions}/${session}/close`, { token, ...body })) as Summary,

    async open(body, onEnd) {
      const { promise, resolve, reject } = Promise.withResolvers<OpenReply>();
      const outgoing = request({ method: 'POST', path: paths.sessions, agent: false });
      held = outgoing;
      outgoing.on('error', (cause) => reject(unreachable(cause)));
      outgoing.on('response', (response) => {
        if (response.statusCode !== 200) return void readText(response).then((text) => reject(faultFrom(text)), reject);
        let said = '';
        let isOpen = false;
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          said += chunk;
          const end = said.indexOf('\n');
          if (isOpen || end < 0) return;
          isOpen = true;
          settled(outgoing);
          resolve(JSON.parse(said.slice(0, end)) as OpenReply);
          said = said.slice(end + 1);
          // From here on the program inside keeps this process alive, not the connection.
          response.socket.unref();
        });
        response.on('error', () => {});
        response.on('close', () => {
          if (isOpen) onEnd(said.trim() || undefined);
          else reject(unreachable(new Error('the connection ended early')));
        });
      });
      outgoing.end(JSON.stringify(body));
      return await promise;
    },

    async forward(token, head, body, signal) {
      const { promise, resolve, reject } = Promise.withResolvers<ExchangeReply>();
      const outgoing = request({
        method: 'POST',
        path: paths.exchange,
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
      const { promise, resolve, reject } = Promise.withResolvers<Awaited<ReturnType<DaemonClient['connect']>>>();
      const outgoing = request({ method: 'CONNECT', path: 'session', agent: false, headers: { [describedHeader]: encode(described) } });
      outgoing.on('error', (cause) => reject(unreachable(cause)));
      outgoing.on('connect', (response, stream, head) => {
        settled(outgoing);
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

    release() {
      held?.destroy();
      agent.destroy();
    },
  };
}

function unreachable(cause: Error): IntramurError {
  return new IntramurError('DAEMON_UNREACHABLE', `the daemon could not be reached: ${cause.message}`, { cause });
}

function faultFrom(text: string): IntramurError {
  try {
    const { code, message, hint } = JSON.parse(text) as ControlFault;
    if (code in faults) return new IntramurError(code satisfies Code, message, hint === undefined ? {} : { hint });
  } catch {
    // Not one of our faults: said below.
  }
  return new IntramurError('INTERNAL', `the daemon answered in a form that is not its own: ${text.slice(0, 200)}`);
}

async function readText(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
