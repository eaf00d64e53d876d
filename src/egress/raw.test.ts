// Connections that are not HTTP: ssh by name, and what policy ports carry.
import { once } from 'node:events';
import net from 'node:net';
import { PassThrough } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import type { Connect } from './index.ts';
import { createRig, exchangeBytes, has, helloBytes, type Rig, talk } from './rig.ts';

let rig: Rig;
const servers: net.Server[] = [];
afterEach(async () => {
  await rig.stop();
  for (const server of servers.splice(0)) server.close();
});

/** An upstream that greets and then echoes, and a `connect` that allows it for `host`. */
async function upstreamFor(host: string, greeting: string): Promise<Connect> {
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    socket.write(greeting);
    socket.pipe(socket);
    socket.on('error', () => {});
  });
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return async (attempt) => {
    if (attempt.detail?.['refused'] !== undefined || attempt.host !== host)
      return { effect: 'deny', reason: `${attempt.host} is not allowed` };
    return {
      effect: 'allow',
      async open() {
        const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
        await once(socket, 'connect');
        return socket;
      },
    };
  };
}

describe('ssh', () => {
  it('to an allowed name is piped both ways, with half-close', async () => {
    rig = createRig({ connect: await upstreamFor('git.example', 'SSH-2.0-server\r\n') });
    const port = await rig.listen('any', 22);
    const socket = net.connect({ port, host: rig.resolve('git.example'), allowHalfOpen: true });
    socket.end('SSH-2.0-client\r\n');
    let seen = '';
    for await (const chunk of socket.setEncoding('latin1')) seen += String(chunk);
    expect(seen).toBe('SSH-2.0-server\r\nSSH-2.0-client\r\n');
    expect(rig.attempts).toEqual([{ host: 'git.example', port: 22, protocol: 'ssh', isDirect: false }]);
  });

  it.skipIf(!has('ssh'))('to another name: the program shows why', async () => {
    rig = createRig({ connect: await upstreamFor('git.example', '') });
    const port = await rig.listen('any', 22);
    const args = [
      '-F',
      'none',
      '-o',
      'BatchMode=yes',
      '-o',
      'StrictHostKeyChecking=no',
      '-o',
      'UserKnownHostsFile=/dev/null',
      '-p',
      String(port),
    ];
    const got = await rig.run('ssh', [...args, `git@${rig.resolve('evil.example')}`]);
    expect(got.code).toBe(255);
    expect(got.stderr).toContain('Intramur refused: evil.example is not allowed');
  });

  it('to an address is a direct attempt', async () => {
    rig = createRig({ connect: await upstreamFor('git.example', '') });
    const port = await rig.listen('any', 22, '::ffff:10.0.0.1');
    const seen = await exchangeBytes(port, 'SSH-2.0-client\r\n');
    expect(seen).toContain('Intramur refused: 10.0.0.1 is not allowed');
    expect(rig.attempts).toEqual([{ host: '10.0.0.1', port: 22, protocol: 'ssh', isDirect: true }]);
  });

  it('through the proxy is decided by the same question', async () => {
    rig = createRig({ connect: await upstreamFor('git.example', 'SSH-2.0-server\r\n') });
    const port = await rig.listen('proxy', 3128);
    const socket = net.connect(port, '127.0.0.1');
    socket.write('CONNECT git.example:22 HTTP/1.1\r\nHost: git.example:22\r\n\r\n');
    let seen = '';
    for await (const chunk of socket.setEncoding('latin1')) {
      seen += String(chunk);
      if (seen.includes('SSH-2.0-server')) break;
    }
    expect(rig.attempts).toEqual([{ host: 'git.example', port: 22, protocol: 'ssh', isDirect: false }]);
  });
});

