// Ways around the egress that are known by name. Each must be refused with its reason, reach nothing, and leave an entry.
import { once } from 'node:events';
import http2 from 'node:http2';
import net from 'node:net';
import { Duplex, PassThrough } from 'node:stream';
import tls from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Role } from './index.ts';
import { createRig, exchangeBytes, helloBytes, type Rig } from './rig.ts';

let rig: Rig;
beforeEach(() => {
  rig = createRig({ gatewayHosts: ['127.0.0.1:4100'] });
});
afterEach(async () => await rig.stop());

const host = 'Host: a.example\r\n';
const post = `POST / HTTP/1.1\r\n${host}`;

/** What is sent to a.example:80, and the words of the refusal. */
describe('request smuggling and malformed HTTP/1.1', () => {
  it.each<[string, string, RegExp]>([
    ['CL.TE', `${post}Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG`, /not valid HTTP|both/],
    ['TE.CL', `${post}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n5c\r\nGPOST / HTTP/1.1\r\n\r\n`, /not valid HTTP|both/],
    ['two lengths', `${post}Content-Length: 0\r\nContent-Length: 30\r\n\r\n`, /not valid HTTP|more than one/],
    ['two equal lengths', `${post}Content-Length: 0\r\nContent-Length: 0\r\n\r\n`, /not valid HTTP|more than one/],
    ['a list of lengths', `${post}Content-Length: 0, 30\r\n\r\n`, /not valid HTTP/],
    ['a signed length', `${post}Content-Length: +5\r\n\r\nhello`, /not valid HTTP/],
    ['a hexadecimal length', `${post}Content-Length: 0x5\r\n\r\nhello`, /not valid HTTP/],
    ['a length beyond numbers', `${post}Content-Length: 99999999999999999999\r\n\r\n`, /not valid HTTP|no length/],
    ['TE with a tab', `${post}Transfer-Encoding:\tchunked, identity\r\n\r\n0\r\n\r\n`, /not valid HTTP|other than chunked/],
    ['TE twice', `${post}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, /not valid HTTP|other than chunked/],
    ['TE that is not chunked', `${post}Transfer-Encoding: gzip\r\n\r\n`, /not valid HTTP|other than chunked/],
    ['TE gzip, chunked', `${post}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`, /other than chunked/],
    ['TE obfuscated', `${post}Transfer-Encoding: xchunked\r\n\r\n`, /not valid HTTP|other than chunked/],
    ['TE in HTTP/1.0', `POST / HTTP/1.0\r\n${host}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, /not valid HTTP|Transfer-Encoding in/],
    ['a blank before the colon', `${post}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n`, /not valid HTTP/],
    ['obs-fold', `${post}X-A: b\r\n c\r\n\r\n`, /not valid HTTP/],
    ['a folded TE', `${post}Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n`, /not valid HTTP/],
    ['bare LF', `GET / HTTP/1.1\n${host}\n`, /neither TLS nor HTTP/],
    ['bare LF in the head', `GET / HTTP/1.1\r\nHost: a.example\nX: y\r\n\r\n`, /not valid HTTP/],
    ['bare CR in a value', `GET / HTTP/1.1\r\n${host}X: a\rY: b\r\n\r\n`, /not valid HTTP/],
    ['NUL in a value', `GET / HTTP/1.1\r\n${host}X: a\0b\r\n\r\n`, /not valid HTTP/],
    ['control bytes in a name', `GET / HTTP/1.1\r\n${host}X\x01: a\r\n\r\n`, /not valid HTTP/],
    ['an empty name', `GET / HTTP/1.1\r\n${host}: a\r\n\r\n`, /not valid HTTP/],
    ['a head of 100 KiB', `GET / HTTP/1.1\r\n${host}X: ${'a'.repeat(100_000)}\r\n\r\n`, /too large/],
    ['300 fields', `GET / HTTP/1.1\r\n${host}${'X: a\r\n'.repeat(300)}\r\n`, /more than 256 header fields|too large/],
    ['HTTP/1.9', `GET / HTTP/1.9\r\n${host}\r\n`, /not valid HTTP/],
    ['HTTP/0.9', 'GET /\r\n', /neither TLS nor HTTP/],
    ['an unknown method', `BREW / HTTP/1.1\r\n${host}\r\n`, /not valid HTTP/],
    ['a blank in the target', `GET /a b HTTP/1.1\r\n${host}\r\n`, /neither TLS nor HTTP/],
    ['a fragment in the target', `GET /a#b HTTP/1.1\r\n${host}\r\n`, /target is malformed/],
    ['bytes in the target', `GET /\xff HTTP/1.1\r\n${host}\r\n`, /neither TLS nor HTTP|target is malformed/],
    ['no host', 'GET / HTTP/1.1\r\n\r\n', /no Host/],
    ['two hosts', `GET / HTTP/1.1\r\n${host}Host: b.example\r\n\r\n`, /more than one Host/],
    ['an empty host', 'GET / HTTP/1.1\r\nHost:\r\n\r\n', /disagree/],
    ['Connection takes Host away', `GET / HTTP/1.1\r\n${host}Connection: close, Host\r\n\r\n`, /Connection names "host"/],
    ['Connection takes Content-Length away', `${post}Connection: content-length\r\nContent-Length: 0\r\n\r\n`, /Connection names/],
    [
      'a WebSocket',
      `GET /chat HTTP/1.1\r\n${host}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`,
      /WebSocket/,
    ],
    ['CONNECT past the proxy', `CONNECT b.example:443 HTTP/1.1\r\nHost: b.example:443\r\n\r\n`, /CONNECT is for the proxy/],
  ])('%s', async (_name, bytes, reason) => {
    const port = await rig.listen('any', 80);
    const seen = await exchangeBytes(port, Buffer.from(bytes, 'latin1'), rig.resolve('a.example'), true);
    expect(rig.heads).toEqual([]);
    // Two when the parser finds more wrong behind the head.
    expect([1, 2]).toContain(rig.refusals().length);
    expect(rig.refusals()[0]).toMatch(reason);
    if (!/neither/.test(rig.refusals()[0] ?? '')) expect(seen).toMatch(/^HTTP\/1\.1 4\d\d [^]*\r\n\r\nIntramur refused: /);
    expect(rig.attempts[0]).toMatchObject({ host: 'a.example', port: 80, isDirect: false });
  });

  it.each<[string, string]>([
    ['a bad chunk size', 'zz\r\nhello\r\n0\r\n\r\n'],
    ['a negative chunk size', '-5\r\nhello\r\n0\r\n\r\n'],
    ['a chunk longer than said', '2\r\nhello\r\n0\r\n\r\n'],
    ['a chunk without its end', '5\r\nhelloworld'],
    ['bare LF behind a chunk size', '5\nhello\r\n0\r\n\r\n'],
    ['a chunk size beyond numbers', 'fffffffffffffffff\r\n'],
    ['CR in a chunk extension', '5;a\rb\r\nhello\r\n0\r\n\r\n'],
  ])('%s: the body breaks off, what follows is no request', async (_name, chunks) => {
    let outcome = 'open';
    await rig.stop();
    rig = createRig({
      async forward(_head, body) {
        try {
          for await (const _ of body);
          outcome = 'whole';
        } catch {
          outcome = 'broken';
        }
        throw new Error('the client is gone');
      },
    });
    const port = await rig.listen('any', 80);
    const smuggled = `GET /smuggled HTTP/1.1\r\n${host}\r\n`;
    await exchangeBytes(port, `${post}Transfer-Encoding: chunked\r\n\r\n${chunks}${smuggled}`, rig.resolve('a.example'), true);
    await expect.poll(() => outcome).toBe('broken');
    expect(rig.heads.map(({ target }) => target)).toEqual(['/']);
  });

  it('what hides in a body stays in the body', async () => {
    const port = await rig.listen('any', 80);
    const inner = `GET /smuggled HTTP/1.1\r\n${host}\r\n`;
    await exchangeBytes(port, `${post}Content-Length: ${inner.length}\r\nConnection: close\r\n\r\n${inner}`, rig.resolve('a.example'));
    expect(rig.heads.map(({ target }) => target)).toEqual(['/']);
    expect(String(rig.bodies[0])).toBe(inner);
  });
});

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
    const session = connectHttp2(port, 'a.example');
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
    const session = connectHttp2(port, 'a.example');
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

