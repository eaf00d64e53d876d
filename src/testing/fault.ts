// The ways in which an upstream fails its client, on demand.
import { randomBytes } from 'node:crypto';
import type http from 'node:http';
import timers from 'node:timers/promises';
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
  const head = { 'content-type': proper.contentType };
  if (typeof fault === 'object' && 'delayMs' in fault) await timers.setTimeout(fault.delayMs);
  if (typeof fault === 'object' && 'delayMs' in fault && !('status' in fault)) {
    response.writeHead(200, head).end(proper.chunks.join(''));
    return;
  }
  if (typeof fault === 'object') return sendStatus(response, fault, proper.dialect);
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

function sendStatus(
  response: http.ServerResponse,
  fault: Extract<Fault, { status: number } | { redirect: string }>,
  dialect: Dialect,
): void {
  if ('redirect' in fault) {
    response.writeHead(307, { location: fault.redirect }).end();
    return;
  }
  const message = fault.message ?? `rehearsed status ${fault.status}`;
  const [anthropic, openai, gemini] = errorTypes[fault.status] ?? ['api_error', 'server_error', 'INTERNAL'];
  const body = {
    'anthropic-messages': { type: 'error', error: { type: anthropic, message } },
    'openai-chat': { error: { message, type: openai, param: null, code: null } },
    'openai-responses': { error: { message, type: openai, param: null, code: null } },
    gemini: { error: { code: fault.status, message, status: gemini } },
  }[dialect];
  response.writeHead(fault.status, {
    'content-type': 'application/json',
    ...(fault.retryAfter !== undefined && { 'retry-after': String(fault.retryAfter) }),
  });
  response.end(JSON.stringify(body));
}

/** The vendors' own words for a status: Anthropic, OpenAI, Google. */
const errorTypes: Readonly<Record<number, readonly [string, string, string]>> = {
  400: ['invalid_request_error', 'invalid_request_error', 'INVALID_ARGUMENT'],
  401: ['authentication_error', 'invalid_request_error', 'UNAUTHENTICATED'],
  403: ['permission_error', 'permission_error', 'PERMISSION_DENIED'],
  404: ['not_found_error', 'invalid_request_error', 'NOT_FOUND'],
  429: ['rate_limit_error', 'rate_limit_error', 'RESOURCE_EXHAUSTED'],
  503: ['overloaded_error', 'server_error', 'UNAVAILABLE'],
  529: ['overloaded_error', 'server_error', 'UNAVAILABLE'],
};
