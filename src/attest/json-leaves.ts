// A JSON text taken apart into everything that could carry a mark: each value with its path, and beside the values the order of the keys,
// the white space, the spelling of numbers and the escapes. JSON.parse loses all of the latter. Never throws; `undefined` is "not JSON".

export interface Leaf {
  readonly path: string;
  /** The decoded string, a number, boolean or null as it is spelled, `{}` or `[]`. */
  readonly text: string;
}

export interface JsonLeaves {
  readonly leaves: readonly Leaf[];
  /** Of each object its keys in order; of an array of named things their names. */
  readonly orders: readonly Leaf[];
  /** White space between tokens, in order, one run a line. */
  readonly space: string;
  /** Escapes that the plainest spelling of the same string would not have, one string a line. */
  readonly escapes: string;
}

const maxDepth = 200;
const spaceRun = /[ \t\n\r]*/y;
const numberOrWord = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
const stringLiteral = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;

export function readJsonLeaves(text: string): JsonLeaves | undefined {
  const reader = new Reader(text);
  try {
    reader.value('', 0);
    reader.space();
    return reader.at === text.length ? reader.result() : undefined;
  } catch (fault) {
    if (fault instanceof NotJson) return undefined;
    throw fault;
  }
}

class NotJson extends Error {}

class Reader {
  at = 0;
  readonly #text: string;
  readonly #leaves: Leaf[] = [];
  readonly #orders: Leaf[] = [];
  readonly #space: string[] = [];
  readonly #escapes: string[] = [];

  constructor(text: string) {
    this.#text = text;
  }

  result(): JsonLeaves {
    return { leaves: this.#leaves, orders: this.#orders, space: this.#space.join('\n'), escapes: this.#escapes.join('\n') };
  }

  value(path: string, depth: number): void {
    if (depth > maxDepth) throw new NotJson();
    this.space();
    const next = this.#text[this.at];
    if (next === '{') this.#object(path, depth);
    else if (next === '[') this.#array(path, depth);
    else if (next === '"') this.#leaves.push({ path, text: this.#string(path) });
    else this.#leaves.push({ path, text: this.#match(numberOrWord) });
  }

  space(): void {
    const run = this.#match(spaceRun);
    if (run !== '') this.#space.push(JSON.stringify(run));
  }

  #object(path: string, depth: number): void {
    this.at += 1;
    const keys: string[] = [];
    for (this.space(); !this.#take('}'); this.space()) {
      if (keys.length > 0) this.#expect(',');
      this.space();
      const key = this.#string(`${path} key`);
      this.space();
      this.#expect(':');
      const again = keys.filter((other) => other === key).length;
      keys.push(key);
      this.value(`${path === '' ? key : `${path}.${key}`}${again > 0 ? `~${again + 1}` : ''}`, depth + 1);
    }
    if (keys.length > 1) this.#orders.push({ path, text: keys.map((key) => key.replaceAll(' ', '␠')).join(' ') });
    if (keys.length === 0) this.#leaves.push({ path, text: '{}' });
  }

  #array(path: string, depth: number): void {
    this.at += 1;
    const names: string[] = [];
    let count = 0;
    for (this.space(); !this.#take(']'); this.space(), count += 1) {
      if (count > 0) this.#expect(',');
      const first = this.#leaves.length;
      const firstOrder = this.#orders.length;
      this.value(`${path}[${count}]`, depth + 1);
      const name = this.#nameOf(`${path}[${count}]`, first);
      if (name === undefined) continue;
      const isAgain = names.includes(name);
      names.push(name);
      // The second of that name is told apart by its position.
      if (isAgain) continue;
      this.#rename(`${path}[${count}]`, `${path}[${name}]`, first, firstOrder);
    }
    if (names.length > 1) this.#orders.push({ path: `${path}[]`, text: names.join(' ') });
    if (count === 0) this.#leaves.push({ path, text: '[]' });
  }

  /** Tools and the like are known by their names, so that their order and their contents are told apart. */
  #nameOf(path: string, first: number): string | undefined {
    const named = this.#leaves.slice(first).find((leaf) => leaf.path === `${path}.name` || leaf.path === `${path}.function.name`);
    return named !== undefined && /^[\w.:-]{1,80}$/.test(named.text) ? named.text : undefined;
  }

  #rename(from: string, to: string, first: number, firstOrder: number): void {
    for (const [i, leaf] of this.#leaves.entries()) {
      if (i >= first && leaf.path.startsWith(from)) this.#leaves[i] = { path: to + leaf.path.slice(from.length), text: leaf.text };
    }
    for (const [i, { path, text }] of this.#orders.entries()) {
      if (i >= firstOrder && path.startsWith(from)) this.#orders[i] = { path: to + path.slice(from.length), text };
    }
  }

  #string(path: string): string {
    const raw = this.#match(stringLiteral);
    const decoded: unknown = JSON.parse(raw);
    const text = typeof decoded === 'string' ? decoded : '';
    if (raw !== JSON.stringify(text)) this.#escapes.push(`${path}: ${(raw.match(/\\u....|\\./g) ?? []).join(' ')}`);
    return text;
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.#text)?.[0];
    if (found === undefined) throw new NotJson();
    this.at += found.length;
    return found;
  }

  #take(char: string): boolean {
    if (this.#text[this.at] !== char) return false;
    this.at += 1;
    return true;
  }

  #expect(char: string): void {
    if (!this.#take(char)) throw new NotJson();
  }
}
