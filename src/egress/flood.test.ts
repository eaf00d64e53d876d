// Too much of everything: what a program holds back, keeps open or sends at once runs into a bound and is refused.
import { once } from 'node:events';
import http2 from 'node:http2';
import net from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectHttp2, createRig, exchangeBytes, helloBytes, type Rig } from './rig.ts';

let rig: Rig;
beforeEach(() => {
  rig = createRig({ gatewayHosts: ['127.0.0.1:4100'] });
});
afterEach(async () => await rig.stop());

const host = 'Host: a.example\r\n';
const post = `POST / HTTP/1.1\r\n${host}`;

describe('too much', () => {
  it('a head that comes byte by byte runs out of time', async () => {
    await rig.stop();
    rig = createRig({ limits: { headMs: 200 } });
    const port = await rig.listen('any', 80);
    const seen = await exchangeBytes(port, `GET / HTTP/1.1\r\n${host}X-Slow: `, rig.resolve('a.example'));
    expect(seen).toMatch(/^HTTP\/1\.1 408 [^]*Intramur refused: the request took too long/);
    expect(rig.heads).toEqual([]);
  });

  it('a body that never ends runs out of time', async () => {
    await rig.stop();
    let broke = false;
    rig = createRig({
      limits: { bodyMs: 200 },
      async forward(_head, body) {
        try {
          for await (const _ of body);
        } catch {
          broke = true;
        }
        throw new Error('incomplete');
      },
    });
    const port = await rig.listen('any', 80);
    await exchangeBytes(port, `${post}Content-Length: 10\r\n\r\nhello`, rig.resolve('a.example'));
    await expect.poll(() => broke).toBe(true);
  });

  it('a connection that says nothing is closed', async () => {
    await rig.stop();
    rig = createRig({ limits: { helloMs: 100 } });
    for (const [role, bytes] of [
      ['any', ''],
      ['proxy', ''],
      ['any', 'GE'],
      ['any', '\x16\x03'],
    ] as const) {
      const port = await rig.listen(role, 443);
      expect(await exchangeBytes(port, Buffer.from(bytes, 'latin1'), role === 'any' ? rig.resolve('a.example') : '127.0.0.1')).toBe('');
    }
    expect(rig.heads).toEqual([]);
  });

  it('a TLS handshake that stops is closed', async () => {
    await rig.stop();
    rig = createRig({ limits: { helloMs: 100 } });
    const port = await rig.listen('any', 443);
    const supported = [
      [0, Buffer.from([0, 12, 0, 0, 9, ...Buffer.from('a.example')])],
      [43, Buffer.from([2, 3, 4])],
      [10, Buffer.from([0, 2, 0, 23])],
      [13, Buffer.from([0, 2, 4, 3])],
      [51, Buffer.from([0, 0])],
    ] as const;
    await exchangeBytes(port, helloBytes(supported), rig.resolve('a.example'));
    expect(rig.refusals()).toEqual([expect.stringContaining('the TLS handshake failed')]);
  });

  it('a program that is turned away and does not close is closed', async () => {
    const port = await rig.listen('proxy', 3128);
    const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    socket.on('error', () => {});
    socket.write('CONNECT localhost:22 HTTP/1.1\r\nHost: localhost:22\r\n\r\n');
    socket.resume();
    await once(socket, 'end');
    await expect
      .poll(
        () => {
          socket.write('x');
          return socket.destroyed || socket.errored !== null;
        },
        { timeout: 8000 },
      )
      .toBe(true);
  });

  it('connections over the limit are turned away', async () => {
    await rig.stop();
    rig = createRig({ limits: { connections: 2 } });
    const port = await rig.listen('any', 80);
    const address = rig.resolve('a.example');
    const held = [net.connect(port, address), net.connect(port, address)];
    await Promise.all(held.map((socket) => once(socket, 'connect')));
    expect(await exchangeBytes(port, `GET / HTTP/1.1\r\n${host}\r\n`, address)).toContain(
      'Intramur refused: more than 2 connections at once',
    );
    for (const socket of held) socket.destroy();
    expect(rig.heads).toEqual([]);
  });

  it('exchanges over the limit are refused', async () => {
    await rig.stop();
    rig = createRig({ limits: { exchanges: 3 }, forward: () => new Promise(() => {}) });
    const port = await rig.listen('any', 443);
    const session = connectHttp2(rig, port, 'a.example');
    const streams = Array.from({ length: 4 }, () => session.request({ ':path': '/', ':authority': 'a.example' }));
    const [got] = (await Promise.race(streams.map((stream) => once(stream, 'response')))) as [http2.IncomingHttpHeaders];
    expect(got[':status']).toBe(503);
    expect(rig.heads).toHaveLength(3);
    session.destroy();
  });

  it('HTTP/2 streams that are reset in a row do not go on running', async () => {
    await rig.stop();
    let running = 0;
    rig = createRig({
      forward: (_head, _body, signal) => {
        running += 1;
        return new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            running -= 1;
            reject(new Error('aborted'));
          });
        });
      },
    });
    const port = await rig.listen('any', 443);
    const session = connectHttp2(rig, port, 'a.example');
    session.on('error', () => {});
    for (let i = 0; i < 200 && !session.destroyed; i += 1) {
      const stream = session.request({ ':path': '/', ':authority': 'a.example' });
      stream.on('error', () => {});
      await new Promise((resolve) => setImmediate(resolve));
      stream.close(http2.constants.NGHTTP2_CANCEL);
    }
    await expect.poll(() => running).toBe(0);
    session.destroy();
  });
});
