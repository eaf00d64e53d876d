// A refusal that an SSH client shows to its user: our identification and a disconnect message (RFC 4253 sections 4.2, 6 and 11.1),
// sent before any key exchange.
import { product } from '../core/index.ts';

const disconnectMessage = 1;
const hostNotAllowedToConnect = 1;

export function sshRefusal(reason: string): Buffer {
  const text = Buffer.from(`${product.refusalPrefix} ${reason}`.replace(/\s+/g, ' ').slice(0, 400));
  const payload = Buffer.concat([Buffer.from([disconnectMessage]), uint32(hostNotAllowedToConnect), uint32(text.length), text, uint32(0)]);
  // Length, padding length, payload and padding together are a multiple of 8; there are at least 4 bytes of padding.
  const padding = 8 - ((5 + payload.length) % 8) + ((5 + payload.length) % 8 > 4 ? 8 : 0);
  const packet = Buffer.concat([uint32(1 + payload.length + padding), Buffer.from([padding]), payload, Buffer.alloc(padding)]);
  return Buffer.concat([Buffer.from(`SSH-2.0-${product.title}\r\n`), packet]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
