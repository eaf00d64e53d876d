// Bodies in both directions: as they come, at the other side's pace, and never ended when they only broke off.
import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import net from 'node:net';
import { PassThrough, Readable } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import type { ExchangeReply } from '../core/index.ts';
import { createRig, exchangeBytes, type Rig, type RigOptions, readAll, talk, text } from './rig.ts';

let rig: Rig;
afterEach(async () => await rig.stop());

/** A way to ask: HTTP/1.1 in the clear or HTTP/2 over TLS. */
interface Asked {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders | http2.IncomingHttpHeaders;
  readonly body: Readable;
  readonly request: http.ClientRequest | http2.ClientHttp2Stream;
}

type Ask = (options: { path?: string; method?: string; body?: Readable | string; headers?: Record<string, string> }) => Promise<Asked>;

async function over(version: string, options: RigOptions): Promise<Ask> {
  rig = createRig(options);
  const address = rig.resolve('a.example');
  if (version === 'HTTP/1.1') {
    const port = await rig.listen('any', 80);
    return async ({ path = '/', method = 'GET', body, headers = {} }) => {
      const request = http.request({ host: address, port, path, method, headers: { host: 'a.example', ...headers } });
      if (body instanceof Readable) body.pipe(request);
      else request.end(body);
      const [response] = (await once(request, 'response')) as [http.IncomingMessage];
      request.on('error', () => {});
      return { status: response.statusCode ?? 0, headers: response.headers, body: response, request };
    };
  }
  const port = await rig.listen('any', 443);
  const session = http2.connect('https://a.example', { host: address, port, ca: rig.authority.pem, servername: 'a.example' });
  session.on('error', () => {});
  return async ({ path = '/', method = 'GET', body, headers = {} }) => {
    const request = session.request(
      { ':path': path, ':method': method, ':authority': 'a.example', ...headers },
      { endStream: body === undefined },
    );
    if (body instanceof Readable) body.pipe(request);
    else if (body !== undefined) request.end(body);
    const [got] = (await once(request, 'response')) as [http2.IncomingHttpHeaders];
    request.on('error', () => {});
    return { status: Number(got[':status']), headers: got, body: request, request };
  };
}

function streamed(body: Readable, headers: readonly string[] = []): ExchangeReply {
  return { status: 200, rawHeaders: ['content-type', 'text/event-stream', ...headers], body };
}

