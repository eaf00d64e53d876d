// The ways in which an upstream fails its client, on demand.
import { randomBytes } from 'node:crypto';
import type http from 'node:http';
import { gzipSync } from 'node:zlib';
import { assertNever, type Dialect } from '../core/index.ts';
import type { Fault } from './script.ts';

interface Proper {
  readonly dialect: Dialect;
  readonly contentType: string;
  /** What the answer would have been. */
  readonly chunks: readonly string[];
}

export async function sendFault(response: http.ServerResponse, fault: Fault, proper: Proper): Promise<void> {
  if (typeof fault === 'object') return sendStatus(response, fault, proper.dialect);
  const head = { 'content-type': proper.contentType };
  const whole = proper.chunks.join('');
  const half =
    proper.chunks.length > 1 ? proper.chunks.slice(0, Math.ceil(proper.chunks.length / 2)).join('') : whole.slice(0, whole.length / 2);
  switch (fault) {
    case 'hang':
      return;
    case 'reset':
      response.socket?.resetAndDestroy();
      return;
    case 'stall':
      response.writeHead(200, head).write(half);
      return;
    case 'cut':
      response.writeHead(200, head).end(half);
      return;
    case 'cut-reset':
      response.writeHead(200, head).write(half, () => response.socket?.resetAndDestroy());
      return;
    case 'garbage':
      response.writeHead(200, head).end(randomBytes(4096));
      return;
    case 'drip':
      response.writeHead(200, head);
      for (const byte of Buffer.from(whole)) {
        if (response.destroyed) return;
        response.write(Buffer.of(byte));
        await new Promise((resolve) => setImmediate(resolve));
      }
      response.end();
      return;
    case 'wrong-length':
      response.writeHead(200, { ...head, 'content-length': Buffer.byteLength(whole) + 100 });
      response.write(whole, () => response.socket?.end());
      return;
    case 'huge-line':
      response.writeHead(200, head).end(`data: ${'x'.repeat(10 * 1024 * 1024)}`);
      return;
    case 'gzip-bomb':
      response.writeHead(200, { ...head, 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(100 * 1024 * 1024, 0x20)));
      return;
    case 'half-character':
      response.writeHead(200, head).end(Buffer.concat([Buffer.from(half), Buffer.from('data: {"text":"é').subarray(0, -1)]));
      return;
    default:
      assertNever(fault);
  }
}

function sendStatus(response: http.ServerResponse, fault: Exclude<Fault, string>, dialect: Dialect): void {
  if ('redirect' in fault) {
    response.writeHead(307, { location: fault.redirect }).end();
    return;
  }
  const message = fault.message ?? `rehearsed status ${fault.status}`;
  const body = {
    'anthropic-messages': { type: 'error', error: { type: fault.status === 429 ? 'rate_limit_error' : 'api_error', message } },
    'openai-chat': { error: { message, type: 'api_error', param: null, code: null } },
    'openai-responses': { error: { message, type: 'api_error', param: null, code: null } },
    gemini: { error: { code: fault.status, message, status: fault.status === 429 ? 'RESOURCE_EXHAUSTED' : 'INTERNAL' } },
  }[dialect];
  response.writeHead(fault.status, {
    'content-type': 'application/json',
    ...(fault.retryAfter !== undefined && { 'retry-after': String(fault.retryAfter) }),
  });
  response.end(JSON.stringify(body));
}
