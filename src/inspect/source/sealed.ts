// What lies on the disk of an index is encrypted under the installation's secret (AES-256-GCM, NIST SP 800-38D): whoever takes a table
// without the secret cannot confirm a guess with it, and one that was changed does not open. Form: nonce, tag, ciphertext.
import crypto from 'node:crypto';
import fs from 'node:fs';

const NONCE = 12;
const TAG = 16;
const CHUNK = 8 << 20;

/** One key for each kind of file, so that one is never taken for another. */
function keyFor(secret: Uint8Array, kind: string): Buffer {
  return Buffer.from(crypto.hkdfSync('sha256', secret, '', `sealed ${kind}`, 32));
}

/** The parts to be written, one after the other; each is used before the next is asked for. */
export function seal(secret: Uint8Array, kind: string, plain: Uint8Array): Buffer[] {
  const nonce = crypto.randomBytes(NONCE);
  const cipher = crypto.createCipheriv('aes-256-gcm', keyFor(secret, kind), nonce);
  const parts: Buffer[] = [];
  for (let at = 0; at < plain.length; at += CHUNK) parts.push(cipher.update(plain.subarray(at, at + CHUNK)));
  parts.push(cipher.final());
  return [nonce, cipher.getAuthTag(), ...parts];
}

/**
 * Reads a sealed file into shared memory, so that every worker can use it.
 * @throws TypeError when it is not whole, or was sealed with another secret
 */
export function unsealFile(secret: Uint8Array, kind: string, file: string): SharedArrayBuffer {
  const handle = fs.openSync(file, 'r');
  try {
    const size = fs.fstatSync(handle).size - NONCE - TAG;
    if (size < 0) throw new TypeError('cut off');
    const head = Buffer.alloc(NONCE + TAG);
    readWhole(handle, head, 0);
    const decipher = crypto.createDecipheriv('aes-256-gcm', keyFor(secret, kind), head.subarray(0, NONCE));
    decipher.setAuthTag(head.subarray(NONCE));
    const memory = new SharedArrayBuffer(size);
    const plain = new Uint8Array(memory);
    const chunk = Buffer.alloc(Math.min(CHUNK, size));
    for (let at = 0; at < size; at += CHUNK) {
      const part = chunk.subarray(0, Math.min(CHUNK, size - at));
      readWhole(handle, part, NONCE + TAG + at);
      plain.set(decipher.update(part), at);
    }
    finish(decipher);
    return memory;
  } finally {
    fs.closeSync(handle);
  }
}

function finish(decipher: crypto.DecipherGCM): void {
  try {
    decipher.final();
  } catch (cause) {
    throw new TypeError('changed, or sealed with another secret', { cause });
  }
}

function readWhole(handle: number, into: Buffer, position: number): void {
  for (let read = 0; read < into.length; ) {
    const more = fs.readSync(handle, into, read, into.length - read, position + read);
    if (more === 0) throw new TypeError('cut off');
    read += more;
  }
}
