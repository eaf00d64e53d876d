// Encodings as tools show them and as lists hold them: with numbers of lines, quotes and marks of a diff before each piece, in messages
// and members of any name, as lists of bytes, and the rarer relatives of base64.
import crypto from 'node:crypto';
import zlib from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { githubToken } from './detectors/github-checksum.ts';
import { createInspector } from './inspector.ts';

const token = githubToken('ghp_', 11);
const prose = Array.from(
  { length: 9 },
  (_, i) => `Job ${i} reads its key from the environment, and ${i === 5 ? token : 'nothing'} is set.`,
).join('\n');
const inspector = createInspector();

const found = async (content: string | Buffer, contentType = 'text/plain') => {
  const report = await inspector.inspect({ bytes: Buffer.from(content), contentType, views: [] });
  expect(report.refused).toBeUndefined();
  return report.findings.filter(({ detector }) => detector === 'github-pat').map(({ view }) => view.join(' > '));
};

const noise = crypto.createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16)).update(Buffer.alloc(4096));
const b64 = (content: string | Buffer) => Buffer.from(content).toString('base64');
const pieces = (text: string, length: number) => text.match(new RegExp(`[^]{1,${length}}`, 'g')) ?? [];
const said = (contents: readonly string[]) =>
  JSON.stringify({ model: 'm', messages: contents.map((content) => ({ role: 'user', content })) });
const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const base32 = (content: string | Buffer) =>
  pieces([...Buffer.from(content)].map((byte) => byte.toString(2).padStart(8, '0')).join(''), 5)
    .map((bits) => letters[Number.parseInt(bits.padEnd(5, '0'), 2)])
    .join('');
const each = (encode: (code: number) => string) => [...prose].map((c) => encode(c.charCodeAt(0))).join('');
const hex = (code: number) => code.toString(16);

describe('a secret in an encoding, a piece to a line', () => {
  const margins: readonly [string, (piece: string, i: number) => string][] = [
    ['cat -n', (piece, i) => `${String(i + 9).padStart(6)}\t${piece}`],
    ['arrows', (piece, i) => `${String(i + 9).padStart(6)}→${piece}`],
    ['grep -n', (piece, i) => `src/a.txt:${i + 9}:${piece}`],
    ['a diff', (piece) => `+${piece}`],
    ['a quote', (piece) => `> ${piece}`],
    ['a comment', (piece) => `// ${piece}`],
    ['a list of strings', (piece) => `  "${piece}",`],
    ['numbered parts', (piece, i) => `And here is part ${i + 9} of it: ${piece}`],
  ];
  it.each(margins)('of base64, as %s', async (_name, margin) => {
    for (const content of [prose, zlib.gzipSync(prose)])
      for (const length of [76, 60]) expect(await found(pieces(b64(content), length).map(margin).join('\n'))).not.toEqual([]);
  });

  it.each(margins)('of hexadecimal, as %s', async (_name, margin) => {
    expect(await found(pieces(Buffer.from(prose).toString('hex'), 64).map(margin).join('\n'))).not.toEqual([]);
  });

  it.each([39, 32, 20])('of base64 in messages of %d characters', async (length) => {
    expect(await found(said(pieces(b64(prose), length)), 'application/json')).not.toEqual([]);
  });

  it('and what only looks like pieces says nothing', async () => {
    const ids = Array.from({ length: 50 }, (_, i) => `msg_${b64(String(i * 7919).repeat(9)).slice(0, 24)}`);
    const { findings, isOpaque } = await inspector.inspect({ bytes: Buffer.from(ids.join('\n')), contentType: '', views: [] });
    expect([findings, isOpaque]).toEqual([[], undefined]);
  });
});

describe('a secret in base64 is found in every string of a call', () => {
  const call = { model: 'm', messages: [{ role: 'user', content: 'please go on' }] };
  it.each<[string, unknown]>([
    ['id', { ...call, id: b64(token) }],
    ['model', { ...call, model: b64(token) }],
    ['role', { ...call, messages: [{ role: b64(token), content: 'x' }] }],
    ['tool_use_id', { ...call, messages: [{ role: 'user', content: [{ type: 'tool_result', tool_use_id: b64(token), content: 'ok' }] }] }],
    ['the name of a member', { ...call, [b64(token)]: 1 }],
    ['the description of a tool', { ...call, tools: [{ name: 'x', input_schema: { properties: { a: { description: b64(token) } } } }] }],
  ])('%s', async (_name, body) => {
    expect(await found(JSON.stringify(body), 'application/json')).toEqual(['base64']);
  });
});

