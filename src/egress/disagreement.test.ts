// Connections that name one host here and another there, and TLS that hides the name. Each must be refused with its reason, reach
// nothing, and leave an entry.
import { once } from 'node:events';
import http2 from 'node:http2';
import net from 'node:net';
import { Duplex, PassThrough } from 'node:stream';
import tls from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Role } from './index.ts';
import { connectHttp2, createRig, exchangeBytes, helloBytes, type Rig } from './rig.ts';

let rig: Rig;
beforeEach(() => {
  rig = createRig({ gatewayHosts: ['127.0.0.1:4100'] });
});
afterEach(async () => await rig.stop());

describe('names that disagree', () => {
  it.each<[string, string, RegExp]>([
    ['DNS and Host', 'GET / HTTP/1.1\r\nHost: b.example\r\n\r\n', /DNS and Host disagree: a\.example:80 against "b\.example"/],
    [
      'DNS and Host, port',
      'GET / HTTP/1.1\r\nHost: a.example:8080\r\n\r\n',
      /DNS and Host disagree: a\.example:80 against "a\.example:8080"/,
    ],
    ['DNS and the target', 'GET http://b.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n', /DNS and the request target disagree/],
    ['the target and Host', 'GET http://a.example/ HTTP/1.1\r\nHost: b.example\r\n\r\n', /DNS and Host disagree/],
    ['the scheme', 'GET https://a.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n', /disagree: http against https/],
    ['user information', 'GET http://a.example@b.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n', /disagree/],
    ['user information before the right name', 'GET http://x@a.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n', /disagree/],
    ['a name with NUL', 'GET / HTTP/1.1\r\nHost: a.example%00.b.example\r\n\r\n', /disagree/],
    ['a homograph', 'GET / HTTP/1.1\r\nHost: \xe0.example\r\n\r\n', /disagree/],
    ['an address', 'GET / HTTP/1.1\r\nHost: 169.254.169.254\r\n\r\n', /disagree/],
    ['the host’s own machine', 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n', /disagree/],
  ])('%s', async (_name, bytes, reason) => {
    const port = await rig.listen('any', 80);
    const seen = await exchangeBytes(port, Buffer.from(bytes, 'latin1'), rig.resolve('a.example'), true);
    expect(seen).toMatch(/^HTTP\/1\.1 40[03] [^]*\r\n\r\nIntramur refused: /);
    expect([rig.heads, rig.refusals()]).toEqual([[], [expect.stringMatching(reason)]]);
  });

  it.each(['A.example', 'a.example.', 'a.example:80', 'a.EXAMPLE.:80'])('but %s is the same name', async (written) => {
    const port = await rig.listen('any', 80);
    const seen = await exchangeBytes(port, `GET / HTTP/1.1\r\nHost: ${written}\r\nConnection: close\r\n\r\n`, rig.resolve('a.example'));
    expect(seen).toContain('GET http://a.example:80/');
  });

  it('domain fronting over HTTP/2: each stream is looked at', async () => {
    const port = await rig.listen('any', 443);
    const session = connectHttp2(rig, port, 'a.example');
    const ask = async (headers: http2.OutgoingHttpHeaders): Promise<[number, string]> => {
      const stream = session.request(headers);
      const [got] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders];
      let body = '';
      for await (const chunk of stream.setEncoding('utf8')) body += String(chunk);
      return [Number(got[':status']), body];
    };
    expect(await ask({ ':path': '/', ':authority': 'a.example' })).toEqual([200, 'GET https://a.example:443/\n']);
    expect(await ask({ ':path': '/', ':authority': 'b.example' })).toEqual([403, expect.stringContaining(':authority disagree')]);
    expect(await ask({ ':path': '/', ':authority': 'a.example', host: 'b.example' })).toEqual([
      403,
      expect.stringContaining('Host disagree'),
    ]);
    expect(await ask({ ':path': '/', ':authority': 'a.example', cookie: ['a=1', 'b=2'] })).toEqual([200, expect.anything()]);
    expect(rig.heads.pop()?.rawHeaders).toEqual(['cookie', 'a=1; b=2']);
    expect(await ask({ ':path': '/', ':authority': 'a.example', ':scheme': 'http' })).toEqual([
      403,
      expect.stringContaining(':scheme disagree'),
    ]);
    await expect(ask({ ':path': 'http://b.example/', ':authority': 'a.example' })).rejects.toThrow('NGHTTP2_PROTOCOL_ERROR');
    expect(rig.heads).toHaveLength(1);
    session.destroy();
  });

  it.each<[string, string | undefined, string | undefined, RegExp | undefined]>([
    ['SNI and DNS', 'a.example', 'b.example', /DNS and SNI disagree: a\.example against b\.example/],
    ['SNI and the dialled address', undefined, 'b.example', /the dialled address and SNI disagree: 1\.1\.1\.1 against b\.example/],
    ['no SNI: nothing disagrees', 'a.example', undefined, undefined],
  ])('%s', async (_name, asked, servername, reason) => {
    const port = await rig.listen('any', 443, asked === undefined ? '1.1.1.1' : undefined);
    const socket = tls.connect({
      host: asked === undefined ? '127.0.0.1' : rig.resolve(asked),
      port,
      ca: rig.authority.pem,
      ...(servername === undefined ? { checkServerIdentity: () => undefined } : { servername }),
    });
    socket.write(`GET / HTTP/1.1\r\nHost: ${servername ?? asked}\r\nConnection: close\r\n\r\n`);
    let seen = '';
    for await (const chunk of socket.setEncoding('latin1')) seen += String(chunk);
    if (reason === undefined) {
      expect(seen).toContain('HTTP/1.1 200');
      return;
    }
    expect(seen).toMatch(/^HTTP\/1\.1 403 [^]*Intramur refused: /);
    expect([rig.heads, rig.refusals()]).toEqual([[], [expect.stringMatching(reason)]]);
  });
});

