// Hostile bytes at every door of the egress: nothing throws, nothing hangs, and whatever gets through as a request agrees with where
// the connection was going.
import net from 'node:net';
import tls from 'node:tls';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ExchangeHead } from '../core/index.ts';
import { openingOf } from './opening.ts';
import { describeRequest, type Places } from './request-head.ts';
import { createRig, type Rig } from './rig.ts';

let rig: Rig;
let any: number;
let web: number;
let proxy: number;
let resolver: number;
let closeDns: () => void;
let address: string;
const faults: unknown[] = [];
const onFault = (fault: unknown): void => void faults.push(fault);

beforeAll(async () => {
  process.on('uncaughtException', onFault).on('unhandledRejection', onFault);
  rig = createRig({ gatewayHosts: ['127.0.0.1:4100'], limits: { helloMs: 500, headMs: 500, bodyMs: 500 } });
  [any, web, proxy] = [await rig.listen('any', 80), await rig.listen('any', 443), await rig.listen('proxy', 3128)];
  const dns = net.createServer({ allowHalfOpen: false }, (socket) => rig.egress.dnsTcp(socket));
  closeDns = () => dns.close();
  await new Promise<void>((resolve) => dns.listen(0, '127.0.0.1', resolve));
  const bound = dns.address();
  resolver = typeof bound === 'object' ? (bound?.port ?? 0) : 0;
  address = rig.resolve('a.example');
});
afterAll(async () => {
  closeDns();
  await rig.stop();
  process.off('uncaughtException', onFault).off('unhandledRejection', onFault);
});

/** Sends pieces, ends its side, and waits until the connection is gone. */
async function send(port: number, host: string, pieces: readonly Buffer[], secured: boolean): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const raw = net.connect(port, host);
  const socket = secured ? tls.connect({ socket: raw, servername: 'a.example', ca: rig.authority.pem, ALPNProtocols: ['h2'] }) : raw;
  for (const each of new Set([raw, socket])) each.on('error', () => {});
  raw.once('close', () => resolve());
  socket.resume();
  for (const piece of pieces) socket.write(piece);
  socket.end();
  await promise;
}

const token = fc.constantFrom(
  'GET',
  'POST',
  'CONNECT',
  'PRI',
  ' ',
  '/',
  '*',
  'HTTP/1.1',
  'HTTP/1.0',
  '\r\n',
  '\n',
  '\r',
  '\r\n\r\n',
  'Host: ',
  'a.example',
  'b.example',
  ':80',
  ':443',
  '@',
  'http://',
  'https://',
  'Content-Length: ',
  '5',
  '0',
  'Transfer-Encoding: chunked',
  'Connection: ',
  'close',
  'Upgrade: websocket',
  '\0',
  '\t',
  '\xff',
  'hello',
  '[::1]',
  '127.0.0.1',
  ',',
  ';',
  '0\r\n\r\n',
);
const bytes = fc.oneof(
  fc.array(token, { maxLength: 30 }).map((parts) => Buffer.from(parts.join(''), 'latin1')),
  fc.uint8Array({ maxLength: 300 }).map((raw) => Buffer.from(raw)),
  fc
    .tuple(
      fc.constantFrom(
        ...[
          'GET / HTTP/1.1\r\nHost: a.example\r\n\r\n',
          'CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n',
          'POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\n\r\nhello',
        ],
      ),
      fc.nat(),
      fc.nat(255),
    )
    .map(([text, at, byte]) => {
      const spoilt = Buffer.from(text, 'latin1');
      spoilt[at % spoilt.length] = byte;
      return spoilt;
    }),
);

/** INVARIANT of everything that reaches `forward`. */
function check(head: ExchangeHead): void {
  expect(head.host).toMatch(/^[a-z0-9._:-]+$/);
  expect(head.target).toMatch(/^(\/[\x21-\x7e]*|\*)$/);
  const hosts = head.rawHeaders.filter((_, i, all) => i % 2 === 1 && all[i - 1]?.toLowerCase() === 'host');
  expect(hosts.length).toBeLessThanOrEqual(1);
  for (const host of hosts)
    expect(
      host
        .toLowerCase()
        .replace(/:\d+$/, '')
        .replace(/\.$/, '')
        .replace(/^\[(.*)\]$/, '$1'),
    ).toBe(head.host);
}

describe('over sockets', () => {
  it.each<[string, () => readonly [number, string], boolean]>([
    ['the transparent listener', () => [any, address], false],
    ['the proxy', () => [proxy, '127.0.0.1'], false],
    ['inside TLS, as HTTP/2', () => [web, address], true],
    ['the resolver over TCP', () => [resolver, '127.0.0.1'], false],
  ])('%s takes any bytes in any pieces', async (_name, where, secured) => {
    const [port, host] = where();
    await fc.assert(
      fc.asyncProperty(fc.array(bytes, { minLength: 1, maxLength: 4 }), async (pieces) => {
        const before = rig.heads.length;
        await send(port, host, pieces, secured);
        for (const head of rig.heads.slice(before)) {
          check(head);
          if (port !== proxy) expect(head.host).toBe('a.example');
        }
      }),
      { numRuns: 120 },
    );
    expect(faults).toEqual([]);
  });
});

describe('without sockets', () => {
  const socket = new net.Socket();
  const places: Places = { isGateway: () => false, nameOf: () => undefined };

  it('no bytes make the first look throw, and more bytes never change a decided one', () => {
    fc.assert(
      fc.property(bytes, bytes, (first, rest) => {
        const early = openingOf(first);
        if (early.kind === 'unclear' || early.kind === 'http1') return;
        expect(openingOf(Buffer.concat([first, rest])).kind).toBe(early.kind);
      }),
    );
  });

  it('no request becomes a head whose names disagree', () => {
    const text = fc.oneof(
      fc.constantFrom('a.example', 'A.EXAMPLE.', 'a.example:80', 'b.example', 'a.example:443', ''),
      fc.string({ unit: 'binary-ascii', maxLength: 40 }),
    );
    const name = fc.constantFrom('Host', 'host', 'Cookie', 'Content-Length', 'Transfer-Encoding', 'Connection', 'X-A');
    const target = fc.oneof(
      fc.constantFrom('/', '/a?b', '*', 'http://a.example/', 'http://b.example/', 'https://a.example/'),
      fc.string({ unit: 'binary-ascii', maxLength: 40 }),
    );
    fc.assert(
      fc.property(
        fc.array(fc.tuple(name, text), { maxLength: 6 }),
        target,
        fc.option(text, { nil: undefined }),
        fc.constantFrom('1.0', '1.1', '2.0'),
        (headers, written, authority, version) => {
          const described = describeRequest(
            { socket, scheme: 'http', host: 'a.example', port: 80, isDirect: false, via: 'transparent' },
            {
              method: 'GET',
              target: written,
              httpVersion: version,
              rawHeaders: headers.flat(),
              ...(authority === undefined ? {} : { authority }),
            },
            places,
            256,
          );
          if (!('head' in described)) return;
          check(described.head);
          expect([described.head.host, described.head.port]).toEqual(['a.example', 80]);
          if (authority !== undefined && !written.startsWith('http')) expect(authority.toLowerCase()).toMatch(/^a\.example\.?(:80)?$/);
        },
      ),
      { numRuns: 2000 },
    );
  });
});
