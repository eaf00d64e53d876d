// What happens at the sandbox's way out when the daemon behind it is slow, wrong or gone: a refusal, and never anything else.
import { once } from 'node:events';
import http2 from 'node:http2';
import net from 'node:net';
import { PassThrough, Readable } from 'node:stream';
import tls from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { type ExchangeReply, IntramurError } from '../../src/core/index.ts';
import type { Connect } from '../../src/egress/index.ts';
import { createRig, exchangeBytes, type Rig, type RigOptions } from '../../src/egress/rig.ts';

let rig: Rig;
afterEach(async () => await rig.stop());

type Forward = NonNullable<RigOptions['forward']>;

const never = new Promise<never>(() => {});
/** What a caller without a type checker could return. */
const garbage =
  (value: unknown): Forward =>
  async () =>
    value as ExchangeReply;
const body = Buffer.from('leak');

describe('forward', () => {
  const faults: [string, Forward, RegExp][] = [
    ['throws', () => Promise.reject(new Error('secret in a message')), /this is a bug in the product \(INTERNAL\)/],
    [
      'throws at once',
      () => {
        throw new Error('secret in a message');
      },
      /INTERNAL/,
    ],
    ['throws something that is no error', () => Promise.reject('secret in a message'), /INTERNAL/],
    [
      'finds no daemon',
      () => Promise.reject(new IntramurError('DAEMON_UNREACHABLE', 'x')),
      /the daemon could not be reached \(DAEMON_UNREACHABLE\)/,
    ],
    [
      'cannot record',
      () => Promise.reject(new IntramurError('LEDGER_APPEND', 'x')),
      /the decision could not be recorded \(LEDGER_APPEND\)/,
    ],
    ['hangs', () => never, /DAEMON_UNREACHABLE/],
    ['returns nothing', garbage(undefined), /INTERNAL/],
    ['returns null', garbage(null), /INTERNAL/],
    ['returns text', garbage('200 OK'), /INTERNAL/],
    ['returns no status', garbage({ rawHeaders: [], body }), /INTERNAL/],
    ['returns status 0', garbage({ status: 0, rawHeaders: [], body }), /INTERNAL/],
    ['returns status 101', garbage({ status: 101, rawHeaders: [], body }), /INTERNAL/],
    ['returns status 999', garbage({ status: 999, rawHeaders: [], body }), /INTERNAL/],
    ['returns a status that is text', garbage({ status: '200', rawHeaders: [], body }), /INTERNAL/],
    ['returns half a header', garbage({ status: 200, rawHeaders: ['x'], body }), /INTERNAL/],
    ['returns headers as an object', garbage({ status: 200, rawHeaders: { a: 'b' }, body }), /INTERNAL/],
    ['returns a header that is no text', garbage({ status: 200, rawHeaders: ['a', 1], body }), /INTERNAL/],
    ['returns a header name with a blank', garbage({ status: 200, rawHeaders: ['a b', 'c'], body }), /INTERNAL/],
    ['returns a header value with NUL', garbage({ status: 200, rawHeaders: ['a', 'b\0c'], body }), /INTERNAL/],
    [
      'returns a length that is none',
      garbage({ status: 200, rawHeaders: ['content-length', '-1'], body: Readable.from([body]) }),
      /INTERNAL/,
    ],
    ['returns no body', garbage({ status: 200, rawHeaders: [] }), /INTERNAL/],
    ['returns text as body', garbage({ status: 200, rawHeaders: [], body: 'leak' }), /INTERNAL/],
  ];

  it.each(faults)('%s -> refused over HTTP/1.1, and nothing else is sent', async (_name, forward, reason) => {
    rig = createRig({ forward, limits: { forwardMs: 200 } });
    const port = await rig.listen('any', 80);
    const seen = await exchangeBytes(port, 'GET /x?secret=1 HTTP/1.1\r\nHost: a.example\r\n\r\n', rig.resolve('a.example'), true);
    expect(seen).toMatch(/^HTTP\/1\.1 403 Forbidden\r\n[^]*\r\n\r\nIntramur refused: [^\n]*\n$/);
    expect(seen).toMatch(reason);
    expect(seen).not.toMatch(/leak|secret/);
    expect(rig.attempts).toMatchObject([
      { host: 'a.example', detail: { method: 'GET', path: '/x', refused: expect.stringMatching(reason) } },
    ]);
  });

  it.each(faults)('%s -> refused over HTTP/2, and the connection lives', async (_name, forward, reason) => {
    rig = createRig({
      forward: (head, ...rest) =>
        head.target === '/next' ? Promise.resolve({ status: 200, rawHeaders: [], body: Buffer.from('next') }) : forward(head, ...rest),
      limits: { forwardMs: 200, closeMs: 200 },
    });
    const port = await rig.listen('any', 443);
    const session = http2.connect('https://a.example', {
      host: rig.resolve('a.example'),
      port,
      ca: rig.authority.pem,
      servername: 'a.example',
    });
    const ask = async (path: string): Promise<[unknown, string]> => {
      const stream = session.request({ ':path': path, ':authority': 'a.example' });
      const [headers] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders];
      let seen = '';
      for await (const chunk of stream.setEncoding('utf8')) seen += String(chunk);
      return [headers[':status'], seen];
    };
    expect(await ask('/')).toEqual([403, expect.stringMatching(reason)]);
    expect(await ask('/next')).toEqual([200, 'next']);
    session.destroy();
  });

  it('answers after its limit -> what came late is let go', async () => {
    const late = new PassThrough();
    rig = createRig({
      limits: { forwardMs: 50 },
      forward: () => new Promise((resolve) => setTimeout(resolve, 150, { status: 200, rawHeaders: [], body: late })),
    });
    const port = await rig.listen('any', 80);
    const seen = await exchangeBytes(port, 'GET / HTTP/1.1\r\nHost: a.example\r\n\r\n', rig.resolve('a.example'), true);
    expect(seen).toMatch(/^HTTP\/1\.1 403 /);
    await expect.poll(() => late.destroyed).toBe(true);
  });

  it('returns garbage with a body -> the body is let go', async () => {
    const leaking = new PassThrough();
    rig = createRig({ forward: garbage({ status: 200, rawHeaders: ['a b', 'c'], body: leaking }) });
    const port = await rig.listen('any', 80);
    await exchangeBytes(port, 'GET / HTTP/1.1\r\nHost: a.example\r\n\r\n', rig.resolve('a.example'), true);
    expect(leaking.destroyed).toBe(true);
  });

  it('hangs -> is told to stop', async () => {
    let aborted = false;
    rig = createRig({
      limits: { forwardMs: 50 },
      forward: (_head, _body, signal) => {
        signal.addEventListener('abort', () => {
          aborted = true;
        });
        return never;
      },
    });
    const port = await rig.listen('any', 80);
    await exchangeBytes(port, 'GET / HTTP/1.1\r\nHost: a.example\r\n\r\n', rig.resolve('a.example'), true);
    expect(aborted).toBe(true);
  });

  it('and the record of it fails, too -> still refused, at once', async () => {
    rig = createRig({
      forward: () => Promise.reject(new IntramurError('DAEMON_UNREACHABLE', 'x')),
      connect: () => never,
      limits: { closeMs: 100 },
    });
    const port = await rig.listen('any', 80);
    const seen = await exchangeBytes(port, 'GET / HTTP/1.1\r\nHost: a.example\r\n\r\n', rig.resolve('a.example'), true);
    expect(seen).toMatch(/^HTTP\/1\.1 403 /);
  });
});

