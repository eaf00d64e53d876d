// Is this worth a view: text in some encoding, or a container that another decoder opens? Everything else is noise to a reader.

/** Text bytes: printable ASCII and white space. Bytes from 0x80 on count half, so that UTF-8 passes and noise does not. */
const weight = new Uint8Array(256);
for (let byte = 0; byte < 256; byte++) {
  const isText = (byte >= 0x20 && byte < 0x7f) || byte === 0x09 || byte === 0x0a || byte === 0x0d || byte === 0x1b;
  weight[byte] = isText ? 2 : byte >= 0x80 ? 1 : 0;
}

const SAMPLE = 512;
const LEAST_SHARE = 1.75;

export function isText(bytes: Uint8Array): boolean {
  if (bytes.length === 0) return false;
  const length = Math.min(bytes.length, SAMPLE);
  let sum = 0;
  for (let i = 0; i < length; i++) sum += weight[bytes[i] ?? 0] ?? 0;
  return sum >= LEAST_SHARE * length || isUtf8Text(bytes.subarray(0, length));
}

/** No text at either end: pieces that look like an encoding are chance. */
export function isBinary(bytes: Uint8Array): boolean {
  return !isText(bytes) && !isText(bytes.subarray(-SAMPLE)) && utf16Kind(bytes) === undefined;
}

/** Mostly non-ASCII scripts weigh too little above, yet decode without a fault. */
function isUtf8Text(bytes: Uint8Array): boolean {
  if (bytes.length < 12 || isNoise(bytes)) return false;
  const text = Buffer.from(bytes)
    .toString('utf8')
    .replace(/\uFFFD{1,3}$/, '');
  // Control characters are what tells noise from text.
  return !/[\uFFFD\u0000-\u0008\u000e-\u001a]/.test(text);
}

/** So many bytes at the end may be a character that was cut off. */
const CUT = 9;
/** Control characters, and bytes that are in no UTF-8. */
const isNoText = new Uint8Array(256);
for (let byte = 0; byte < 256; byte++)
  isNoText[byte] = byte <= 8 || (byte >= 14 && byte <= 26) || byte === 0xc0 || byte === 0xc1 || byte >= 0xf5 ? 1 : 0;

/** Tells most noise without making a string of it. Never true for what `isUtf8Text` would take for text. */
function isNoise(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length - CUT; i++) if (isNoText[bytes[i] ?? 0] === 1) return true;
  return false;
}

/** Every other byte is NUL, as in UTF-16 of Latin text. Returns the encoding's name. */
export function utf16Kind(bytes: Uint8Array): 'utf-16le' | 'utf-16be' | undefined {
  if (bytes.length < 8) return undefined;
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  const length = Math.min(bytes.length & ~1, SAMPLE);
  // Most texts have none.
  if (bytes.subarray(0, length).indexOf(0) === -1) return undefined;
  let even = 0;
  let odd = 0;
  for (let i = 0; i < length; i += 2) {
    if (bytes[i] === 0) even += 1;
    if (bytes[i + 1] === 0) odd += 1;
  }
  if (odd > length * 0.4 && even < length * 0.1) return 'utf-16le';
  if (even > length * 0.4 && odd < length * 0.1) return 'utf-16be';
  return undefined;
}

export type ContainerKind = 'gzip' | 'zlib' | 'zstd' | 'zip' | 'tar';

export function containerKind(bytes: Uint8Array): ContainerKind | undefined {
  const [a, b, c, d] = bytes;
  if (a === 0x1f && b === 0x8b && c === 0x08) return 'gzip';
  if (a === 0x28 && b === 0xb5 && c === 0x2f && d === 0xfd) return 'zstd';
  if (a === 0x50 && b === 0x4b && c === 0x03 && d === 0x04) return 'zip';
  if (bytes.length > 512 && Buffer.from(bytes.subarray(257, 262)).toString('latin1') === 'ustar') return 'tar';
  if (a !== undefined && b !== undefined && (a & 0x0f) === 8 && a >> 4 <= 7 && ((a << 8) | b) % 31 === 0 && (b & 0x20) === 0) return 'zlib';
  return undefined;
}

/** Media that hold no text that could be read without looking at a picture. */
export function isPicture(bytes: Uint8Array): boolean {
  return pictures.some((mark) => beginsWith(bytes, mark)) || beginsWith(bytes.subarray(8, 12), webp);
}

/** Formats whose text is packed within: PDF, the older office files (ZIP-based ones are opened), and packings that nothing here opens. */
export function isDocument(bytes: Uint8Array): boolean {
  return documents.some((mark) => beginsWith(bytes, mark));
}

const marks = (...texts: readonly string[]) => texts.map((text) => Buffer.from(text, 'latin1'));
const pictures = marks('\x89PNG', '\xff\xd8\xff', 'GIF8', 'wOF');
const [webp = Buffer.alloc(0)] = marks('WEBP');
const documents = [
  ...marks('%PDF-', '\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1'),
  // xz, lzma, lzip, LZ4, 7z, RAR; bzip2 with each size of its blocks.
  ...marks('\xfd7zXZ\0', ']\0\0', 'LZIP\x01', '\x04"M\x18', '7z\xbc\xaf\x27\x1c', 'Rar!\x1a\x07'),
  ...marks(...Array.from('123456789', (size) => `BZh${size}1AY&SY`)),
];

function beginsWith(bytes: Uint8Array, mark: Uint8Array): boolean {
  for (let i = 0; i < mark.length; i++) if (bytes[i] !== mark[i]) return false;
  return true;
}

/** Compressed without a header, or masked: worth a try from this length on (longer than digests, which code is full of). */
const LEAST_OPAQUE = 96;

export function isReadable(bytes: Uint8Array): boolean {
  if (isPicture(bytes)) return false;
  if (containerKind(bytes) !== undefined || isDocument(bytes)) return true;
  return isText(bytes) || utf16Kind(bytes) !== undefined || bytes.length >= LEAST_OPAQUE;
}

/** Begins with a mark that does not come by chance. */
export function isPacked(bytes: Uint8Array): boolean {
  const kind = containerKind(bytes);
  return kind !== undefined && kind !== 'zlib';
}

/** Nobody would take it for noise. */
export function isSure(bytes: Uint8Array): boolean {
  return isText(bytes) ? !isPicture(bytes) : isPacked(bytes) || isDocument(bytes) || utf16Kind(bytes) !== undefined;
}
