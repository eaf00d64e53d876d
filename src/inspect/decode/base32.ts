// Base32 (RFC 4648, sections 6 and 7), in either case.
const alphabets = ['ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', '0123456789ABCDEFGHIJKLMNOPQRSTUV'].map((letters) => {
  const values = new Int8Array(256).fill(-1);
  for (const text of [letters, letters.toLowerCase()]) for (const [value, byte] of Buffer.from(text).entries()) values[byte] = value;
  return values;
});

/** What the text says in each alphabet that has all of its letters. */
export function base32Readings(text: string): Buffer[] {
  const bytes = Buffer.from(text, 'latin1');
  return alphabets.flatMap((values) => decoded(bytes, values) ?? []);
}

function decoded(bytes: Buffer, values: Int8Array): Buffer | undefined {
  const out = Buffer.allocUnsafe((bytes.length * 5) >> 3);
  let written = 0;
  let bits = 0;
  let held = 0;
  for (let i = 0; i < bytes.length; i++) {
    const value = values[bytes[i] ?? 0] ?? -1;
    if (value < 0) return undefined;
    held = ((held << 5) | value) & 0xfff;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    out[written++] = held >> bits;
  }
  return out.subarray(0, written);
}