describe('connect', () => {
  const open = async (): Promise<PassThrough> => new PassThrough();
  it.each<[string, Connect]>([
    ['throws', () => Promise.reject(new Error('x'))],
    [
      'throws at once',
      () => {
        throw new Error('x');
      },
    ],
    ['hangs', () => never],
    ['returns nothing', async () => undefined as never],
    ['returns an effect that is none', async () => ({ effect: 'maybe', open }) as never],
    ['returns the letters in another case', async () => ({ effect: 'Allow', open }) as never],
    ['allows without a way', async () => ({ effect: 'allow' }) as never],
    ['opens and throws', async () => ({ effect: 'allow', open: () => Promise.reject(new Error('x')) })],
    ['opens and hangs', async () => ({ effect: 'allow', open: () => never })],
    ['opens nothing', async () => ({ effect: 'allow', open: async () => undefined as never })],
  ])('%s -> the connection is closed', async (_name, connect) => {
    rig = createRig({ connect, limits: { connectMs: 100, closeMs: 100 } });
    const ssh = await rig.listen('any', 22);
    const raw = await rig.listen('any', 5432);
    const address = rig.resolve('git.example');
    expect(await exchangeBytes(ssh, 'SSH-2.0-x\r\n', address)).toMatch(/^SSH-2\.0-Intramur\r\n[^]*Intramur refused: /);
    expect(await exchangeBytes(raw, Buffer.from([0, 0, 0, 8]), address)).toMatch(/^(<ECONNRESET>)?$/);
  });

  it('allows what egress had already refused -> it stays refused', async () => {
    let opened = 0;
    rig = createRig({
      connect: async () => ({
        effect: 'allow',
        async open() {
          opened += 1;
          return new PassThrough();
        },
      }),
    });
    const port = await rig.listen('any', 443);
    await exchangeBytes(port, 'SSH-2.0-x\r\n', rig.resolve('a.example'));
    expect(rig.refusals()).toHaveLength(1);
    expect(opened).toBe(0);
  });

  it('opens after its limit -> what came late is let go', async () => {
    const late = new PassThrough();
    rig = createRig({
      limits: { connectMs: 50 },
      connect: async () => ({ effect: 'allow', open: () => new Promise((resolve) => setTimeout(resolve, 150, late)) }),
    });
    const port = await rig.listen('any', 22);
    await exchangeBytes(port, 'SSH-2.0-x\r\n', rig.resolve('git.example'));
    await expect.poll(() => late.destroyed).toBe(true);
  });
});

