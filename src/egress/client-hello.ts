// What a TLS ClientHello says in the clear (RFC 8446 section 4.1.2, RFC 6066 section 3): the server's name, the protocols, and
// whether the real hello is encrypted (ECH). Reads hostile bytes: never throws, never reads past what it was given.
import type { TlsFingerprint } from '../core/index.ts';

export type ClientHello =
  | { readonly kind: 'partial' }
  | { readonly kind: 'invalid'; readonly problem: string }
  | {
      readonly kind: 'hello';
      /** As it was written, latin1; `undefined` when the extension is missing. */
      readonly serverName: string | undefined;
      readonly protocols: readonly string[];
      readonly isEncrypted: boolean;
      /** Of the program's TLS library and its settings. */
      readonly fingerprint: TlsFingerprint;
    };

/** A real hello is under 2 KiB, with post-quantum key shares; what is longer is no hello. */
export const maxHelloBytes = 16 * 1024;

const extensionServerName = 0;
const extensionGroups = 10;
const extensionSignatures = 13;
const extensionProtocols = 16;
const extensionVersions = 43;
const extensionEncryptedHello = 0xfe0d;

export function parseClientHello(seen: Buffer): ClientHello {
  const fragments: Buffer[] = [];
  let gathered = 0;
  for (let at = 0; at < seen.length; ) {
    if (seen[at] !== 22) return invalid('a record that is no handshake');
    if (at + 5 > seen.length) break;
    if (seen[at + 1] !== 3) return invalid('an unknown TLS version');
    const length = seen.readUInt16BE(at + 3);
    if (length === 0 || length > 16_384) return invalid('a record of an impossible length');
    const fragment = seen.subarray(at + 5, at + 5 + length);
    fragments.push(fragment);
    gathered += fragment.length;
    const message = fragments.length === 1 ? fragment : Buffer.concat(fragments, gathered);
    if (message.length > 0 && message[0] !== 1) return invalid('a handshake that does not begin with a hello');
    if (message.length >= 4) {
      const size = message.readUIntBE(1, 3);
      if (size > maxHelloBytes) return invalid('a hello of an impossible length');
      if (message.length >= 4 + size) return parseBody(message.subarray(4, 4 + size));
    }
    at += 5 + length;
  }
  return seen.length > maxHelloBytes ? invalid('a hello of an impossible length') : { kind: 'partial' };
}

function invalid(problem: string): ClientHello {
  return { kind: 'invalid', problem };
}

/** A cursor over length-prefixed vectors; `undefined` once something does not fit. */
class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  take(length: number): Buffer | undefined {
    if (this.#at + length > this.#bytes.length) return undefined;
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  number(width: 1 | 2): number | undefined {
    return this.take(width)?.readUIntBE(0, width);
  }

  vector(width: 1 | 2): Buffer | undefined {
    const length = this.number(width);
    return length === undefined ? undefined : this.take(length);
  }
}

function parseBody(body: Buffer): ClientHello {
  const reader = new Reader(body);
  const fixed = reader.take(2 + 32);
  const sessionId = reader.vector(1);
  const suites = reader.vector(2);
  const compressions = reader.vector(1);
  if (!fixed || !sessionId || !suites || !compressions) return invalid('a hello that breaks off');
  const fingerprint = {
    version: fixed.toString('hex', 0, 2),
    suites: codes(suites),
    extensions: [],
    groups: [],
    signatures: [],
    versions: [],
  };
  if (reader.isAtEnd) return { kind: 'hello', serverName: undefined, protocols: [], isEncrypted: false, fingerprint };
  const block = reader.vector(2);
  if (!block || !reader.isAtEnd) return invalid('a hello that breaks off');

  const extensions = new Map<number, Buffer>();
  const list = new Reader(block);
  while (!list.isAtEnd) {
    const type = list.number(2);
    const value = list.vector(2);
    if (type === undefined || !value) return invalid('an extension that breaks off');
    if (extensions.has(type)) return invalid('an extension that stands twice');
    extensions.set(type, value);
  }
  const names = serverNames(extensions.get(extensionServerName));
  if (!names || names.length > 1) return invalid('a server name that does not parse');
  const protocols = protocolNames(extensions.get(extensionProtocols));
  if (!protocols) return invalid('a list of protocols that does not parse');
  const listIn = (type: number, width: 1 | 2): string[] => codes(extensions.get(type)?.subarray(width) ?? Buffer.alloc(0));
  return {
    kind: 'hello',
    serverName: names[0],
    protocols,
    isEncrypted: extensions.has(extensionEncryptedHello),
    fingerprint: {
      ...fingerprint,
      extensions: [...extensions.keys()].map(codeOf),
      groups: listIn(extensionGroups, 2),
      signatures: listIn(extensionSignatures, 2),
      versions: listIn(extensionVersions, 1),
    },
  };
}

/** Two bytes each; what does not fit is left out, since a fingerprint decides nothing. */
function codes(list: Buffer): string[] {
  return Array.from({ length: list.length >> 1 }, (_, i) => codeOf(list.readUInt16BE(2 * i)));
}

function codeOf(code: number): string {
  return (code & 0x0f0f) === 0x0a0a && code >> 8 === (code & 0xff) ? 'grease' : code.toString(16).padStart(4, '0');
}

function serverNames(extension: Buffer | undefined): string[] | undefined {
  if (!extension) return [];
  const outer = new Reader(extension);
  const list = outer.vector(2);
  if (!list || !outer.isAtEnd || list.length === 0) return undefined;
  const names: string[] = [];
  const reader = new Reader(list);
  while (!reader.isAtEnd) {
    const type = reader.number(1);
    const name = reader.vector(2);
    if (type !== 0 || !name || name.length === 0) return undefined;
    names.push(name.toString('latin1'));
  }
  return names;
}

function protocolNames(extension: Buffer | undefined): string[] | undefined {
  if (!extension) return [];
  const outer = new Reader(extension);
  const list = outer.vector(2);
  if (!list || !outer.isAtEnd) return undefined;
  const names: string[] = [];
  const reader = new Reader(list);
  while (!reader.isAtEnd) {
    const name = reader.vector(1);
    if (!name || name.length === 0) return undefined;
    names.push(name.toString('latin1'));
  }
  return names;
}
