// The memory of a kernel while it runs as TypeScript, which only tests do: compiled, each of these functions is one instruction.
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
