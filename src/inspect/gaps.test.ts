// Archives and streams hold more than their members: what hides between them is looked at, or it makes them opaque.
import crypto from 'node:crypto';
import zlib from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { githubToken } from './detectors/github-checksum.ts';
import { createInspector } from './inspector.ts';

const token = githubToken('ghp_', 11);
/** Not to be read where it stands. */
const hidden = zlib.deflateSync(`The deploy job reads its key from the environment: ${token} is set for the build.`);
const noise = crypto.createHash('shake256', { outputLength: 3000 }).update('noise').digest();
const inspector = createInspector();
const inspect = (bytes: Buffer) => inspector.inspect({ bytes, contentType: '', views: [] });

const padded = (bytes: Buffer) => Buffer.concat([bytes, Buffer.alloc(-bytes.length & 511)]);
const ends = Buffer.alloc(1024);
function header(name: string, size: number | Buffer, type = '0'): Buffer {
  const block = Buffer.alloc(512);
  block.write(name, 0, 'latin1');
  if (typeof size === 'number') block.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
  else size.copy(block, 124);
  block.write('        ', 148);
  block.write(type, 156);
  block.write('ustar\x0000', 257, 'latin1');
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}
const member = (content: Buffer, name = 'a.txt') => [header(name, content.length), padded(content)];
const plain = Buffer.from('nothing in here\n');
function base256(size: number): Buffer {
  const field = Buffer.alloc(12);
  field[0] = 0x80;
  field.writeUInt32BE(size, 8);
  return field;
}
function pax(records: string): Buffer[] {
  return [header('pax', records.length, 'x'), padded(Buffer.from(records))];
}

interface ZipOptions {
  readonly extra?: Buffer;
  readonly entryExtra?: Buffer;
  readonly comment?: Buffer;
  readonly flags?: number;
  readonly behind?: Buffer;
  readonly gap?: Buffer;
  readonly stored?: Buffer;
}
const nothing = Buffer.alloc(0);
function zip({
  extra = nothing,
  entryExtra = nothing,
  comment = nothing,
  flags = 0,
  behind = nothing,
  gap = nothing,
  stored,
}: ZipOptions): Buffer {
  const data = stored ?? Buffer.concat([zlib.deflateRawSync(plain), behind]);
  const fixed = Buffer.alloc(26);
  fixed.writeUInt16LE(flags, 2);
  fixed.writeUInt16LE(stored ? 0 : 8, 4);
  const entry = Buffer.from(fixed);
  entry.writeUInt32LE(data.length, 14);
  if ((flags & 8) === 0) entry.copy(fixed, 14, 14, 18);
  for (const each of [fixed, entry]) each.writeUInt16LE(5, 22);
  fixed.writeUInt16LE(extra.length, 24);
  entry.writeUInt16LE(entryExtra.length, 24);
  const name = Buffer.from('a.txt');
  const local = Buffer.concat([Buffer.from('PK\x03\x04'), fixed, name, extra, data, gap]);
  const directory = Buffer.concat([Buffer.from('PK\x01\x02\0\0'), entry, Buffer.alloc(14), name, entryExtra]);
  const end = Buffer.alloc(18);
  end.writeUInt32LE(directory.length, 8);
  end.writeUInt32LE(local.length, 12);
  end.writeUInt16LE(comment.length, 16);
  return Buffer.concat([local, directory, Buffer.from('PK\x05\x06'), end, comment]);
}
const record = (content: Buffer) => {
  const head = Buffer.from([0x37, 0x13, 0, 0]);
  head.writeUInt16LE(content.length, 2);
  return Buffer.concat([head, content]);
};

function gzip(flags: number, fields: Buffer): Buffer {
  const packed = zlib.gzipSync(plain);
  const head = Buffer.from(packed.subarray(0, 10));
  head[3] = flags;
  return Buffer.concat([head, fields, packed.subarray(10)]);
}
const withLength = (bytes: Buffer) => Buffer.concat([Buffer.from([bytes.length & 255, bytes.length >> 8]), bytes]);
const base64 = (bytes: Buffer) => Buffer.from(`${bytes.toString('base64url')}\0`);
const reversed = Buffer.from(
  `${[...`the key of the job is ${token} and it is not for the others to see or to use in any of the runs`].reverse().join('')}\0`,
);

