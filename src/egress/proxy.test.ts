// Ways around the egress through its proxy, its gateway address, or by dialling addresses. Each must be refused or told for what it is.
import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createRig, exchangeBytes, helloBytes, type Rig } from './rig.ts';

let rig: Rig;
beforeEach(() => {
  rig = createRig({ gatewayHosts: ['127.0.0.1:4100'] });
});
afterEach(async () => await rig.stop());

const host = 'Host: a.example\r\n';

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

  it('a tunnel behind a request that is still open', async () => {
    await rig.stop();
    rig = createRig({ forward: () => new Promise(() => {}) });
    const port = await rig.listen('proxy', 3128);
    const open = 'GET http://a.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n';
    await exchangeBytes(port, `${open}${connect('b.example:443')}`, '127.0.0.1', true);
    expect(rig.refusals()).toEqual([expect.stringContaining('CONNECT behind a request that is still open')]);
    expect(rig.heads).toHaveLength(1);
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
