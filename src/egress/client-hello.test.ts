import net from 'node:net';
import tls from 'node:tls';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseClientHello } from './client-hello.ts';
import { helloBytes } from './rig.ts';

/** What Node's own TLS sends. */
async function capture(options: tls.ConnectionOptions): Promise<Buffer> {
  const { promise, resolve } = Promise.withResolvers<Buffer>();
  const server = net.createServer((socket) => {
    socket.once('data', (bytes: Buffer) => {
      resolve(bytes);
      socket.destroy();
      server.close();
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const address = server.address();
  tls.connect({ host: '127.0.0.1', port: typeof address === 'object' && address ? address.port : 0, ...options }).on('error', () => {});
  return await promise;
}

describe('a real hello', () => {
  it('tells name and protocols', async () => {
    const hello = await capture({ servername: 'Api.Example', ALPNProtocols: ['h2', 'http/1.1'] });
    expect(parseClientHello(hello)).toEqual({
      kind: 'hello',
      serverName: 'Api.Example',
      protocols: ['h2', 'http/1.1'],
      isEncrypted: false,
      fingerprint: expect.anything(),
    });
  });

  it('may name nobody', async () => {
    expect(parseClientHello(await capture({}))).toMatchObject({ kind: 'hello', serverName: undefined, protocols: [], isEncrypted: false });
  });

  it('tells suites, groups and versions in the order of the program', async () => {
    const settings = {
      minVersion: 'TLSv1.3',
      ciphers: 'TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256',
      ecdhCurve: 'P-256:X25519',
    } as const;
    const hello = parseClientHello(await capture({ servername: 'a.example', ...settings }));
    expect(hello).toMatchObject({
      fingerprint: { version: '0303', suites: ['1302', '1301'], groups: ['0017', '001d'], versions: ['0304'] },
    });
    expect('fingerprint' in hello && hello.fingerprint.extensions).toContain('002b');
  });

  it('is partial at every byte before the last', async () => {
    const hello = await capture({ servername: 'a.example' });
    for (let end = 0; end < hello.length; end += 1) expect(parseClientHello(hello.subarray(0, end)).kind).toBe('partial');
  });

  it('is the same cut into many records', async () => {
    const hello = await capture({ servername: 'a.example' });
    const message = hello.subarray(5);
    const records: Buffer[] = [];
    for (let at = 0; at < message.length; at += 7) {
      const part = message.subarray(at, at + 7);
      records.push(Buffer.concat([Buffer.from([22, 3, 1, 0, part.length]), part]));
    }
    expect(parseClientHello(Buffer.concat(records))).toMatchObject({ kind: 'hello', serverName: 'a.example' });
  });
});

const name = (text: string): Buffer => Buffer.concat([Buffer.from([0, text.length >> 8, text.length & 255]), Buffer.from(text, 'latin1')]);
const sni = (...names: Buffer[]): Buffer => {
  const list = Buffer.concat(names);
  return Buffer.concat([Buffer.from([list.length >> 8, list.length & 255]), list]);
};

it('values that are there to be ignored look alike', () => {
  const groups = Buffer.from([0, 6, 0x3a, 0x3a, 0x0a, 0x0b, 0, 29]);
  expect(
    parseClientHello(
      helloBytes([
        [0x7a7a, Buffer.alloc(0)],
        [10, groups],
      ]),
    ),
  ).toMatchObject({
    fingerprint: { extensions: ['grease', '000a'], groups: ['grease', '0a0b', '001d'] },
  });
});

describe('a crafted hello', () => {
  it.each<[string, Buffer, unknown]>([
    [
      'ECH',
      helloBytes([
        [0, sni(name('outer.example'))],
        [0xfe0d, Buffer.from([0])],
      ]),
      { kind: 'hello', serverName: 'outer.example', isEncrypted: true },
    ],
    ['two names', helloBytes([[0, sni(name('a.example'), name('b.example'))]]), { kind: 'invalid' }],
    [
      'the name twice',
      helloBytes([
        [0, sni(name('a.example'))],
        [0, sni(name('b.example'))],
      ]),
      { kind: 'invalid' },
    ],
    ['an empty name', helloBytes([[0, sni(name(''))]]), { kind: 'invalid' }],
    ['an empty list', helloBytes([[0, sni()]]), { kind: 'invalid' }],
    ['a name of another kind', helloBytes([[0, sni(Buffer.from([1, 0, 1, 65]))]]), { kind: 'invalid' }],
    ['bytes behind the list', helloBytes([[0, Buffer.concat([sni(name('a.example')), Buffer.from([0])])]]), { kind: 'invalid' }],
    [
      'NUL in the name: told as it stands, for the caller to refuse',
      helloBytes([[0, sni(name('a.example\0.evil'))]]),
      { serverName: 'a.example\0.evil' },
    ],
    ['a server’s hello', Buffer.from(helloBytes([]).fill(2, 5, 6)), { kind: 'invalid' }],
    ['SSL 2', Buffer.from([0x80, 0x2e, 1, 3, 1]), { kind: 'invalid' }],
    ['an empty record', Buffer.from([22, 3, 1, 0, 0]), { kind: 'invalid' }],
    ['a record of 64 KiB', Buffer.from([22, 3, 1, 255, 255]), { kind: 'invalid' }],
    ['a hello of 16 MiB', Buffer.from([22, 3, 1, 64, 0, 1, 255, 255, 255]), { kind: 'invalid' }],
    ['application data', Buffer.from([23, 3, 3, 0, 1, 0]), { kind: 'invalid' }],
  ])('%s', (_name, bytes, expected) => {
    expect(parseClientHello(bytes)).toMatchObject(expected as object);
  });
});

describe('hostile bytes', () => {
  it('no bytes make it throw', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 2000 }), (bytes) => void parseClientHello(Buffer.from(bytes))));
  });

  it('no spoilt hello makes it throw, or name what is not in it', async () => {
    const hello = await capture({ servername: 'a.example', ALPNProtocols: ['h2'] });
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(hello.length - 1), fc.nat(255)), { maxLength: 6 }), (changes) => {
        const spoilt = Buffer.from(hello);
        for (const [at, byte] of changes) spoilt[at] = byte;
        const parsed = parseClientHello(spoilt);
        if (parsed.kind === 'hello' && parsed.serverName !== undefined) expect(spoilt.includes(parsed.serverName, 0, 'latin1')).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });
});