describe.each(['HTTP/1.1', 'HTTP/2'])('%s', (version) => {
  it('events arrive one by one, the head before the first (friction 3)', async () => {
    const events = new PassThrough();
    const ask = await over(version, { forward: async () => streamed(events) });
    const { status, body, headers } = await ask({});
    expect([status, headers['content-type']]).toEqual([200, 'text/event-stream']);
    for (const word of ['one', 'two', 'three']) {
      events.write(`data: ${word}\n\n`);
      const [chunk] = (await once(body, 'data')) as [Buffer];
      expect(String(chunk)).toBe(`data: ${word}\n\n`);
    }
    events.end();
    await once(body, 'end');
  });

  it('a program that goes away aborts the exchange and its body', async () => {
    const events = new PassThrough();
    let signal: AbortSignal | undefined;
    const ask = await over(version, {
      async forward(_head, _body, given) {
        signal = given;
        return streamed(events);
      },
    });
    const { request, body } = await ask({});
    body.on('error', () => {});
    events.write('data: one\n\n');
    await once(body, 'data');
    expect(signal?.aborted).toBe(false);
    request.destroy();
    await expect.poll(() => [signal?.aborted, events.destroyed]).toEqual([true, true]);
    expect(rig.refusals()).toEqual([]);
  });

  it('a program that goes away before the reply aborts the exchange', async () => {
    let signal: AbortSignal | undefined;
    const ask = await over(version, {
      forward(_head, _body, given) {
        signal = given;
        return new Promise((_resolve, reject) => given.addEventListener('abort', () => reject(given.reason)));
      },
    });
    const asked = ask({ headers: { 'x-a': 'b' } });
    asked.catch(() => {});
    await expect.poll(() => signal).toBeDefined();
    await rig.egress.close();
    await expect.poll(() => signal?.aborted).toBe(true);
  });

  it('a request that breaks off is an error, never a whole body', async () => {
    let outcome = 'open';
    const ask = await over(version, {
      async forward(_head, body) {
        outcome = await readAll(body).then(
          () => 'whole',
          (error: Error) => error.message,
        );
        return text(200, 'late');
      },
    });
    const body = new PassThrough();
    body.on('error', () => {});
    const asked = ask({ method: 'POST', body });
    asked.catch(() => {});
    body.write('half');
    await expect.poll(() => rig.heads.length).toBe(1);
    body.destroy(new Error('the program died'));
    // pipe() does not pass errors on: cut the connection as a dying program does.
    await rig.egress.close();
    await expect.poll(() => outcome).toBe('the program broke off its request');
  });

  it('100 MB go up and down without being gathered', async () => {
    const total = 100 * 1024 * 1024;
    const chunk = Buffer.alloc(256 * 1024, 7);
    let most = 0;
    let up = 0;
    const ask = await over(version, {
      async forward(_head, body) {
        for await (const part of body) {
          up += (part as Buffer).length;
          most = Math.max(most, body.readableLength);
        }
        return streamed(parts(chunk, total), ['content-length', String(total)]);
      },
    });
    const { body } = await ask({ method: 'POST', body: parts(chunk, total) });
    let down = 0;
    for await (const part of body) down += (part as Buffer).length;
    expect([up, down]).toEqual([total, total]);
    expect(most).toBeLessThan(4 * 1024 * 1024);
  });

  it('a program that does not read holds the sender back', async () => {
    let made = 0;
    const chunk = Buffer.alloc(64 * 1024);
    const endless = new Readable({
      read() {
        made += chunk.length;
        this.push(chunk);
      },
    });
    const ask = await over(version, { forward: async () => streamed(endless) });
    const { request } = await ask({});
    await new Promise((resolve) => setTimeout(resolve, 300));
    const before = made;
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(made - before).toBeLessThan(1024 * 1024);
    expect(made).toBeLessThan(64 * 1024 * 1024);
    request.destroy();
    await expect.poll(() => endless.destroyed).toBe(true);
  });

  it('a refusal comes before the upload is over, and the connection lives', async () => {
    let signal: AbortSignal | undefined;
    const ask = await over(version, {
      async forward(head, _body, given) {
        if (head.method === 'GET') return text(200, 'still here');
        signal = given;
        return text(403, 'Intramur refused: no');
      },
    });
    const upload = new PassThrough();
    const asked = ask({ method: 'POST', body: upload });
    upload.write(Buffer.alloc(1024));
    const { status, body } = await asked;
    expect([status, String(await readAll(body))]).toEqual([403, 'Intramur refused: no']);
    await expect.poll(() => signal?.aborted).toBe(true);
    upload.end();
    const again = await ask({});
    expect(String(await readAll(again.body))).toBe('still here');
  });

  it.each<[string, string, number, readonly string[]]>([
    ['HEAD', 'HEAD', 200, ['content-length', '1234']],
    ['204', 'DELETE', 204, []],
    ['304', 'GET', 304, ['etag', '"x"', 'content-length', '99']],
  ])('%s has no body, and the connection goes on', async (_name, method, status, headers) => {
    const ask = await over(version, {
      forward: async (head) =>
        head.target === '/next' ? text(200, 'next') : { status, rawHeaders: headers, body: Readable.from([Buffer.from('never sent')]) },
    });
    const first = await ask({ method });
    expect([first.status, first.headers['content-length']]).toEqual(
      [status, headers[headers.indexOf('content-length') + 1] ?? undefined].map((value, i) =>
        i === 1 && !headers.includes('content-length') ? undefined : value,
      ),
    );
    expect(String(await readAll(first.body))).toBe('');
    expect(String(await readAll((await ask({ path: '/next' })).body))).toBe('next');
  });

  it('repeated headers stay apart, unknown ones stay, redirects are not followed', async () => {
    const ask = await over(version, {
      forward: async () => ({
        status: 302,
        rawHeaders: [
          'Location',
          'http://169.254.169.254/',
          'Set-Cookie',
          'a=1',
          'Set-Cookie',
          'b=2',
          'X-Unknown',
          'y',
          'Connection',
          'close',
          'Keep-Alive',
          'x',
        ],
        body: Buffer.from('moved'),
      }),
    });
    const { status, headers, body } = await ask({});
    await readAll(body);
    expect([status, headers['location'], headers['set-cookie'], headers['x-unknown'], headers['content-length']]).toEqual([
      302,
      'http://169.254.169.254/',
      ['a=1', 'b=2'],
      'y',
      '5',
    ]);
    expect(rig.heads).toHaveLength(1);
  });

  it.each<[string, (body: PassThrough) => void, readonly string[]]>([
    ['an error in the middle', (body) => body.destroy(new Error('the daemon died')), []],
    ['an error in the middle of a known length', (body) => body.destroy(new Error('the daemon died')), ['content-length', '1000']],
    ['an end that is too early', (body) => body.end(), ['content-length', '1000']],
    ['more than was declared', (body) => body.end(Buffer.alloc(100)), ['content-length', '10']],
    ['a close without an end', (body) => body.destroy(), []],
  ])('%s never looks like a clean end', async (_name, finish, headers) => {
    const reply = new PassThrough();
    const ask = await over(version, { forward: async () => streamed(reply, headers) });
    const { body } = await ask({});
    reply.write('begun');
    await once(body, 'data');
    body.resume();
    const ended = Promise.withResolvers<string>();
    body.on('error', () => ended.resolve('broken')).on('end', () => ended.resolve('clean end'));
    finish(reply);
    expect(await ended.promise).toBe('broken');
  });
});