describe('the proxy', () => {
  const connect = (target: string, named = target): string => `CONNECT ${target} HTTP/1.1\r\nHost: ${named}\r\n\r\n`;
  it.each<[string, string, RegExp]>([
    ['CONNECT and Host', connect('a.example:443', 'b.example:443'), /CONNECT and Host disagree: a\.example:443 against "b\.example:443"/],
    ['CONNECT and the port of Host', connect('a.example:443', 'a.example:22'), /CONNECT and Host disagree/],
    ['no port', connect('a.example'), /no host and port|not valid HTTP/],
    ['port 0', connect('a.example:0'), /no host and port/],
    ['port 65536', connect('a.example:65536'), /no host and port/],
    ['user information', connect('a@b.example:443'), /no host and port|not valid HTTP/],
    ['NUL', connect('a.example\0:443'), /neither TLS nor HTTP/],
    ['a blank', connect('a.example :443'), /neither TLS nor HTTP/],
    ['a tab', connect('a\t.example:443'), /neither TLS nor HTTP/],
    ['CR in the name', connect('a\r.example:443'), /neither TLS nor HTTP/],
    ['bytes', connect('\xe0.example:443'), /neither TLS nor HTTP/],
    ['percent-encoding', connect('a%2eexample:443'), /no host and port|not valid HTTP/],
    ['a path', connect('a.example:443/x'), /no host and port|not valid HTTP/],
    ['a URL', connect('https://a.example:443'), /no host and port|not valid HTTP/],
    ['an option', connect('-oProxyCommand=x:22'), /no host and port|not valid HTTP/],
    ['localhost', connect('localhost:443'), /not a host that can be reached/],
    ['localhost with a dot', connect('localhost.:443'), /not a host that can be reached/],
    ['below localhost', connect('db.localhost:443'), /not a host that can be reached/],
    ['an IPv6 zone', connect('[fe80::1%25eth0]:443'), /no host and port|not valid HTTP/],
    ['a request that names no host', `GET / HTTP/1.1\r\n${host}\r\n`, /names its host/],
    ['a request for another scheme', `GET ftp://a.example/ HTTP/1.1\r\n${host}\r\n`, /malformed|not valid HTTP/],
    ['a request for localhost', 'GET http://localhost:631/ HTTP/1.1\r\nHost: localhost:631\r\n\r\n', /not a host that can be reached/],
    ['a request with user information', 'GET http://u:p@a.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n', /not a host that can be reached/],
    ['a request whose Host is another', 'GET http://a.example/ HTTP/1.1\r\nHost: b.example\r\n\r\n', /disagree/],
    ['SOCKS 5', '\x05\x01\x00', /neither TLS nor HTTP/],
    ['SOCKS 4', '\x04\x01\x01\xbb\x01\x01\x01\x01\x00', /neither TLS nor HTTP/],
  ])('%s', async (_name, bytes, reason) => {
    const port = await rig.listen('proxy', 3128);
    const seen = await exchangeBytes(port, Buffer.from(bytes, 'latin1'), '127.0.0.1', true);
    expect(seen).not.toContain('HTTP/1.1 2');
    expect([rig.heads, rig.refusals()]).toEqual([[], [expect.stringMatching(reason)]]);
  });

  it.each<[string, string]>([
    ['1.1.1.1', '1.1.1.1'],
    ['0x7f000001', '127.0.0.1'],
    ['2852039166', '169.254.169.254'],
    ['0251.0376.0251.0376', '169.254.169.254'],
    ['127.1', '127.0.0.1'],
    ['[::ffff:169.254.169.254]', '169.254.169.254'],
    ['[::FFFF:a9fe:a9fe]', '169.254.169.254'],
    ['[64:ff9b::a9fe:a9fe]', '64:ff9b::a9fe:a9fe'],
    ['[2002:a9fe:a9fe::1]', '2002:a9fe:a9fe::1'],
  ])('CONNECT %s is a direct attempt at %s', async (written, address) => {
    const port = await rig.listen('proxy', 3128);
    const request = `GET / HTTP/1.1\r\nHost: ${written}\r\nConnection: close\r\n\r\n`;
    await exchangeBytes(port, `CONNECT ${written}:80 HTTP/1.1\r\nHost: ${written}:80\r\n\r\n${request}`);
    expect(rig.heads).toMatchObject([{ host: address, isDirect: true, via: 'connect' }]);
  });

  it.each<[string, string, RegExp]>([
    ['raw bytes in a tunnel', 'SSH-2.0-OpenSSH_9\r\n', /neither TLS nor HTTP on port 443/],
    ['a tunnel in a tunnel', connect('b.example:443'), /CONNECT is for the proxy/],
    ['another host in a tunnel', 'GET / HTTP/1.1\r\nHost: b.example:443\r\n\r\n', /CONNECT and Host disagree/],
    ['another SNI in a tunnel: ECH', helloBytes([[0xfe0d, Buffer.alloc(8)]]).toString('latin1'), /encrypted ClientHello/],
  ])('%s', async (_name, inside, reason) => {
    const port = await rig.listen('proxy', 3128);
    await exchangeBytes(port, Buffer.from(`${connect('a.example:443')}${inside}`, 'latin1'), '127.0.0.1', true);
    expect([rig.heads, rig.refusals()]).toEqual([[], [expect.stringMatching(reason)]]);
  });

  it('another SNI in a tunnel', async () => {
    const port = await rig.listen('proxy', 3128);
    const raw = net.connect(port, '127.0.0.1');
    raw.write(connect('a.example:443'));
    await once(raw, 'data');
    const socket = tls.connect({ socket: raw, servername: 'b.example', ca: rig.authority.pem });
    socket.write('GET / HTTP/1.1\r\nHost: b.example\r\nConnection: close\r\n\r\n');
    let seen = '';
    for await (const chunk of socket.setEncoding('latin1')) seen += String(chunk);
    expect(seen).toContain('Intramur refused: CONNECT and SNI disagree: a.example against b.example');
    expect(rig.heads).toEqual([]);
  });
});

