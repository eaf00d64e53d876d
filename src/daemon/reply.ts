// Writes an ExchangeReply to a Node response, body streamed with back-pressure; a body that breaks breaks the connection, so that
// a cut answer never looks complete.
import type { ServerResponse } from 'node:http';
import { pipeline, Readable } from 'node:stream';
import type { ExchangeReply } from '../core/index.ts';

export function sendBody(response: ServerResponse, body: ExchangeReply['body']): void {
  if (!(body instanceof Readable)) {
    response.end(body);
    return;
  }
  pipeline(body, response, (error) => {
    if (error) response.destroy();
  });
}

/** Header names whose meaning ends at one connection (RFC 9110, section 7.6.1). */
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** @returns the headers without hop-by-hop ones, including those that `connection` names */
export function endToEnd(rawHeaders: readonly string[]): string[] {
  const dropped = new Set(hopByHop);
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    if (rawHeaders[i]?.toLowerCase() !== 'connection') continue;
    for (const name of rawHeaders[i + 1]?.split(',') ?? []) dropped.add(name.trim().toLowerCase());
  }
  const kept: string[] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const [name = '', value = ''] = rawHeaders.slice(i, i + 2);
    if (!dropped.has(name.toLowerCase())) kept.push(name, value);
  }
  return kept;
}
