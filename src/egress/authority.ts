// The certificate authority of one session (RFC 5280): it signs a certificate for each name that a program inside talks TLS to.
// INVARIANT: the private keys exist only in this process's memory; the authority ends with the session.
import { createHash, createSign, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { isIP, SocketAddress } from 'node:net';
import type { SecureContext } from 'node:tls';
import { product } from '../core/index.ts';
import { bits, element, integer, octets, oid, sequence, set, time, truth, utf8 } from './der.ts';

export interface Authority {
  /** The authority's own certificate: what programs inside are made to trust. */
  readonly pem: string;
  /** Certificate for a host name or literal address, PEM. */
  issue(host: string): string;
  /** TLS context that answers as `host`. Cached; the longest unused goes first. */
  contextFor(host: string): SecureContext;
}

/** A session may outlive a weekend; its trust should not outlive the month. */
const validityMs = 30 * 24 * 3_600_000;
/** Clocks inside and outside are the same one, but programs may round. */
const backdatedMs = 3_600_000;
const maxContexts = 1024;

const ecdsaWithSha256 = sequence(oid('1.2.840.10045.4.3.2'));

/** @param now beginning of the validity */
export function createAuthority(now: Date): Authority {
  const root = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const rootName = commonName(`${product.title} session authority ${randomBytes(4).toString('hex')}`);
  const rootKeyId = keyId(root.publicKey);
  const validity = sequence(time(new Date(now.getTime() - backdatedMs)), time(new Date(now.getTime() + validityMs)));

  function certificate(subject: Buffer, key: KeyObject, extensions: readonly Buffer[]): string {
    const body = sequence(
      element(0xa0, integer(Buffer.from([2]))),
      integer(randomBytes(16)),
      ecdsaWithSha256,
      rootName,
      validity,
      subject,
      key.export({ type: 'spki', format: 'der' }),
      element(0xa3, sequence(...extensions)),
    );
    const signature = createSign('sha256').update(body).sign(root.privateKey);
    return pemOf(sequence(body, ecdsaWithSha256, bits(signature)));
  }

  const pem = certificate(rootName, root.publicKey, [
    critical('2.5.29.19', sequence(truth, integer(Buffer.from([0])))), // basicConstraints: an authority, of end entities only
    critical('2.5.29.15', bits(Buffer.from([0x06]), 1)), // keyUsage: keyCertSign, cRLSign
    extension('2.5.29.14', octets(rootKeyId)),
  ]);

  // One key for all names: it proves nothing but that this process answers, and a new key for each would only cost time.
  let leaf: { readonly publicKey: KeyObject; readonly key: string } | undefined;
  function leafKey(): NonNullable<typeof leaf> {
    if (leaf) return leaf;
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    leaf = { publicKey, key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
    return leaf;
  }

  const leafName = commonName(`${product.title} intercepted`);
  function issue(host: string): string {
    return certificate(leafName, leafKey().publicKey, [
      extension('2.5.29.17', sequence(alternativeName(host))),
      critical('2.5.29.15', bits(Buffer.from([0x80]), 7)), // keyUsage: digitalSignature
      extension('2.5.29.37', sequence(oid('1.3.6.1.5.5.7.3.1'))), // extKeyUsage: serverAuth
      extension('2.5.29.14', octets(keyId(leafKey().publicKey))),
      extension('2.5.29.35', sequence(element(0x80, rootKeyId))),
    ]);
  }

  const contexts = new Map<string, SecureContext>();
  function contextFor(host: string): SecureContext {
    const cached = contexts.get(host);
    if (cached) {
      contexts.delete(host);
      contexts.set(host, cached);
      return cached;
    }
    // node:tls is loaded with the first connection, not with the launcher.
    const tls = process.getBuiltinModule('node:tls');
    const context = tls.createSecureContext({ key: leafKey().key, cert: issue(host), minVersion: 'TLSv1.2' });
    const oldest = contexts.keys().next();
    if (contexts.size >= maxContexts && !oldest.done) contexts.delete(oldest.value);
    contexts.set(host, context);
    return context;
  }

  return { pem, issue, contextFor };
}

function commonName(text: string): Buffer {
  return sequence(set(sequence(oid('2.5.4.3'), utf8(text))));
}

function extension(id: string, value: Buffer): Buffer {
  return sequence(oid(id), octets(value));
}

function critical(id: string, value: Buffer): Buffer {
  return sequence(oid(id), truth, octets(value));
}

/** RFC 5280 section 4.2.1.2, method 1: SHA-1 of the key's own bits. It identifies, it protects nothing. */
function keyId(key: KeyObject): Buffer {
  const point = key.export({ type: 'spki', format: 'der' }).subarray(-65);
  return createHash('sha1').update(point).digest();
}

/** GeneralName: iPAddress for a literal address, else dNSName. */
function alternativeName(host: string): Buffer {
  return isIP(host) === 0 ? element(0x82, Buffer.from(host, 'latin1')) : element(0x87, addressBytes(host));
}

function addressBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number));
  const { address: text } = new SocketAddress({ address, family: 'ipv6' });
  const [head = '', tail] = text.split('::');
  const before = groupsOf(head);
  const after = tail === undefined ? [] : groupsOf(tail);
  const groups = tail === undefined ? before : [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after];
  return Buffer.from(groups.flatMap((group) => [group >> 8, group & 0xff]));
}

/** 16-bit groups of one side of `::`; a dotted tail counts for two. */
function groupsOf(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number);
    return [(a << 8) | b, (c << 8) | d];
  });
}

function pemOf(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}
