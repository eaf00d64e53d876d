// The client and a daemon that is there but does not answer, as one does that was stopped (SIGSTOP) or hangs.
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { type Duplex, Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ExchangeHead } from '../core/index.ts';
import { createClient, type DaemonClient } from './client.ts';
import { isOutOfReach, unreachable } from './fault.ts';
import { readLines, sendLine } from './lines.ts';
import { describedHeader, encode, type OpenReply, type OpenRequest } from './protocol.ts';

const head: ExchangeHead = {
  scheme: 'http',
  host: 'a.example',
  port: 80,
  isDirect: false,
  via: 'transparent',
  method: 'GET',
  target: '/',
  httpVersion: '1.1',
  rawHeaders: [],
};
const reply: OpenReply = {
  session: 's',
  token: 't',
  purpose: 'research',
  classification: 'internal',
  placeholders: {},
  authority: { pem: '', javaStore: '', key: '', name: '', fromMs: 0 },
  hasModels: false,
  usesLogin: true,
  ports: [],
  firstPerimeter: undefined,
};
const opening: OpenRequest = { agent: 'a', program: '/a', user: 'u', workspace: '/w', allow: [], credentials: [], sandbox: {} };
const signal = new AbortController().signal;

let dir = '';
let server: http.Server;
let held: Duplex | undefined;
let client: DaemonClient;
/** What the daemon does with a call that is no question for its status. */
let onCall: http.RequestListener;
let isHung = false;
/** What the daemon says on a session's connection, in answer to each line. */
let onLine: (stream: Duplex, value: unknown) => void;

beforeEach(async () => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'client-'));
  isHung = false;
  server = http.createServer((request, response) => {
    if (isHung) return;
    if (request.url === '/status') response.end('{}');
    else onCall(request, response);
  });
  server.on('connect', () => {});
  onLine = (stream) => sendLine(stream, { opened: reply });
  server.on('upgrade', (_request, stream, head) => {
    if (isHung) return;
    stream.write('HTTP/1.1 101 Switching Protocols\r\n\r\n');
    readLines(stream, head, (value) => !isHung && onLine(stream, value));
    stream.on('error', () => {});
    held = stream;
  });
  const socket = path.join(dir, 'd.sock');
  await new Promise<void>((resolve) => server.listen(socket, () => resolve()));
  client = createClient(socket, { askEveryMs: 20, silenceMs: 60 });
});
afterEach(() => {
  client.release();
  held?.destroy();
  server.closeAllConnections();
  server.close();
  fs.rmSync(dir, { recursive: true, force: true });
});

const calls: [string, () => Promise<unknown>][] = [
  ['an exchange', () => client.forward('t', head, Readable.from([]), signal)],
  ['an exchange whose body is still coming', () => client.forward('t', head, new Readable({ read() {} }), signal)],
  ['a connection', () => client.connect({ token: 't', attempt: { host: 'a.example', port: 22, protocol: 'ssh', isDirect: false } })],
  ['the opening of a session', () => client.open(opening, () => {})],
  ['the status', () => client.status()],
];

describe('a daemon that hangs', () => {
  it.each(calls)('ends %s', async (_name, call) => {
    isHung = true;
    await expect(call()).rejects.toMatchObject({ code: 'DAEMON_UNREACHABLE' });
  });

  it('ends the end of a session', async () => {
    const onEnd = vi.fn();
    await client.open(opening, onEnd);
    isHung = true;
    await expect(client.close({ exitCode: 0 })).rejects.toMatchObject({ code: 'DAEMON_UNREACHABLE' });
    expect(onEnd.mock.calls).toEqual([[undefined]]);
  });

  it('in the middle of an answer breaks it off', async () => {
    onCall = (_request, response) => {
      response.writeHead(200, { [describedHeader]: encode({ status: 200, rawHeaders: [] }) }).write('half');
      isHung = true;
    };
    const { body } = await client.forward('t', head, Readable.from([]), signal);
    await expect((async () => body instanceof Readable && (await body.toArray()))()).rejects.toThrow();
  });
});

it.each([
  ['ECONNREFUSED', { isOutOfReach: false, hint: 'intramur up' }],
  ['EACCES', { isOutOfReach: true, hint: 'it belongs to whoever has started it' }],
])('a socket that cannot be opened (%s) says whether a daemon may be there', (code, expected) => {
  const fault = unreachable(Object.assign(new Error(`connect ${code}`), { code }));
  expect({ isOutOfReach: isOutOfReach(fault), hint: fault.hint }).toEqual(expected);
});

it('a daemon that is alive may take its time', async () => {
  onCall = (_request, response) => {
    setTimeout(() => response.writeHead(200, { [describedHeader]: encode({ status: 204, rawHeaders: [] }) }).end(), 300);
  };
  expect(await client.forward('t', head, Readable.from([]), signal)).toMatchObject({ status: 204 });
});

describe('a session', () => {
  it('is told why it was halted, and has no summary then', async () => {
    const ended = Promise.withResolvers<string | undefined>();
    await client.open(opening, ended.resolve);
    if (held) sendLine(held, { halted: 'by hand' });
    held?.end();
    expect(await ended.promise).toBe('by hand');
    await expect(client.close({ exitCode: 0 })).rejects.toMatchObject({ code: 'SESSION_HALTED', message: 'by hand' });
  });

  it('that is refused says the daemon’s own words', async () => {
    onLine = (stream) => {
      sendLine(stream, { fault: { code: 'SESSION_HALTED', message: 'the tool "a" is banned' } });
      stream.end();
    };
    await expect(client.open(opening, () => {})).rejects.toMatchObject({ code: 'SESSION_HALTED', message: 'the tool "a" is banned' });
  });

  it.each([
    ['bytes that are no message', 'nonsense\n'],
    ['a message without an end', 'x'.repeat(5 * 1024 * 1024)],
  ])('with %s is no session', async (_name, text) => {
    onLine = (stream) => stream.write(text);
    await expect(client.open(opening, () => {})).rejects.toMatchObject({ code: 'DAEMON_UNREACHABLE' });
  });

  it('at a daemon of another version is refused with what to do', async () => {
    server.removeAllListeners('upgrade');
    onCall = (_request, response) => response.writeHead(404).end();
    await expect(client.open(opening, () => {})).rejects.toMatchObject({ code: 'USAGE', hint: 'intramur down' });
  });
});
