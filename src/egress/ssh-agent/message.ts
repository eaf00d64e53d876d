// Messages of the SSH agent protocol (RFC 9987, section 3): a length, a type, and fields that are mostly strings (RFC 4251, section 5).
import crypto from 'node:crypto';
import { IntramurError } from '../../core/index.ts';

/** Section 6.1. */
export const types = { failure: 5, requestIdentities: 11, identitiesAnswer: 12, signRequest: 13, signResponse: 14 } as const;

/** OpenSSH's own limit. */
export const maxMessageBytes = 256 * 1024;

export const failure = Buffer.from([0, 0, 0, 1, types.failure]);

/** @returns the message with its length in front */
export function framed(type: number, ...fields: readonly Uint8Array[]): Buffer {
  const payload = Buffer.concat([Buffer.from([type]), ...fields]);
  return Buffer.concat([uint32(payload.length), payload]);
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export function string(value: Uint8Array): Buffer {
  return Buffer.concat([uint32(value.length), value]);
}

/** As `ssh-keygen -l` and `ssh-add -l` show it. */
export function fingerprintOf(keyBlob: Uint8Array): string {
  return `SHA256:${crypto.hash('sha256', keyBlob, 'base64').replace(/=+$/, '')}`;
}

/** Reads fields from the front. A field that is not there is a fault: what does not parse is refused. */
export class Fields {
  #rest: Buffer;

  constructor(bytes: Buffer) {
    this.#rest = bytes;
  }

  get isAtEnd(): boolean {
    return this.#rest.length === 0;
  }

  byte(): number {
    return this.#take(1)[0] ?? 0;
  }

  uint32(): number {
    return this.#take(4).readUInt32BE();
  }

  string(): Buffer {
    return this.#take(this.uint32());
  }

  text(): string {
    return this.string().toString('utf8');
  }

  #take(count: number): Buffer {
    if (count > this.#rest.length) throw new IntramurError('USAGE', 'a message of the SSH agent protocol ends early');
    const taken = this.#rest.subarray(0, count);
    this.#rest = this.#rest.subarray(count);
    return taken;
  }
}

/** One message after the other; `undefined` at the end. A length over the limit is a fault. */
export function messagesFrom(stream: NodeJS.ReadableStream): () => Promise<Buffer | undefined> {
  const chunks = (stream as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  let pending: Buffer = Buffer.alloc(0);
  const fill = async (count: number): Promise<boolean> => {
    while (pending.length < count) {
      const next = await chunks.next();
      if (next.done) return false;
      pending = Buffer.concat([pending, next.value]);
    }
    return true;
  };
  return async () => {
    if (!(await fill(4))) return undefined;
    const length = pending.readUInt32BE();
    if (length === 0 || length > maxMessageBytes) throw new IntramurError('USAGE', 'a message of the SSH agent protocol is too long');
    if (!(await fill(4 + length))) return undefined;
    const message = pending.subarray(4, 4 + length);
    pending = pending.subarray(4 + length);
    return message;
  };
}