it.each<[string, string | Buffer, string]>([
  ['base64 behind a path of any length', `https://files.example/a/bc/${Buffer.from(prose).toString('base64url')}`, 'base64'],
  ['gzip in base64 behind a path', `https://files.example/a/bc/${b64(zlib.gzipSync(prose))}`, 'base64 > gzip'],
  ['base64 reversed', [...b64(prose)].reverse().join(''), 'base64-reversed'],
  [
    'base64 rotated',
    b64(prose).replace(/[a-z]/gi, (c) => String.fromCharCode((c.charCodeAt(0) & 31) <= 13 ? c.charCodeAt(0) + 13 : c.charCodeAt(0) - 13)),
    'base64-rot13',
  ],
  ['base32', base32(prose), 'base32'],
  ['base32 in lower case, of gzip', base32(zlib.gzipSync(prose)).toLowerCase(), 'base32 > gzip'],
  ['base32 in lines', pieces(base32(prose), 64).join('\n'), 'base32'],
  ['bytes of gzip', JSON.stringify([...zlib.gzipSync(prose)]), 'char-codes > gzip'],
  ['bytes of gzip with signs', `[${[...new Int8Array(zlib.gzipSync(prose))].join(', ')}]`, 'char-codes > gzip'],
  ['bytes of zlib', `{${[...zlib.deflateSync(prose)].join(',')}}`, 'char-codes > zlib'],
  ['bytes as an object', JSON.stringify({ a: Object.fromEntries([...Buffer.from(prose)].entries()) }), 'char-codes'],
  ['%uXXXX', each((code) => `%u${hex(code).padStart(4, '0')}`), 'percent'],
  ['\\x{…}', each((code) => `\\x{${hex(code)}}`), 'escapes'],
  ['entities without semicolons', each((code) => `&#${code}`), 'entities'],
  ['entities with zeros before them', each((code) => `&#${String(code).padStart(7, '0')};`), 'entities'],
  ['colours', prose.replace(/\w{3}/g, '\u001b[1;32m$&\u001b[0m'), 'terminal'],
  ['links of a terminal', prose.replace(/\w{3}/g, '\u001b]8;;http://a\u0007$&\u001b]8;;\u001b\\'), 'terminal'],
  [
    'a dump of words',
    pieces(prose, 16)
      .map(
        (row, i) =>
          `${hex(16 * i).padStart(7, '0')} ${(Buffer.from(row.padEnd(16)).swap16().toString('hex').match(/.{4}/g) ?? []).join(' ')}`,
      )
      .join('\n'),
    'hexdump',
  ],
  ['small capitals', prose.replace('ghp_', 'ɢʜᴘ_'), 'unicode-fold'],
])('a secret in %s', async (_name, content, view) => {
  expect(await found(content)).toEqual([view]);
});

it('a long run of noise costs work in proportion', async () => {
  const long = crypto
    .createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16))
    .update(Buffer.alloc(3 << 20))
    .toString('base64');
  const began = process.cpuUsage();
  for (const text of [
    long,
    pieces(long.slice(0, 1 << 20), 16).join('\n'),
    pieces(long.slice(0, 1 << 20), 60)
      .map((piece) => `+${piece}`)
      .join('\n'),
  ])
    expect((await inspector.inspect({ bytes: Buffer.from(text), contentType: '', views: [] })).labels).not.toContain('secret');
  expect(process.cpuUsage(began).user / 1e6).toBeLessThan(8);
}, 60_000);

describe('what only begins as JSON does, or only says that it is', () => {
  const texts: readonly [string, string][] = [
    ['a line of a log', `[INFO] ${b64(prose)}`],
    ['text behind JSON', `{"a":1}\n${b64(prose)}`],
    ['text between two strings', `["a", ${b64(prose)}, "b"]`],
    ['escapes outside of strings', `{ ${each((code) => `\\x${hex(code)}`)} "a": 1 }`],
    ['plain text', b64(prose)],
  ];
  for (const contentType of ['text/plain', 'application/json'])
    it.each(texts)(`is read as text, too: %s as ${contentType}`, async (_name, text) => {
      expect(await found(text, contentType)).not.toEqual([]);
    });

  it.each(texts)('also where it follows on what a session said before: %s', async (_name, text) => {
    const before = said(
      Array.from({ length: 600 }, (_, i) => `This is line ${i} of what was said before, and it is not the last of them.`),
    );
    for (const body of [before, `${before.slice(0, -2)}]}${text}`]) {
      const { findings } = await inspector.inspect(
        { bytes: Buffer.from(body), contentType: 'application/json', views: [] },
        { session: text },
      );
      expect(findings.map(({ detector }) => detector)).toEqual(body === before ? [] : ['github-pat']);
    }
  });
});

it.each(['x-key: ', 'http://files.example/a/bc/', 'GET /upload/'])(
  'a key of capitals whose base64 has no digit is found behind %s',
  async (before) => {
    const key = ['AKIA', 'QYLPMN5HHHFPZAM2'].join('');
    expect(b64(key)).toMatch(/^[A-Za-z]+=$/);
    const { findings } = await inspector.inspect({ bytes: Buffer.from(`${before}${b64(key)}`), contentType: 'text/plain', views: [] });
    expect(findings.map(({ detector, view }) => [detector, view])).toEqual([['aws-access-token', ['base64']]]);
  },
);