describe('a secret is found wherever it hides in', () => {
  const places: [string, (secret: Buffer) => Buffer][] = [
    ['tar: a member with a size in base 256', (x) => Buffer.concat([header('a', base256(x.length)), padded(x), ends])],
    [
      'tar: a member whose size is in a pax header',
      (x) => Buffer.concat([...pax(`${x.length < 100 ? 11 : 12} size=${x.length}\n`), header('a', 0), padded(x), ends]),
    ],
    ['tar: a member without a name', (x) => Buffer.concat([...member(plain), ...member(x, '\0a'), ends])],
    [
      'tar: what stands behind a member',
      (x) => Buffer.concat([header('a', 5), Buffer.from('plain'), x, Buffer.alloc(507 - x.length), ends]),
    ],
    ['tar: what stands behind the end', (x) => Buffer.concat([...member(plain), ends, x])],
    ['tar: what looks like no header', (x) => Buffer.concat([...member(plain), padded(x), ends])],
    [
      'tar: a field of a header, behind its end',
      (x) => {
        const block = header('a', 0);
        x.copy(block, 345 + 2);
        return Buffer.concat([...member(plain), block, ends]);
      },
    ],
    ['zip: what stands behind the end', (x) => Buffer.concat([zip({}), x])],
    ['zip: its comment', (x) => zip({ comment: x })],
    ['zip: what is added to a header', (x) => zip({ extra: record(x) })],
    ['zip: what is added in the directory', (x) => zip({ entryExtra: record(x) })],
    ['zip: what stands before the directory', (x) => zip({ gap: x })],
    ['zip: what stands behind the packed bytes of a member', (x) => zip({ behind: x })],
    ['zip: a stored member of unknown size', (x) => zip({ stored: x, flags: 8 })],
    ['gzip: what is added to the header', (x) => gzip(4, withLength(x))],
  ];
  it.each(places)('%s', async (_name, make) => {
    const report = await inspect(make(hidden));
    expect(report.refused).toBeUndefined();
    expect(report.findings.map(({ detector }) => detector)).toContain('github-pat');
  });

  it.each(places.filter(([name]) => !/header|behind a member|no header/.test(name)))('%s: or it is opaque', async (_name, make) => {
    expect((await inspect(make(noise))).isOpaque).toBe(true);
    expect((await inspect(make(plain))).isOpaque).toBeUndefined();
  });

  it.each([
    ['name', 8],
    ['comment', 16],
  ])('gzip: the %s', async (_name, flags) => {
    const report = await inspect(gzip(flags, reversed));
    expect(report.findings.map(({ detector }) => detector)).toContain('github-pat');
  });

  it('zip: a stored member of unknown size in which a record seems to begin', async () => {
    // In blocks that are not packed, so that what is put in does not break them off.
    const packed = zlib.deflateSync(Buffer.concat([noise, Buffer.from('PK\x01\x02'), noise, Buffer.from(` it is ${token} `)]), {
      level: 0,
    });
    const { findings } = await inspect(zip({ stored: packed, flags: 8 }));
    expect(findings.filter(({ view }) => view.includes('zip')).map(({ detector }) => detector)).toEqual(['github-pat']);
  });
});

it('a size that does not parse makes a tar opaque', async () => {
  expect((await inspect(Buffer.concat([header('a', Buffer.from('what is it?')), padded(plain), ends]))).isOpaque).toBe(true);
});

it('noise stays opaque when a part of it happens to be readable', async () => {
  const mixed = Buffer.concat([noise, base64(Buffer.from('the words of a text that can be read')), noise]);
  expect((await inspect(mixed)).isOpaque).toBe(true);
});
