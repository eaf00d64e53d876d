// Shannon entropy of a value over its own characters. It never exceeds log2(length), so a threshold says something only
// together with a length: every detector that sets one also bounds the length.

/** Bits per character; 0 for the empty string. */
export function entropyOf(value: string): number {
  const counts = new Map<number, number>();
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    counts.set(code, (counts.get(code) ?? 0) + 1);
  }
  let bits = 0;
  for (const count of counts.values()) {
    const share = count / value.length;
    bits -= share * Math.log2(share);
  }
  return bits;
}
