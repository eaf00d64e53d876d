// The client and a daemon that is there but does not answer, as one does that was stopped (SIGSTOP) or hangs.
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ExchangeHead } from '../core/index.ts';
import { createClient, type DaemonClient } from './client.ts';
import { describedHeader, encode, type OpenReply } from './protocol.ts';

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
const session: OpenReply = {
  session: 's',
  token: 't',
  purpose: 'research',
  classification: 'internal',
  placeholders: {},
  hasModels: false,
  ports: [],
  firstPerimeter: undefined,
};
const signal = new AbortController().signal;

let dir = '';
let server: http.Server;
let client: DaemonClient;
/** What the daemon does with a call that is no question for its status. */
let onCall: http.RequestListener;
let isHung = false;

beforeEach(async () => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'client-'));
  isHung = false;
  server = http.createServer((request, response) => {
    if (isHung) return;
    if (request.url === '/status') response.end('{}');
    else onCall(request, response);
  });
  server.on('connect', () => {});
  const socket = path.join(dir, 'd.sock');
  await new Promise<void>((resolve) => server.listen(socket, () => resolve()));
  client = createClient(socket, { askEveryMs: 20, silenceMs: 60 });
});
afterEach(() => {
  client.release();
  server.closeAllConnections();
  server.close();
  fs.rmSync(dir, { recursive: true, force: true });
});

const calls: [string, () => Promise<unknown>][] = [
  ['an exchange', () => client.forward('t', head, Readable.from([]), signal)],
  ['an exchange whose body is still coming', () => client.forward('t', head, new Readable({ read() {} }), signal)],
  ['a connection', () => client.connect({ token: 't', attempt: { host: 'a.example', port: 22, protocol: 'ssh', isDirect: false } })],
  ['the end of a session', () => client.close(session, { exitCode: 0 })],
  ['the status', () => client.status()],
];

describe('a daemon that hangs', () => {
  it.each(calls)('ends %s', async (_name, call) => {
    isHung = true;
    await expect(call()).rejects.toMatchObject({ code: 'DAEMON_UNREACHABLE' });
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

it('a daemon that is alive may take its time', async () => {
  onCall = (_request, response) => {
    setTimeout(() => response.writeHead(200, { [describedHeader]: encode({ status: 204, rawHeaders: [] }) }).end(), 300);
  };
  expect(await client.forward('t', head, Readable.from([]), signal)).toMatchObject({ status: 204 });
});