describe('HTTP/1.1 on one connection', () => {
  it('pipelined requests are answered in order', async () => {
    rig = createRig({
      async forward(head) {
        // The first is the slowest.
        await new Promise((resolve) => setTimeout(resolve, head.target === '/1' ? 50 : 0));
        return text(200, head.target);
      },
    });
    const port = await rig.listen('any', 80);
    const ask = (path: string, more = ''): string => `GET ${path} HTTP/1.1\r\nHost: a.example\r\n${more}\r\n`;
    const seen = await exchangeBytes(port, ask('/1') + ask('/2') + ask('/3', 'Connection: close\r\n'), rig.resolve('a.example'));
    expect(seen.match(/\/\d/g)?.filter((part) => part !== '/1' || true)).toEqual(expect.arrayContaining(['/1', '/2', '/3']));
    expect(
      seen.indexOf('/1\r') < 0 &&
        seen.indexOf('\r\n\r\n/1') < seen.indexOf('\r\n\r\n/2') &&
        seen.indexOf('\r\n\r\n/2') < seen.indexOf('\r\n\r\n/3'),
    ).toBe(true);
  });

  it('a reply to HTTP/1.0 that breaks off is reset, because there a close is an end', async () => {
    const reply = new PassThrough();
    rig = createRig({ forward: async () => streamed(reply) });
    const port = await rig.listen('any', 80);
    const { until, ended } = talk(port, 'GET / HTTP/1.0\r\nHost: a.example\r\n\r\n', rig.resolve('a.example'));
    reply.write('begun');
    await until('begun');
    reply.destroy(new Error('the daemon died'));
    expect(await ended).toMatch(/begun[^]*<ECONNRESET>$/);
  });

  it('a program that ends its side still gets its answer', async () => {
    rig = createRig();
    const port = await rig.listen('any', 80);
    const socket = net.connect({ port, host: rig.resolve('a.example'), allowHalfOpen: true });
    socket.end('GET / HTTP/1.0\r\nHost: a.example\r\n\r\n');
    let seen = '';
    for await (const chunk of socket.setEncoding('latin1')) seen += String(chunk);
    expect(seen).toContain('GET http://a.example:80/');
  });

  it('trailers are dropped in both directions', async () => {
    rig = createRig();
    const port = await rig.listen('any', 80);
    const chunked =
      'POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\nConnection: close\r\n\r\n5\r\nhello\r\n0\r\nX-T: y\r\n\r\n';
    expect(await exchangeBytes(port, chunked, rig.resolve('a.example'))).toContain('POST http://a.example:80/');
    expect(rig.heads[0]?.rawHeaders).toEqual(['Host', 'a.example']);
    expect(String(rig.bodies[0])).toBe('hello');
  });

  it('a reply cannot be split by what it carries', async () => {
    rig = createRig({ forward: async () => ({ status: 200, rawHeaders: ['x-a', 'b\r\nset-cookie: c=d'], body: Buffer.from('x') }) });
    const port = await rig.listen('any', 80);
    const seen = await exchangeBytes(port, 'GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n', rig.resolve('a.example'));
    expect(seen).toMatch(/^HTTP\/1\.1 403 /);
    expect(seen).not.toContain('set-cookie');
  });
});

function parts(chunk: Buffer, total: number): Readable {
  let left = total;
  return new Readable({
    read() {
      if (left <= 0) return void this.push(null);
      left -= chunk.length;
      this.push(chunk);
    },
  });
}
