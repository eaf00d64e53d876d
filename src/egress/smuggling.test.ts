// Requests that two parsers read differently, and other HTTP/1.1 that is none. Each must be refused with its reason, reach nothing, and
// leave an entry.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createRig, exchangeBytes, type Rig } from './rig.ts';

let rig: Rig;
beforeEach(() => {
  rig = createRig({ gatewayHosts: ['127.0.0.1:4100'] });
});
afterEach(async () => await rig.stop());

const host = 'Host: a.example\r\n';
const post = `POST / HTTP/1.1\r\n${host}`;

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

  it('garbage behind an open request ends the connection, and puts no words into its reply', async () => {
    await rig.stop();
    rig = createRig({
      async forward() {
        await new Promise((resolve) => setTimeout(resolve, 100));
        return { status: 200, rawHeaders: [], body: Buffer.from('late') };
      },
    });
    const port = await rig.listen('any', 80);
    const seen = await exchangeBytes(port, `GET /1 HTTP/1.1\r\n${host}\r\nGARBAGE\r\n\r\n`, rig.resolve('a.example'), true);
    expect(seen).toMatch(/^(<ECONNRESET>)?$/);
    expect(rig.refusals()).toEqual([expect.stringContaining('not valid HTTP')]);
  });

  it('what hides in a body stays in the body', async () => {
    const port = await rig.listen('any', 80);
    const inner = `GET /smuggled HTTP/1.1\r\n${host}\r\n`;
    await exchangeBytes(port, `${post}Content-Length: ${inner.length}\r\nConnection: close\r\n\r\n${inner}`, rig.resolve('a.example'));
    expect(rig.heads.map(({ target }) => target)).toEqual(['/']);
    expect(String(rig.bodies[0])).toBe(inner);
  });
});
