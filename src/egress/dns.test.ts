import dgram from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import net from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createResolver, type DnsAttempt } from './dns.ts';
import { NameTable } from './name-table.ts';
import { createRig, dnsQuery } from './rig.ts';

function resolver(limit = 100) {
  const attempts: DnsAttempt[] = [];
  const names = new NameTable(limit);
  return { attempts, names, ...createResolver(names, (attempt) => attempts.push(attempt)) };
}

/** Code, number of answers, address. */
function readReply(reply: Buffer | undefined): unknown {
  if (!reply) return 'dropped';
  const code = (reply[3] ?? 0) & 15;
  const answers = reply.readUInt16BE(6);
  return answers === 0 ? { code, answers } : { code, answers, address: [...reply.subarray(-4)].join('.') };
}

describe('answers', () => {
  it.each<[string, Buffer, unknown]>([
    ['a name', dnsQuery('api.example', 1), { code: 0, answers: 1, address: '127.64.1.0' }],
    ['a name in other letters', dnsQuery('API.exAMPle', 1), { code: 0, answers: 1, address: '127.64.1.0' }],
    ['IPv6 of a name: none, so that IPv4 is used', dnsQuery('api.example', 28), { code: 0, answers: 0 }],
    ['localhost is the sandbox itself', dnsQuery('localhost', 1), { code: 0, answers: 1, address: '127.0.0.1' }],
    ['and so is what is below it', dnsQuery('db.localhost', 1), { code: 0, answers: 1, address: '127.0.0.1' }],
    ['TXT carries data', dnsQuery('c2VjcmV0.evil.example', 16), { code: 0, answers: 0 }],
    ['NULL carries data', dnsQuery('evil.example', 10), { code: 0, answers: 0 }],
    ['ANY', dnsQuery('evil.example', 255), { code: 0, answers: 0 }],
    ['zone transfer', dnsQuery('evil.example', 252), { code: 0, answers: 0 }],
    ['HTTPS record (ECH keys come this way)', dnsQuery('evil.example', 65), { code: 0, answers: 0 }],
    ['the root', dnsQuery('', 2), { code: 0, answers: 0 }],
    ['an address as a name', dnsQuery('1.2.3.4', 1), { code: 3, answers: 0 }],
    ['an encoded address as a name', dnsQuery('0x7f000001', 1), { code: 3, answers: 0 }],
    ['a decimal address as a name', dnsQuery('2852039166', 1), { code: 3, answers: 0 }],
    ['bytes as a name', dnsQuery('\x00\xff\x07.evil.example', 1), { code: 5, answers: 0 }],
    ['a blank in a name', dnsQuery('a b.example', 1), { code: 5, answers: 0 }],
    ['an option as a name', dnsQuery('-oproxycommand.example', 1), { code: 5, answers: 0 }],
    ['class CHAOS', dnsQuery('version.bind', 16, 1, 3), { code: 5, answers: 0 }],
    [
      'a name of 250 bytes',
      dnsQuery(`${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(50)}`, 1),
      { code: 0, answers: 1, address: '127.64.1.0' },
    ],
  ])('%s', (_name, query, expected) => {
    expect(readReply(resolver().answer(query, true))).toEqual(expected);
  });

  it.each<[string, Buffer]>([
    ['nothing', Buffer.alloc(0)],
    ['a header only', dnsQuery('a.example', 1).subarray(0, 12)],
    ['half a name', dnsQuery('a.example', 1).subarray(0, 16)],
    ['no type', dnsQuery('a.example', 1).subarray(0, -3)],
    ['a reply (two answerers would talk for ever)', Buffer.from(dnsQuery('a.example', 1).fill(0x81, 2, 3))],
    ['an update', Buffer.from(dnsQuery('a.example', 1).fill(0x28, 2, 3))],
    ['two questions', Buffer.from(dnsQuery('a.example', 1).fill(2, 5, 6))],
    ['a compressed name', Buffer.concat([dnsQuery('', 1).subarray(0, 12), Buffer.from([0xc0, 0x0c, 0, 1, 0, 1])])],
    ['more than a message', Buffer.concat([dnsQuery('a.example', 1), Buffer.alloc(5000)])],
    ['a name over 255 bytes', dnsQuery(Array.from({ length: 5 }, () => 'a'.repeat(60)).join('.'), 1)],
  ])('drops %s', (_name, query) => {
    const { answer, attempts } = resolver();
    expect(answer(query, true)).toBeUndefined();
    expect(attempts).toEqual([]);
  });

  it('gives each name its own address, always the same', () => {
    const { answer, names } = resolver();
    const ask = (name: string): unknown => readReply(answer(dnsQuery(name, 1), true));
    expect([ask('a.example'), ask('b.example'), ask('a.example')]).toMatchObject([
      { address: '127.64.1.0' },
      { address: '127.64.1.1' },
      { address: '127.64.1.0' },
    ]);
    expect([names.nameOf('127.64.1.1'), names.nameOf('127.64.1.2')]).toEqual(['b.example', undefined]);
  });

  it('refuses new names when the table is full, and keeps the old ones', () => {
    const { answer, attempts } = resolver(2);
    const codes = ['a', 'b', 'c', 'a'].map((name) => readReply(answer(dnsQuery(`${name}.example`, 1), true)));
    expect(codes).toMatchObject([{ code: 0 }, { code: 0 }, { code: 5 }, { code: 0 }]);
    expect(attempts).toEqual([{ name: 'c.example', type: 'A', isOurResolver: true, refused: 'too many names in one session' }]);
  });

  it('tells of data in DNS once for each name and type', () => {
    const { answer, attempts } = resolver();
    for (const type of [16, 16, 15, 1, 28]) answer(dnsQuery('SECRET.evil.example', type), true);
    expect(attempts.map(({ name, type }) => `${type} ${name}`)).toEqual(['TXT secret.evil.example', 'MX secret.evil.example']);
  });

  it('does not flood the ledger with data sent as names, but says that there was more', () => {
    const { answer, attempts } = resolver();
    for (let i = 0; i < 5000; i += 1) answer(dnsQuery(`${i}.evil.example`, 16), true);
    expect(attempts).toHaveLength(4097);
    expect(attempts.at(-1)?.refused).toBe('only addresses are answered, not TXT; there were so many that further ones are not listed');
  });

  it('refuses to stand in for another resolver, and tells', () => {
    const { answer, attempts } = resolver();
    expect(readReply(answer(dnsQuery('a.example', 1), false))).toEqual({ code: 5, answers: 0 });
    expect(attempts).toMatchObject([{ name: 'a.example', type: 'A', isOurResolver: false }]);
  });

  it('escapes what it tells', () => {
    const { answer, attempts } = resolver();
    answer(dnsQuery('\x1b[31m\n.example', 1), true);
    expect(attempts.map(({ name }) => name)).toEqual(['\\x1b\\x5b31m\\x0a.example']);
  });
});

