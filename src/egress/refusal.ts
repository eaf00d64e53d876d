// How egress itself says no. Policy's own refusals come from the daemon as replies and pass through unchanged.
import { type ExchangeReply, product } from '../core/index.ts';

export interface Refusal {
  readonly status: number;
  readonly reason: string;
}

export function refuse(reason: string, status = 403): Refusal {
  return { status, reason };
}

export function refusalText(reason: string): string {
  return `${product.refusalPrefix} ${reason}\n`;
}

export function refusalReply({ status, reason }: Refusal): ExchangeReply {
  const body = Buffer.from(refusalText(reason));
  const headers = ['content-type', 'text/plain; charset=utf-8', 'content-length', String(body.length), 'cache-control', 'no-store'];
  // RFC 9110 section 15.5.22: a 426 names what to use instead.
  if (status === 426) headers.push('upgrade', 'HTTP/1.1');
  return { status, rawHeaders: headers, body };
}

/** The same as bytes of HTTP/1.1, for a connection whose request could not even be parsed. */
export function refusalBytes(refusal: Refusal): Buffer {
  const { status, rawHeaders, body } = refusalReply(refusal);
  const lines = [`HTTP/1.1 ${status} Refused`, 'connection: close'];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) lines.push(`${rawHeaders[i]}: ${rawHeaders[i + 1]}`);
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), body instanceof Uint8Array ? body : Buffer.alloc(0)]);
}
