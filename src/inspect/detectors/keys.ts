// Key material in standard forms: PEM blocks (RFC 7468), JSON web tokens (RFC 7519), age identities, NATS seeds.
import { detector } from '../detector.ts';
import { fill } from './fill.ts';

/** The header of a JSON web token is base64url of a JSON object that names an algorithm. */
function hasJwtHeader(token: string): boolean {
  const header = Buffer.from(token.slice(0, token.indexOf('.')), 'base64url').toString('latin1');
  return /^\s*\{/.test(header) && header.includes('"alg"');
}

function jwtSample(seed: number): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ sub: 'user', iat: 1_700_000_000 })}.${fill('base62', 43, seed)}`;
}

/** CRC-16/XMODEM over all but the last two bytes, little endian (NATS nkeys). */
function hasNkeyChecksum(seed: string): boolean {
  const bytes = fromBase32(seed);
  let crc = 0;
  for (const byte of bytes.subarray(0, -2)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1) & 0xffff;
  }
  return bytes.length === 36 && bytes.readUInt16LE(34) === crc;
}

function fromBase32(text: string): Buffer {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const out: number[] = [];
  let bits = 0;
  let held = 0;
  for (const character of text) {
    held = ((held << 5) | alphabet.indexOf(character)) & 0xffff;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      out.push((held >>> bits) & 0xff);
    }
  }
  return Buffer.from(out);
}

const pemBody = (length: number) => (fill('base62', length).match(/.{1,64}/g) ?? []).join('\n');

export const keys = [
  detector({
    id: 'private-key',
    label: 'secret',
    keywords: ['-----begin '],
    // Closed by its END line, or cut off: a body of at least 64 characters is enough. `\\[nr]` is a line break that is still escaped.
    pattern:
      /-----BEGIN (?:[A-Z0-9]{1,16} ){0,3}PRIVATE KEY(?: BLOCK)?-----(?<body>(?:[A-Za-z0-9+/=\s]|\\[nr]|[\w-]{1,20}: [^\n]{0,120}\n){64,16384})(?:-----END (?:[A-Z0-9]{1,16} ){0,3}PRIVATE KEY(?: BLOCK)?-----)?/,
    reach: 17_000,
    minEntropy: 3,
    hits: [
      `-----BEGIN RSA PRIVATE KEY-----\n${pemBody(800)}\n-----END RSA PRIVATE KEY-----`,
      `-----BEGIN OPENSSH PRIVATE KEY-----\n${pemBody(300)}\n-----END OPENSSH PRIVATE KEY-----\n`,
      `-----BEGIN PRIVATE KEY-----\\n${fill('base62', 400)}\\n-----END PRIVATE KEY-----\\n`,
      `-----BEGIN EC PRIVATE KEY-----\n${pemBody(120)}`,
    ],
    misses: [
      '-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----',
      `-----BEGIN CERTIFICATE-----\n${pemBody(400)}\n-----END CERTIFICATE-----`,
      `-----BEGIN PUBLIC KEY-----\n${pemBody(400)}\n-----END PUBLIC KEY-----`,
    ],
  }),
  detector({
    id: 'putty-private-key',
    label: 'secret',
    keywords: ['putty-user-key-file-'],
    pattern: /PuTTY-User-Key-File-[23]: [\s\S]{0,4096}?Private-Lines: \d{1,4}\s{1,2}(?<value>[A-Za-z0-9+/=\s]{64,8192})/,
    reach: 13_000,
    minEntropy: 3,
    hits: [`PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nPrivate-Lines: 2\n${pemBody(100)}\n`],
    misses: ['PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\n'],
  }),
  detector({
    id: 'jwt',
    label: 'secret',
    keywords: ['eyj', 'ewog', 'eyag'],
    pattern: /(?<![\w-])e[yw][A-Za-z0-9_-]{15,2000}\.e[yw][A-Za-z0-9_-]{10,8000}\.[A-Za-z0-9_-]{10,2000}/,
    reach: 12_100,
    minEntropy: 3,
    verify: hasJwtHeader,
    hits: [jwtSample(1)],
    misses: ['eyJhbGciOiJub25lIn0', `eyJub3QtYS10b2tlbiI6MX0.eyJhIjoxfQ.${fill('base62', 43)}`],
  }),
  detector({
    id: 'jwt-base64',
    label: 'secret',
    keywords: ['zxlk'],
    pattern: /(?<![\w+/-])ZXlK[A-Za-z0-9+/_-]{40,8000}={0,2}/,
    reach: 8100,
    minEntropy: 3,
    verify: (value) => /^[\w-]+\.[\w-]+\.[\w-]+$/.test(Buffer.from(value, 'base64').toString('latin1')),
    hits: [Buffer.from(jwtSample(2)).toString('base64')],
    misses: [`ZXlK${fill('base62', 60)}`],
  }),
  detector({
    id: 'age-secret-key',
    label: 'secret',
    keywords: ['age-secret-key-1'],
    pattern: /AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}(?!\w)/,
    hits: [`AGE-SECRET-KEY-1${fill('bech32', 58)}`],
    misses: [`AGE-SECRET-KEY-1${fill('bech32', 20)}`],
  }),
  detector({
    id: 'nkey-seed',
    label: 'secret',
    // The third character follows from the layout of the two prefix bytes.
    keywords: ['saa', 'sca', 'sna', 'soa', 'spa', 'sua', 'sxa'],
    pattern: /(?<![\w+/=])S[ACNOPUX][A-Z2-7]{56}(?![\w+/=])/,
    verify: hasNkeyChecksum,
    // The example of the NATS documentation.
    hits: ['SUACSSL3UAHUDXKFSNVUZRF5' + 'UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY'],
    misses: [`SU${fill('base32', 56)}`],
  }),
];
