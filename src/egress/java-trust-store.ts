// A Java key store (JKS, format 2) with one trusted certificate. The JDK reads it in place of its own list. The trailing digest is
// the format's own keyed SHA-1 with the well-known password; it protects nothing and is only there because readers check it.

const magic = 0xfeedfeed;
const password = 'changeit';
const salt = 'Mighty Aphrodite';

export function javaTrustStore(pem: string, createdAtMs = 0): Buffer {
  const { createHash, X509Certificate } = process.getBuiltinModule('node:crypto');
  const certificate = new X509Certificate(pem).raw;
  const [version, entries, trustedCertificate] = [2, 1, 2];
  const body = Buffer.concat([
    u32(magic),
    u32(version),
    u32(entries),
    u32(trustedCertificate),
    utf('intramur'),
    u64(createdAtMs),
    utf('X.509'),
    u32(certificate.length),
    certificate,
  ]);
  // The password as UTF-16, big-endian.
  const key = Buffer.from(password, 'utf16le').swap16();
  return Buffer.concat([body, createHash('sha1').update(key).update(salt).update(body).digest()]);
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}

function utf(text: string): Buffer {
  const bytes = Buffer.from(text);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
