// The daemon is killed while a program inside is being answered: what was under way breaks visibly, what comes next is refused, and the
// way out stays shut. Egress and the daemon's client are the real ones; the daemon is a process that can be killed at the right moment.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import http2 from 'node:http2';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createClient, type DaemonClient } from '../../src/daemon/index.ts';
import { createRig, exchangeBytes, type Rig, talk } from '../../src/egress/rig.ts';

/** Answers every exchange with the beginning of a stream and then waits. */
const daemon = `
const described = Buffer.from(JSON.stringify({ status: 200, rawHeaders: ['content-type', 'text/event-stream'] })).toString('base64url');
require('node:http').createServer((request, response) => {
  request.resume();
  response.writeHead(200, { 'intramur-described': described });
  response.write('data: begun\\n\\n');
}).on('connect', (request, socket) => {
  socket.write('HTTP/1.1 200 OK\\r\\n\\r\\nSSH-2.0-begun\\r\\n');
}).listen(process.argv[1], () => console.log('up'));
`;

let dir: string;
let child: ChildProcess;
let client: DaemonClient;
let rig: Rig;

beforeEach(async () => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'daemon-dies-'));
  const socket = path.join(dir, 'daemon.sock');
  child = spawn(process.execPath, ['-e', daemon, socket], { stdio: ['ignore', 'pipe', 'inherit'] });
  if (child.stdout) await once(child.stdout, 'data');
  client = createClient(socket);
  rig = createRig({
    forward: (head, body, signal) => client.forward('token', head, body, signal),
    async connect({ host, port, protocol, isDirect }) {
      const answer = await client.connect({ token: 'token', attempt: { host, port, protocol, isDirect } });
      return answer.effect === 'deny' ? answer : { effect: 'allow', open: async () => answer.stream };
    },
    limits: { closeMs: 200 },
  });
});

afterEach(async () => {
  child.kill('SIGKILL');
  client.release();
  await rig.stop();
  fs.rmSync(dir, { recursive: true, force: true });
});

async function kill(): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
}

const request = 'GET / HTTP/1.1\r\nHost: a.example\r\n\r\n';

describe('the daemon is killed', () => {
  it('in the middle of an HTTP/1.1 answer: no clean end, then refusals', async () => {
    const port = await rig.listen('any', 80);
    const address = rig.resolve('a.example');
    const { until, ended } = talk(port, request, address);
    await until('data: begun');
    await kill();
    expect(await ended).toMatch(/data: begun[^]*<ECONNRESET>$/);
    expect(await ended).not.toContain('\r\n0\r\n\r\n');
    expect(await exchangeBytes(port, request, address, true)).toMatch(
      /^HTTP\/1\.1 403 [^]*Intramur refused: the daemon could not be reached \(DAEMON_UNREACHABLE\)\n$/,
    );
  });

  it('in the middle of an HTTP/2 answer: the stream is reset, then refusals', async () => {
    const port = await rig.listen('any', 443);
    const session = http2.connect('https://a.example', {
      host: rig.resolve('a.example'),
      port,
      ca: rig.authority.pem,
      servername: 'a.example',
    });
    const stream = session.request({ ':path': '/', ':authority': 'a.example' });
    await once(stream, 'data');
    const ended = Promise.withResolvers<string>();
    stream.on('error', () => ended.resolve('broken')).on('end', () => ended.resolve('clean end'));
    await kill();
    expect(await ended.promise).toBe('broken');
    const next = session.request({ ':path': '/', ':authority': 'a.example' });
    const [headers] = (await once(next, 'response')) as [http2.IncomingHttpHeaders];
    expect(headers[':status']).toBe(403);
    session.destroy();
  });

  it('under an ssh connection: it is cut, and new ones are refused', async () => {
    const port = await rig.listen('any', 22);
    const address = rig.resolve('git.example');
    const { until, ended } = talk(port, 'SSH-2.0-client\r\n', address);
    await until('SSH-2.0-begun');
    await kill();
    expect(await ended).toMatch(/^SSH-2\.0-begun\r\n/);
    expect(await exchangeBytes(port, 'SSH-2.0-client\r\n', address)).toMatch(/^SSH-2\.0-Intramur\r\n[^]*DAEMON_UNREACHABLE/);
  });
});