it.each<[string, (letter: string) => string]>([
  ['dots', (letter) => `${letter}.`],
  ['dashes', (letter) => `${letter}-`],
  ['commas and blanks', (letter) => `${letter}, `],
  ['two blanks', (letter) => `${letter}  `],
  ['quotes and commas', (letter) => `"${letter}",`],
  ['quotes, commas and blanks', (letter) => `'${letter}', `],
  ['line breaks', (letter) => `${letter}\n`],
])('letters set apart by %s', async (_name, apart) => {
  const line = `the key is ${token} and no other`;
  expect(await found(`So it reads: ${[...line].map(apart).join('')} and that is all.`)).toEqual(['spaced']);
  const others = Array.from({ length: 400 }, (_, i) => `This is line ${i} of what else was said, and it is not the last of them.`).join(
    '\n',
  );
  const lines = Array.from({ length: 9 }, () => line).join(' ');
  expect(await found(`${others}\n${[...lines].map(apart).join('')}\n${others}`)).toContain('spaced');
});

it.each([
  ['numbers', Array.from({ length: 200 }, (_, i) => i % 10).join(', ')],
  ['a table', '| a | b | c |\n'.repeat(30)],
  ['a line of marks', '-.'.repeat(90)],
])('what only looks as if letters were set apart says nothing: %s', async (_name, text) => {
  expect((await inspector.inspect({ bytes: Buffer.from(text), contentType: '', views: [] })).findings).toEqual([]);
});

describe('a packed stream within something else', () => {
  const gzip = zlib.gzipSync(prose);
  const form = (file: Buffer) =>
    Buffer.concat([
      Buffer.from('--B\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n\r\n'),
      file,
      Buffer.from('\r\n--B--\r\n'),
    ]);
  const named = Buffer.concat([gzip.subarray(0, 3), Buffer.from([8]), gzip.subarray(4, 10), Buffer.from('a.txt\0'), gzip.subarray(10)]);
  const zip = (packed: Buffer) => {
    const header = Buffer.alloc(30);
    header.write('PK\x03\x04', 'latin1');
    header.writeUInt16LE(8, 8);
    header.writeUInt32LE(packed.length, 18);
    return Buffer.concat([header, packed]);
  };
  const literal = [...gzip].map((byte) =>
    byte === 0x5c || byte < 32 || byte > 126 ? `\\x${byte.toString(16).padStart(2, '0')}` : String.fromCharCode(byte),
  );
  it.each<[string, string | Buffer]>([
    ['gzip in a form', form(gzip)],
    ['gzip with a name in a form', form(named)],
    ['zstd in a form', form(zlib.zstdCompressSync(prose))],
    ['a ZIP in a form', form(zip(zlib.deflateRawSync(prose)))],
    ['gzip in a frame', Buffer.concat([Buffer.from([1, 0, 0, 1, 44]), gzip])],
    ['a literal with escapes', `data = b"${literal.join('')}"\nprint(data)`],
    ['a string of JSON with a character for each byte', JSON.stringify({ data: `${gzip.toString('latin1')}.` })],
  ])('%s', async (_name, content) => {
    expect(await found(content)).not.toEqual([]);
  });

  it('is none by chance: bytes that say so are opaque, and refuse nothing', async () => {
    const bytes = Buffer.concat([Buffer.from([1, 2, 3]), Buffer.from('\x1f\x8b\x08', 'latin1'), Buffer.alloc(400, 0xee)]);
    expect(await found(bytes)).toEqual([]);
  });

  it('marks without end are bounded work: the rest is opaque', async () => {
    const streams = [Buffer.from('\x1f\x8b\x08\x08', 'latin1'), Buffer.from('\x1f\xc2\x8b\x08', 'latin1')];
    for (const mark of streams) {
      const bytes = Buffer.concat([
        Buffer.from([1]),
        Buffer.alloc(1 << 20, mark),
        Buffer.alloc(1),
        zlib.deflateRawSync(Buffer.alloc(8 << 20)).subarray(0, 7000),
        noise,
      ]);
      const began = process.cpuUsage();
      const { isOpaque } = await inspector.inspect({ bytes, contentType: '', views: [] });
      expect([isOpaque, process.cpuUsage(began).user / 1e6 < 5]).toEqual([true, true]);
    }
  });

  it('a bomb in a form is refused', async () => {
    const { refused } = await inspector.inspect({ bytes: form(zlib.gzipSync(Buffer.alloc(300 << 20))), contentType: '', views: [] });
    expect(refused?.code).toBe('INSPECT_LIMIT');
  });
});
