import zlib from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { githubToken } from './detectors/github-checksum.ts';
import { createInspector } from './inspector.ts';

const token = githubToken('ghp_', 11);
const prose = `The deploy job reads its key from the environment: ${token} is set for the build, and then the build is started again.`;
const inspector = createInspector();

const inspect = (content: string | Buffer, contentType = 'text/plain') =>
  inspector.inspect({ bytes: Buffer.from(content), contentType, views: [] });

const b64 = (content: string | Buffer) => Buffer.from(content).toString('base64');
const each = (encode: (character: string) => string) => [...prose].map(encode).join('');
const rotate = (shift: number) =>
  prose.replace(/[a-z]/gi, (c) => {
    const base = c < 'a' ? 65 : 97;
    return String.fromCharCode(((c.charCodeAt(0) - base + shift) % 26) + base);
  });
const xxd = (content: Buffer) =>
  Array.from({ length: Math.ceil(content.length / 16) }, (_, i) => {
    const row = content.subarray(i * 16, i * 16 + 16);
    const pairs = row.toString('hex').match(/.{1,4}/g) ?? [];
    return `${(i * 16).toString(16).padStart(8, '0')}: ${pairs.join(' ').padEnd(39)}  ${row.toString('latin1').replace(/[^ -~]/g, '.')}`;
  }).join('\n');
const canonicalDump = (content: Buffer) =>
  Array.from({ length: Math.ceil(content.length / 16) }, (_, i) => {
    const row = content.subarray(i * 16, i * 16 + 16);
    const pairs = row.toString('hex').match(/../g) ?? [];
    return `${(i * 16).toString(16).padStart(8, '0')}  ${pairs.slice(0, 8).join(' ')}  ${pairs.slice(8).join(' ')}  |${row.toString('latin1').replace(/[^ -~]/g, '.')}|`;
  }).join('\n');

function tar(name: string, content: Buffer): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write(content.length.toString(8).padStart(11, '0'), 124);
  header.write('ustar', 257);
  return Buffer.concat([header, content, Buffer.alloc(512 - (content.length % 512)), Buffer.alloc(1024)]);
}

function zip(name: string, content: Buffer): Buffer {
  const packed = zlib.deflateRawSync(content);
  const header = Buffer.alloc(30);
  header.write('PK\x03\x04', 0, 'latin1');
  header.writeUInt16LE(8, 8);
  header.writeUInt32LE(packed.length, 18);
  header.writeUInt32LE(content.length, 22);
  header.writeUInt16LE(name.length, 26);
  return Buffer.concat([header, Buffer.from(name), packed, Buffer.from('PK\x01\x02', 'latin1'), Buffer.alloc(42)]);
}

/** With the name of a file in its header. */
function named(gzip: Buffer, length: number): Buffer {
  const head = Buffer.from(gzip.subarray(0, 10));
  head[3] = 8;
  return Buffer.concat([head, Buffer.alloc(length, 'n'), Buffer.alloc(1), gzip.subarray(10)]);
}