describe('TLS', () => {
  const outer = Buffer.concat([Buffer.from([0, 12, 0, 0, 9]), Buffer.from('a.example')]);
  it.each<[string, Role, Buffer, RegExp, number]>([
    [
      'ECH',
      'any',
      helloBytes([
        [0, outer],
        [0xfe0d, Buffer.alloc(64)],
      ]),
      /encrypted ClientHello/,
      40,
    ],
    ['NUL in SNI', 'any', helloBytes([[0, Buffer.from([0, 13, 0, 0, 10, ...Buffer.from('a.example\0')])]]), /SNI is no host name/, 112],
    ['an SNI that is no name', 'any', helloBytes([[0, Buffer.from([0, 6, 0, 0, 3, ...Buffer.from('a b')])]]), /SNI is no host name/, 112],
    [
      'two names',
      'any',
      helloBytes([
        [0, outer],
        [0, outer],
      ]),
      /not a TLS hello/,
      50,
    ],
    ['TLS to the proxy', 'proxy', helloBytes([[0, outer]]), /TLS to the proxy/, 40],
    ['TLS to the gateway', 'gateway', helloBytes([[0, outer]]), /TLS to the gateway/, 40],
  ])('%s', async (_name, role, bytes, reason, alert) => {
    const port = await rig.listen(role, 443);
    const seen = await exchangeBytes(port, bytes, role === 'any' ? rig.resolve('a.example') : '127.0.0.1');
    expect([...Buffer.from(seen, 'latin1')]).toEqual([21, 3, 3, 0, 2, 2, alert]);
    expect([rig.heads, rig.refusals()]).toEqual([[], [expect.stringMatching(reason)]]);
  });

  it('raw bytes inside TLS', async () => {
    const port = await rig.listen('any', 443);
    const socket = tls.connect({ host: rig.resolve('a.example'), port, servername: 'a.example', ca: rig.authority.pem });
    socket.write('SSH-2.0-tunnel\r\n');
    let seen = '';
    for await (const chunk of socket.setEncoding('latin1')) seen += String(chunk);
    expect(seen).toMatch(/^HTTP\/1\.1 400 [^]*Intramur refused: not valid HTTP/);
    expect([rig.heads, rig.refusals()]).toEqual([[], [expect.stringContaining('not valid HTTP')]]);
  });

  it('TLS inside TLS', async () => {
    const port = await rig.listen('any', 443);
    const outerSocket = tls.connect({ host: rig.resolve('a.example'), port, servername: 'a.example', ca: rig.authority.pem });
    await once(outerSocket, 'secureConnect');
    outerSocket.write(helloBytes([]));
    outerSocket.resume();
    await once(outerSocket, 'close');
    expect(rig.heads).toEqual([]);
    expect(rig.refusals()).toHaveLength(1);
  });

  it('CONNECT inside TLS', async () => {
    const port = await rig.listen('any', 443);
    const session = connectHttp2(rig, port, 'a.example');
    const stream = session.request({ ':method': 'CONNECT', ':authority': 'b.example:443' });
    const [got] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders];
    expect(got[':status']).toBe(405);
    expect(rig.heads).toEqual([]);
    session.destroy();
  });

  it('a record that is garbage after the handshake closes the connection, also when the program does not', async () => {
    const port = await rig.listen('any', 443);
    const raw = net.connect(port, rig.resolve('a.example'));
    const [fromServer, toServer] = [new PassThrough(), new PassThrough()];
    raw.pipe(fromServer);
    toServer.pipe(raw);
    const socket = tls.connect({
      socket: Duplex.from({ readable: fromServer, writable: toServer }),
      servername: 'a.example',
      ca: rig.authority.pem,
    });
    socket.on('error', () => {});
    await once(socket, 'secureConnect');
    raw.unpipe(fromServer);
    toServer.unpipe(raw);
    raw.write(Buffer.from([23, 3, 3, 0, 32, ...Buffer.alloc(32, 7)]));
    raw.resume();
    await once(raw, 'end');
    expect(rig.heads).toEqual([]);
  });
});