describe('the gateway', () => {
  it.each<[string, string]>([
    ['a name that was rebound to it', 'evil.example:4100'],
    ['another port', '127.0.0.1:80'],
    ['another address', '10.0.0.1:4100'],
  ])('is not reached as %s', async (_name, named) => {
    const port = await rig.listen('gateway', 4100);
    const seen = await exchangeBytes(port, `GET /v1/models HTTP/1.1\r\nHost: ${named}\r\n\r\n`, '127.0.0.1', true);
    expect(seen).toMatch(/^HTTP\/1\.1 403 /);
    expect(rig.heads).toEqual([]);
  });
});

describe('addresses that were dialled directly', () => {
  it.each([
    ['1.1.1.1', '1.1.1.1'],
    ['::ffff:169.254.169.254', '169.254.169.254'],
    ['2606:4700::1111', '2606:4700::1111'],
    ['127.64.200.200', '127.64.200.200'],
  ])('%s: a request is forwarded as a direct attempt', async (dialled, address) => {
    const port = await rig.listen('any', 80, dialled);
    const named = address.includes(':') ? `[${address}]` : address;
    await exchangeBytes(port, `GET /latest/meta-data/ HTTP/1.1\r\nHost: ${named}\r\nConnection: close\r\n\r\n`);
    expect(rig.heads).toMatchObject([{ host: address, isDirect: true, via: 'transparent' }]);
  });

  it('a name on a dialled address is refused', async () => {
    const port = await rig.listen('any', 80, '169.254.169.254');
    await exchangeBytes(port, 'GET / HTTP/1.1\r\nHost: metadata.google.internal\r\n\r\n', '127.0.0.1', true);
    expect(rig.attempts).toMatchObject([{ host: '169.254.169.254', isDirect: true }]);
    expect(rig.refusals()).toEqual([expect.stringContaining('the dialled address and Host disagree')]);
    expect(rig.heads).toEqual([]);
  });

  it('a connection on which nothing is said leaves an entry', async () => {
    const port = await rig.listen('any', 443, '1.1.1.1');
    const socket = net.connect(port, '127.0.0.1');
    await once(socket, 'connect');
    socket.destroy();
    await expect.poll(() => rig.attempts).toMatchObject([{ host: '1.1.1.1', port: 443, isDirect: true }]);
  });
});

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
    expect(broke).toBe(true);
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
    const session = connectHttp2(port, 'a.example');
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
    const session = connectHttp2(port, 'a.example');
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

function connectHttp2(port: number, name: string): http2.ClientHttp2Session {
  const session = http2.connect(`https://${name}`, { host: rig.resolve(name), port, ca: rig.authority.pem, servername: name });
  session.on('error', () => {});
  return session;
}
