// One loopback address for each name that a program asks for, so that the address a connection was made to tells the name that was
// meant, also where the protocol does not say it (ssh). Addresses are from 127.64.0.0/10, which needs no route.

export class NameTable {
  readonly #limit: number;
  readonly #addressOf = new Map<string, string>();
  readonly #nameOf = new Map<string, string>();

  /** @param limit how many names; then new ones get no address */
  constructor(limit: number) {
    this.#limit = Math.min(limit, 0x3f_ff_00);
  }

  /** The address of a canonical name, always the same one; `undefined` when the table is full. */
  addressOf(name: string): string | undefined {
    const known = this.#addressOf.get(name);
    if (known !== undefined) return known;
    if (this.#addressOf.size >= this.#limit) return undefined;
    const number = this.#addressOf.size + 256;
    const address = `127.${64 + (number >> 16)}.${(number >> 8) & 0xff}.${number & 0xff}`;
    this.#addressOf.set(name, address);
    this.#nameOf.set(address, name);
    return address;
  }

  /** The name that has this address. */
  nameOf(address: string): string | undefined {
    return this.#nameOf.get(address);
  }
}