describe('the end of the session', () => {
  it('cuts everything at once, and tells the exchanges', async () => {
    const signals: AbortSignal[] = [];
    rig = createRig({
      forward: (_head, _body, signal) => {
        signals.push(signal);
        return never;
      },
      connect: async () => ({ effect: 'allow', open: async () => new PassThrough() }),
    });
    const http = await rig.listen('any', 80);
    const ssh = await rig.listen('any', 22);
    const address = rig.resolve('a.example');
    const open = [
      exchangeBytes(http, 'GET / HTTP/1.1\r\nHost: a.example\r\n\r\n', address),
      exchangeBytes(ssh, 'SSH-2.0-x\r\n', address),
      exchangeBytes(http, '', address),
    ];
    await expect.poll(() => [signals.length, rig.attempts.length]).toEqual([1, 1]);
    await rig.egress.close();
    await Promise.all(open);
    await expect.poll(() => signals[0]?.aborted).toBe(true);
  });

  it('takes no connection after it', async () => {
    rig = createRig();
    const port = await rig.listen('any', 80);
    await rig.egress.close();
    const seen = await exchangeBytes(port, 'GET / HTTP/1.1\r\nHost: a.example\r\n\r\n', '127.64.1.0');
    expect(seen).toMatch(/^(<ECONNRESET>)?$/);
    expect(rig.heads).toEqual([]);
  });

  it('tells of a direct attempt that is still silent, not of other silent connections', async () => {
    rig = createRig();
    const direct = await rig.listen('any', 443, '1.1.1.1');
    const named = await rig.listen('any', 443);
    const silent = [net.connect(direct, '127.0.0.1'), net.connect(named, rig.resolve('a.example'))];
    await Promise.all(silent.map((socket) => once(socket, 'connect')));
    const secured = tls.connect({ host: rig.resolve('a.example'), port: named, servername: 'a.example', ca: rig.authority.pem });
    await once(secured, 'secureConnect');
    for (const socket of [...silent, secured]) socket.on('error', () => {});
    await rig.egress.close();
    expect(rig.attempts.map(({ host }) => host)).toEqual(['1.1.1.1']);
  });

  it('waits until the last refusal is recorded', async () => {
    let recorded = 0;
    rig = createRig({
      async connect() {
        await new Promise((resolve) => setTimeout(resolve, 100));
        recorded += 1;
        return { effect: 'deny', reason: 'recorded' };
      },
    });
    const port = await rig.listen('any', 443, '1.1.1.1');
    const socket = net.connect(port, '127.0.0.1');
    await once(socket, 'connect');
    socket.end('raw bytes\n');
    await expect.poll(() => rig.attempts.length).toBe(1);
    await rig.egress.close();
    expect(recorded).toBe(1);
  });
});
