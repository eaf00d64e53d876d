// The memory of a kernel while it runs as TypeScript, which only tests do: compiled, each of these functions is one instruction or a few.
const bytes = new DataView(new ArrayBuffer(8 << 20));

export const kernelMemory = bytes.buffer;

export function load8(at: number): number {
  return bytes.getUint8(at);
}

export function load32(at: number): number {
  return bytes.getInt32(at, true);
}

export function store32(at: number, value: number): void {
  bytes.setInt32(at, value, true);
}

export function store8(at: number, value: number): void {
  bytes.setUint8(at, value);
}

export function copy16(to: number, from: number): void {
  new Uint8Array(kernelMemory).copyWithin(to, from, from + 16);
}

/** How many zeros a number ends in. */
export function ctz(value: number): number {
  return value === 0 ? 32 : 31 - Math.clz32(value & -value);
}

/** How many bits of a number are set. */
export function popcnt(value: number): number {
  let count = 0;
  for (let rest = value; rest !== 0; rest &= rest - 1) count += 1;
  return count;
}

/** Writes the halves of the sixteen bytes from `at` on: the low ones, then of each high one below eight a bit. */
export function halve(at: number, to: number): void {
  for (let i = 0; i < 16; i++) {
    const byte = load8(at + i);
    bytes.setUint8(to + i, byte & 0x0f);
    bytes.setUint8(to + 16 + i, byte < 0x80 ? 1 << (byte >> 4) : 0);
  }
}

/** A bit for each of sixteen bytes whose halves these are: is it in the class whose table this is? */
export function among(halves: number, table: number): number {
  let mask = 0;
  for (let i = 0; i < 16; i++) if ((load8(table + load8(halves + i)) & load8(halves + 16 + i)) !== 0) mask |= 1 << i;
  return mask;
}

export function notAscii(at: number): number {
  let mask = 0;
  for (let i = 0; i < 16; i++) if (load8(at + i) >= 0x80) mask |= 1 << i;
  return mask;
}

/** The table of a class of ASCII: by the low half of a byte a bit for each high half. */
export function tableOf(characters: string): Uint8Array {
  const table = new Uint8Array(16);
  for (const byte of Buffer.from(characters)) table[byte & 0x0f] = (table[byte & 0x0f] ?? 0) | (1 << (byte >> 4));
  return table;
}