describe('policy ports', () => {
  it('raw bytes are asked for and handed on whole', async () => {
    rig = createRig({ connect: await upstreamFor('db.example', '') });
    const port = await rig.listen('any', 5432);
    const socket = net.connect({ port, host: rig.resolve('db.example'), allowHalfOpen: true });
    const startup = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);
    socket.end(startup);
    const chunks: Buffer[] = [];
    for await (const chunk of socket) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
    expect(Buffer.concat(chunks)).toEqual(startup);
    expect(rig.attempts).toEqual([{ host: 'db.example', port: 5432, protocol: 'tcp', isDirect: false }]);
  });

  it('a server that speaks first gets to', async () => {
    rig = createRig({ connect: await upstreamFor('mail.example', '220 ready\r\n'), limits: { serverFirstMs: 50 } });
    const port = await rig.listen('any', 2525);
    const socket = net.connect(port, rig.resolve('mail.example'));
    const [greeting] = (await once(socket, 'data')) as [Buffer];
    expect(String(greeting)).toBe('220 ready\r\n');
    socket.destroy();
  });

  it.each<[string, string, number]>([
    ['HTTP after a silence', 'GET / HTTP/1.1\r\nHost: mail.example:2525\r\n\r\n', 2525],
    ['TLS after a silence', helloBytes([]).toString('latin1'), 2525],
    ['a TLS record whose rest never comes', '\x16\x03\x01', 2525],
    ['HTTP to the ssh port', 'GET / HTTP/1.1\r\nHost: mail.example:22\r\n\r\n', 22],
    ['TLS to the ssh port', helloBytes([]).toString('latin1'), 22],
  ])('%s does not pass as something else', async (_name, bytes, inside) => {
    let received = '';
    const server = net.createServer((socket) => {
      socket.write('220 ready\r\n');
      socket
        .on('error', () => {})
        .on('data', (chunk) => {
          received += chunk.toString('latin1');
        });
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const upstreamPort = typeof address === 'object' && address ? address.port : 0;
    rig = createRig({
      connect: async ({ detail }) =>
        detail ? { effect: 'deny', reason: 'recorded' } : { effect: 'allow', open: async () => net.connect(upstreamPort, '127.0.0.1') },
      limits: { serverFirstMs: 20, helloMs: 200 },
    });
    const port = await rig.listen('any', inside);
    const socket = net.connect({ port, host: rig.resolve('mail.example'), allowHalfOpen: true });
    socket.on('error', () => {});
    const [greeting] = (await once(socket, 'data')) as [Buffer];
    expect(String(greeting)).toBe('220 ready\r\n');
    socket.end(Buffer.from(bytes, 'latin1'));
    socket.resume();
    await new Promise((resolve) => socket.once('close', resolve));
    expect(received).toBe('');
    expect(rig.refusals()).toEqual([expect.stringMatching(/^not (SSH|a plain protocol) on port/)]);
  });

  it('a refused one is closed and gets no byte', async () => {
    rig = createRig();
    const port = await rig.listen('any', 5432);
    expect(await exchangeBytes(port, Buffer.from([0, 0, 0, 8]), rig.resolve('db.example'))).toMatch(/^(<ECONNRESET>)?$/);
    expect(rig.attempts).toHaveLength(1);
  });

  it('HTTP on them is an exchange, TLS is looked into', async () => {
    rig = createRig();
    const port = await rig.listen('any', 8443);
    const address = rig.resolve('a.example');
    const seen = await exchangeBytes(port, 'GET / HTTP/1.1\r\nHost: a.example:8443\r\nConnection: close\r\n\r\n', address);
    expect(seen).toContain('GET http://a.example:8443/');
    await exchangeBytes(port, helloBytes([[0xfe0d, Buffer.alloc(1)]]), address);
    expect(rig.refusals()).toEqual(['an encrypted ClientHello hides the name']);
  });
});

describe('web ports', () => {
  it.each<[number, string]>([
    [443, 'SSH-2.0-tunnel\r\n'],
    [80, '\x00\x00\x00\x08'],
    [443, '\x05\x01\x00'],
    [80, 'EHLO a\r\n'],
    [443, '\x17\x03\x03\x00\x01\x00'],
    [80, '\r\nGET / HTTP/1.1\r\n\r\n'],
  ])('%i carries no %j, whatever `connect` would say', async (inside, bytes) => {
    const upstream = new PassThrough();
    rig = createRig({ connect: async () => ({ effect: 'allow', open: async () => upstream }) });
    const port = await rig.listen('any', inside);
    await exchangeBytes(port, Buffer.from(bytes, 'latin1'), rig.resolve('a.example'));
    expect(rig.refusals()).toEqual([`neither TLS nor HTTP on port ${inside}`]);
    expect(upstream.writableLength + upstream.readableLength).toBe(0);
  });
});

it('a connection that its upstream resets is reset', async () => {
  const upstream = new PassThrough();
  rig = createRig({ connect: async () => ({ effect: 'allow', open: async () => upstream }) });
  const port = await rig.listen('any', 22);
  const { until, ended } = talk(port, 'SSH-2.0-x', rig.resolve('git.example'));
  await until('SSH-2.0-x');
  upstream.destroy(new Error('the daemon died'));
  expect(await ended).toContain('<ECONNRESET>');
});