describe('hostile bytes', () => {
  it('no bytes make it throw, and every reply is a well-formed one to the question', () => {
    const { answer } = resolver();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), fc.boolean(), (bytes, isOurs) => {
        const reply = answer(Buffer.from(bytes), isOurs);
        if (!reply) return;
        expect(reply.subarray(0, 2)).toEqual(Buffer.from(bytes.subarray(0, 2)));
        expect((reply[2] ?? 0) & 0x80).toBe(0x80);
      }),
    );
  });

  it('no spoilt query gets an address that stands for no name', () => {
    const { answer, names } = resolver(10_000);
    const label = fc.string({ unit: 'binary-ascii', minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(fc.array(label, { maxLength: 4 }), fc.nat(300), fc.nat(), fc.nat(255), (labels, type, at, byte) => {
        const query = dnsQuery(labels.map((text) => text.replaceAll('.', 'x')).join('.'), type);
        query[at % query.length] = byte;
        const read = readReply(answer(query, true));
        if (typeof read !== 'object' || read === null || !('address' in read) || typeof read.address !== 'string') return;
        expect(read.address === '127.0.0.1' || names.nameOf(read.address) !== undefined).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});

describe('over sockets', () => {
  it('c-ares asks by UDP, and by TCP in one connection', async () => {
    const rig = createRig();
    const udp = dgram.createSocket('udp4', (query, from) => {
      const reply = rig.egress.answerDns(query, 'udp', true);
      if (reply) udp.send(reply, from.port, from.address);
    });
    await new Promise<void>((resolve) => udp.bind(0, '127.0.0.1', resolve));
    const asked = new Resolver();
    asked.setServers([`127.0.0.1:${udp.address().port}`]);
    expect(await asked.resolve4('a.example')).toEqual(['127.64.1.0']);
    await expect(asked.resolveTxt('a.example')).rejects.toMatchObject({ code: 'ENODATA' });
    await expect(asked.resolve6('a.example')).rejects.toMatchObject({ code: 'ENODATA' });
    udp.close();

    const server = net.createServer((socket) => rig.egress.dnsTcp(socket)).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const address = server.address();
    const framed = ['a.example', 'b.example'].map((name) => {
      const query = dnsQuery(name, 1);
      return Buffer.concat([Buffer.from([0, query.length]), query]);
    });
    const socket = net.connect(typeof address === 'object' && address ? address.port : 0, '127.0.0.1');
    const bytes = Buffer.concat(framed);
    socket.write(bytes.subarray(0, 30));
    setImmediate(() => socket.write(bytes.subarray(30)));
    let seen = Buffer.alloc(0);
    for await (const chunk of socket) {
      if (Buffer.isBuffer(chunk)) seen = Buffer.concat([seen, chunk]);
      if (seen.length >= 2 * (2 + 12 + 15 + 16)) break;
    }
    expect([...seen.subarray(-4)].join('.')).toBe('127.64.1.1');
    expect(rig.attempts).toMatchObject([{ host: 'a.example', port: 53, protocol: 'dns', isDirect: false, detail: { type: 'TXT' } }]);
    server.close();
    await rig.stop();
  });
});