describe('a secret is found in every encoding', () => {
  it.each<[string, string | Buffer, readonly string[]]>([
    ['base64', `see ${b64(prose)} ok`, ['base64']],
    ['base64url', `see ${Buffer.from(prose).toString('base64url')}.`, ['base64']],
    ['base64 in lines of 76', (b64(prose.repeat(3)).match(/.{1,76}/g) ?? []).join('\n'), ['base64']],
    ['base64 of an indented block', (b64(prose.repeat(3)).match(/.{1,64}/g) ?? []).join('\n    '), ['base64']],
    ['base64 twice', b64(b64(prose)), ['base64', 'base64']],
    ['base64 behind a path', `dir/${b64(prose)}`, ['base64']],
    ['data URI', `data:text/plain;base64,${b64(prose)}`, ['base64']],
    ['hex', Buffer.from(prose).toString('hex'), ['hex']],
    [
      'hex with colons',
      Buffer.from(prose)
        .toString('hex')
        .replace(/..(?=.)/g, '$&:'),
      ['hex'],
    ],
    ['xxd', xxd(Buffer.from(prose)), ['hexdump']],
    ['hexdump -C', canonicalDump(Buffer.from(prose)), ['hexdump']],
    ['percent, all', each((c) => `%${c.charCodeAt(0).toString(16).padStart(2, '0')}`), ['percent']],
    ['percent, one', prose.replace('ghp_', 'gh%70_'), ['percent']],
    ['percent twice', prose.replace('ghp_', 'gh%2570_'), ['percent', 'percent']],
    ['entities, decimal', each((c) => `&#${c.charCodeAt(0)};`), ['entities']],
    ['entities, hex', each((c) => `&#x${c.charCodeAt(0).toString(16)};`), ['entities']],
    ['unicode escapes', each((c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`), ['escapes']],
    ['braced unicode escapes', each((c) => `\\u{${c.charCodeAt(0).toString(16)}}`), ['escapes']],
    ['hex escapes', each((c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`), ['escapes']],
    ['octal escapes', each((c) => `\\${c.charCodeAt(0).toString(8).padStart(3, '0')}`), ['escapes']],
    ['quoted-printable', prose.replaceAll('_', '=5F').replace(/.{40}/g, '$&=\r\n'), ['quoted-printable']],
    ['gzip in base64', b64(zlib.gzipSync(prose)), ['base64', 'gzip']],
    ['zlib in base64', b64(zlib.deflateSync(prose)), ['base64', 'zlib']],
    ['raw deflate in base64', b64(zlib.deflateRawSync(prose + prose.toUpperCase())), ['base64', 'deflate']],
    ['brotli in base64', b64(zlib.brotliCompressSync(prose + prose.toUpperCase())), ['base64', 'brotli']],
    ['zstd in base64', b64(zlib.zstdCompressSync(prose)), ['base64', 'zstd']],
    ['gzip body', zlib.gzipSync(prose), ['gzip']],
    ['gzip with a name so long that it begins as text', named(zlib.gzipSync(prose), 600), ['gzip']],
    ['a second gzip member', Buffer.concat([zlib.gzipSync('first\n'), zlib.gzipSync(prose)]), ['gzip']],
    ['a second frame of zstd', Buffer.concat([zlib.zstdCompressSync('first\n'), zlib.zstdCompressSync(prose)]), ['zstd']],
    ['gzip behind zlib', Buffer.concat([zlib.deflateSync('first\n'), zlib.gzipSync(prose)]), ['zlib', 'gzip']],
    ['tar in gzip', zlib.gzipSync(tar('a.txt', Buffer.from(prose))), ['gzip']],
    ['tar in gzip in base64', b64(zlib.gzipSync(tar('a.txt', Buffer.from(prose)))), ['base64', 'gzip']],
    ['zip', zip('a.txt', Buffer.from(prose)), ['zip']],
    ['name of a file in an archive', zlib.gzipSync(tar(`${token}.txt`, Buffer.from('x'))), ['gzip']],
    ['UTF-16', Buffer.from(prose, 'utf16le'), ['utf-16']],
    ['UTF-16 in base64', b64(Buffer.from(prose, 'utf16le')), ['base64', 'utf-16']],
    ['zero-width joiners', prose.replace(/\w/g, '$&\u200d'), ['unicode-fold']],
    ['bidirectional overrides', prose.replaceAll('_', '\u202e_\u202c'), ['unicode-fold']],
    ['combining marks', prose.replace(/[a-z]/g, '$&\u0301'), ['unicode-fold']],
    ['homoglyphs', prose.replace('ghp_', 'ghр_'), ['unicode-fold']],
    ['full-width', each((c) => (c > ' ' ? String.fromCharCode(c.charCodeAt(0) + 0xfee0) : c)), ['unicode-fold']],
    ['tag characters', `hello ${[...prose].map((c) => String.fromCodePoint(0xe0000 + c.charCodeAt(0))).join('')}`, ['unicode-fold']],
    ['ROT13', rotate(13), ['rot13']],
    ['Caesar by 5', rotate(5), ['rot21']],
    ['reversed', [...prose].reverse().join(''), ['reversed']],
    ['spaced out', each((c) => `${c} `), ['spaced']],
    ['joined strings', prose.replace('ghp_', '"ghp" + "_').replace(token.slice(20), `" +\n "${token.slice(20)}`), ['concatenation']],
    ['character codes', `[${[...prose].map((c) => c.charCodeAt(0)).join(', ')}]`, ['char-codes']],
    ['hex character codes', `{${[...prose].map((c) => `0x${c.charCodeAt(0).toString(16)}`).join(',')}}`, ['char-codes']],
    ['XOR in hex', Buffer.from([...Buffer.from(prose.repeat(2))].map((byte) => byte ^ 0x5b)).toString('hex'), ['hex', 'xor']],
  ])('%s', async (_name, content, view) => {
    const report = await inspect(content);
    expect(report.refused).toBeUndefined();
    expect(report.findings.filter(({ detector }) => detector === 'github-pat').map((finding) => finding.view)).toContainEqual(view);
    for (const { start, end } of report.findings) expect(start >= 0 && end <= report.bytes && start < end).toBe(true);
  });

  it('also in pieces over the messages of a call', async () => {
    const pieces = b64(prose.repeat(4)).match(/.{1,120}/g) ?? [];
    const call = { model: 'm', messages: pieces.map((content) => ({ role: 'user', content })) };
    const report = await inspect(JSON.stringify(call), 'application/json');
    expect(report.findings.map(({ detector }) => detector)).toContain('github-pat');
  });

  it('also as a list of numbers in JSON', async () => {
    const report = await inspect(JSON.stringify({ a: [...prose].map((c) => c.charCodeAt(0)) }), 'application/json');
    expect(report.findings.map(({ detector, view }) => [detector, view])).toEqual([['github-pat', ['char-codes']]]);
  });
});

describe('hostile input', () => {
  const nest = (times: number) => {
    let text = prose;
    for (let i = 0; i < times; i++) text = b64(text);
    return text;
  };

  it.each<[string, () => string | Buffer, string]>([
    ['encodings nested too deep', () => nest(6), 'INSPECT_LIMIT'],
    ['a gzip bomb', () => zlib.gzipSync(Buffer.alloc(400 << 20)), 'INSPECT_LIMIT'],
    ['a gzip bomb in gzip', () => zlib.gzipSync(zlib.gzipSync(Buffer.alloc(400 << 20))), 'INSPECT_LIMIT'],
    ['a bomb without a header', () => zlib.deflateRawSync(Buffer.alloc(400 << 20)), 'INSPECT_LIMIT'],
    [
      'a bomb in a pack of git',
      () => Buffer.concat([Buffer.from('PACK\0\0\0\x02\0\0\0\x01\x30'), zlib.deflateSync(Buffer.alloc(400 << 20)), Buffer.alloc(20)]),
      'INSPECT_LIMIT',
    ],
    ['a gzip stream that is broken', () => Buffer.concat([zlib.gzipSync(prose).subarray(0, 20), Buffer.alloc(50, 0xff)]), 'INSPECT_FAILED'],
    [
      'an encrypted ZIP',
      () => {
        const archive = zip('a.txt', Buffer.from(prose));
        archive[6] = 1;
        return archive;
      },
      'INSPECT_FAILED',
    ],
  ])('%s is refused', async (_name, content, code) => {
    expect((await inspect(content())).refused?.code).toBe(code);
  });

  it('a guess that would be one level too many is not made, and refuses nothing: ordinary code about encodings is read', async () => {
    const masked = Buffer.from([...Buffer.from(prose.repeat(2))].map((byte) => byte ^ 0x5b)).toString('hex');
    const readable = await inspect(b64(masked));
    expect(readable.findings.map(({ view }) => view)).toContainEqual(['base64', 'hex', 'xor']);
    const half = await inspect(b64(masked).replace(/[A-Z]/g, (letter) => `%${letter.charCodeAt(0).toString(16)}`));
    expect([half.refused, half.findings]).toEqual([undefined, []]);
  });

  const long = Array.from({ length: 400 }, (_, i) => `line ${i}: ${(i * 7919) % 1013}\n`).join('');
  it.each<[string, Buffer]>([
    ['gzip', zlib.gzipSync(prose + long)],
    ['zlib', zlib.deflateSync(prose + long)],
    ['zstd', zlib.zstdCompressSync(prose + long)],
    ['zip', zip('a.txt', Buffer.from(prose + long)).subarray(0, -46)],
    ['a second gzip member', Buffer.concat([zlib.gzipSync(prose), zlib.gzipSync(long)])],
  ])('a payload of %s that breaks off is refused, one within a text is opaque', async (_name, stream) => {
    const cut = stream.subarray(0, -9);
    expect((await inspect(stream)).refused).toBeUndefined();
    expect(await inspect(cut)).toMatchObject({ refused: { code: 'INSPECT_FAILED', reason: expect.stringContaining('breaks off') } });
    const quoted = await inspect(`the log of the job:\n${b64(cut)}\n`);
    expect([quoted.refused, quoted.isOpaque]).toEqual([undefined, true]);
  });

  it('what a stream yields before it breaks off is looked at', async () => {
    const { findings, refused } = await inspect(zlib.gzipSync(prose + long).subarray(0, -200));
    expect([findings.map(({ detector }) => detector), refused?.code]).toEqual([['github-pat'], 'INSPECT_FAILED']);
  });

  it.each<[string, string]>([
    [
      'xz',
      'fd377a585a000004e6d6b4460200210116000000742fe5a301000c73686f7274207365637265740a0000000083458d7a9faee8b70001250d7119c4b61fb6f37d010000000004595a',
    ],
    ['lzma', '5d00008000ffffffffffffffff00399a0a44610b5928efada95e78a6e97846ffffce0f0000'],
    ['bzip2', '425a6839314159265359fc6432eb0000055180001040000a409c00200022981e50832621f5ac02a1c2ee48a70a121f8c865d60'],
  ])('%s is opaque however short it is', async (_name, hex) => {
    const packed = Buffer.from(hex, 'hex');
    for (const content of [packed, `see ${b64(packed)} here`]) expect((await inspect(content)).isOpaque).toBe(true);
  });

  it.each(['x^', 'x^2 + y^2', Buffer.from([0x78, 0x9c, 1, 2, 3, 4, 5, 6])])('%j is no broken stream', async (text) => {
    expect((await inspect(text, '')).refused).toBeUndefined();
  });

  it.each([
    'A',
    '\\',
    '"',
    '%4',
    '&#1;',
    '=\n',
    '1,',
    '0x',
    'a b ',
    'ab ',
    '{"a":',
    '"+"',
    '00000000: 00\n',
    '\u200d',
    'ghp_',
    'password=',
    '-----BEGIN PRIVATE KEY-----\n',
    'eyJ',
    '://',
    'kind: Secret\n',
    'aaaa: ',
  ])(
    'a quarter of a megabyte of %j is looked at in bounded work',
    async (piece) => {
      const report = await inspect(piece.repeat(Math.ceil((1 << 18) / piece.length)));
      // Wide enough for a loaded machine; quadratic work on so much would take minutes.
      expect(report.ms).toBeLessThan(20_000);
    },
    60_000,
  );

  it('never throws', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 400 }),
        fc.constantFrom('', 'application/json', 'text/plain'),
        async (bytes, contentType) => {
          const report = await inspector.inspect({ bytes, contentType, views: [] });
          expect(report.bytes).toBe(bytes.length);
        },
      ),
    );
  });
});
