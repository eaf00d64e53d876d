// The certificate authority of one session (RFC 5280): it signs a certificate for each name that a program inside talks TLS to.
// INVARIANT: the private keys exist only in memory, the daemon's that made them and the launcher's that uses them; the authority ends with
// the session.
import type { KeyObject } from 'node:crypto';
import { isIP, SocketAddress } from 'node:net';
import type { SecureContext } from 'node:tls';
import { product } from '../core/index.ts';
import { bits, element, integer, octets, oid, sequence, set, time, truth, utf8 } from './der.ts';
import { javaTrustStore } from './java-trust-store.ts';

/** What an authority is made of: as secret as the session's token. Everything is text, so that it can be sent. */
export interface AuthoritySecret {
  readonly pem: string;
  /** The same certificate as a Java key store, base64. */
  readonly javaStore: string;
  /** PKCS #8, PEM. */
  readonly key: string;
  readonly name: string;
  /** Beginning of the validity, milliseconds since the epoch. */
  readonly fromMs: number;
}

export interface Authority {
  /** The authority's own certificate: what programs inside are made to trust. */
  readonly pem: string;
  readonly javaStore: Uint8Array;
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

/** Loaded with the first certificate, not with the launcher. */
const crypto = (): typeof import('node:crypto') => process.getBuiltinModule('node:crypto');

/** @param now beginning of the validity */
export function makeAuthority(now: Date): AuthoritySecret {
  const { publicKey, privateKey } = crypto().generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const name = `${product.title} session authority ${crypto().randomBytes(4).toString('hex')}`;
  const fromMs = now.getTime();
  const pem = certificate({ issuer: name, fromMs, signer: privateKey, subject: name, key: publicKey }, [
    critical('2.5.29.19', sequence(truth, integer(Buffer.from([0])))), // basicConstraints: an authority, of end entities only
    critical('2.5.29.15', bits(Buffer.from([0x06]), 1)), // keyUsage: keyCertSign, cRLSign
    extension('2.5.29.14', octets(keyId(publicKey))),
  ]);
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return { pem, javaStore: javaTrustStore(pem).toString('base64'), key, name, fromMs };
}

interface ToSign {
  readonly issuer: string;
  readonly fromMs: number;
  readonly signer: KeyObject;
  readonly subject: string;
  readonly key: KeyObject;
}

/** @returns PEM */
function certificate({ issuer, fromMs, signer, subject, key }: ToSign, extensions: readonly Buffer[]): string {
  const ecdsaWithSha256 = sequence(oid('1.2.840.10045.4.3.2'));
  const body = sequence(
    element(0xa0, integer(Buffer.from([2]))),
    integer(crypto().randomBytes(16)),
    ecdsaWithSha256,
    commonName(issuer),
    sequence(time(new Date(fromMs - backdatedMs)), time(new Date(fromMs + validityMs))),
    commonName(subject),
    key.export({ type: 'spki', format: 'der' }),
    element(0xa3, sequence(...extensions)),
  );
  const signature = crypto().createSign('sha256').update(body).sign(signer);
  return pemOf(sequence(body, ecdsaWithSha256, bits(signature)));
}

interface Keys {
  readonly root: KeyObject;
  readonly rootId: Buffer;
  readonly leaf: KeyObject;
  readonly leafPem: string;
}

function keysOf(secret: AuthoritySecret): Keys {
  const root = crypto().createPrivateKey(secret.key);
  const { publicKey: leaf, privateKey } = crypto().generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const leafPem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return { root, rootId: keyId(crypto().createPublicKey(root)), leaf, leafPem };
}

export function createAuthority(secret: AuthoritySecret): Authority {
  // One key for all names: it proves nothing but that this process answers, and a new key for each would only cost time.
  let keys: Keys | undefined;

  function issue(host: string): string {
    keys ??= keysOf(secret);
    const { root, rootId, leaf } = keys;
    const { name: issuer, fromMs } = secret;
    return certificate({ issuer, fromMs, signer: root, subject: `${product.title} intercepted`, key: leaf }, [
      extension('2.5.29.17', sequence(alternativeName(host))),
      critical('2.5.29.15', bits(Buffer.from([0x80]), 7)), // keyUsage: digitalSignature
      extension('2.5.29.37', sequence(oid('1.3.6.1.5.5.7.3.1'))), // extKeyUsage: serverAuth
      extension('2.5.29.14', octets(keyId(leaf))),
      extension('2.5.29.35', sequence(element(0x80, rootId))),
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
    keys ??= keysOf(secret);
    const context = tls.createSecureContext({ key: keys.leafPem, cert: issue(host), minVersion: 'TLSv1.2' });
    const oldest = contexts.keys().next();
    if (contexts.size >= maxContexts && !oldest.done) contexts.delete(oldest.value);
    contexts.set(host, context);
    return context;
  }

  return { pem: secret.pem, javaStore: Buffer.from(secret.javaStore, 'base64'), issue, contextFor };
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
  return crypto().createHash('sha1').update(point).digest();
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
