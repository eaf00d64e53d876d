// JSON after RFC 8259, and with options for what agents accept beyond it: comments and trailing commas (JSONC), unquoted keys and single
// quotes (JSON5). One pass, bounded in depth and size, with lines: strictness matters because an agent that reads strict JSON drops a
// file with a comment whole, and its deny rules with it.
import { limits, type Node, type Parsed } from './node.ts';

export interface JsonOptions {
  readonly comments: boolean;
  readonly trailingCommas: boolean;
  readonly json5?: boolean;
}

export const strictJson: JsonOptions = { comments: false, trailingCommas: false };
export const jsonc: JsonOptions = { comments: true, trailingCommas: true };
/** What the strip-json-comments family accepts. */
export const jsonWithComments: JsonOptions = { comments: true, trailingCommas: false };
export const json5: JsonOptions = { comments: true, trailingCommas: true, json5: true };

class Stop extends Error {
  readonly line: number;
  constructor(line: number, reason: string) {
    super(reason);
    this.line = line;
  }
}

export function parseJson(source: string, options: JsonOptions): Parsed {
  try {
    return { root: new Parser(source, options).document() };
  } catch (fault) {
    if (fault instanceof Stop) return { fault: { line: fault.line, reason: fault.message } };
    throw fault;
  }
}

const numberShape = /-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
const wordShape = /[A-Za-z_$][\w$]*/y;
const escapes: Readonly<Record<string, string>> = { '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', "'": "'" };

class Parser {
  private readonly source: string;
  private readonly options: JsonOptions;
  private position: number;
  private line = 1;
  private nodes = 0;

  constructor(source: string, options: JsonOptions) {
    this.source = source;
    this.options = options;
    this.position = source.charCodeAt(0) === 0xfeff ? 1 : 0;
  }

  document(): Node {
    this.space();
    const root = this.value(0);
    this.space();
    if (this.position < this.source.length) this.stop('something follows the end of the document');
    return root;
  }

  private stop(reason: string): never {
    throw new Stop(this.line, reason);
  }

  private space(): void {
    for (;;) {
      const char = this.source.charCodeAt(this.position);
      if (char === 10) {
        this.line++;
        this.position++;
      } else if (char === 32 || char === 9 || char === 13) this.position++;
      else if (char === 47) this.comment();
      else return;
    }
  }

  private comment(): void {
    const next = this.source[this.position + 1];
    if (next !== '/' && next !== '*') this.stop('unexpected "/"');
    if (!this.options.comments) this.stop('a comment, which JSON does not have');
    const end = next === '/' ? this.source.indexOf('\n', this.position) : this.source.indexOf('*/', this.position + 2);
    if (next === '*' && end < 0) this.stop('a comment that does not end');
    const stop = end < 0 ? this.source.length : next === '/' ? end : end + 2;
    for (let i = this.position; i < stop; i++) if (this.source.charCodeAt(i) === 10) this.line++;
    this.position = stop;
  }

  private value(depth: number): Node {
    if (depth > limits.depth) this.stop(`nested deeper than ${limits.depth} levels`);
    if (++this.nodes > limits.nodes) this.stop(`more than ${limits.nodes} values`);
    const char = this.source[this.position];
    if (char === '{') return this.table(depth);
    if (char === '[') return this.list(depth);
    const { line } = this;
    if (char === '"' || (char === "'" && this.options.json5)) return { kind: 'scalar', line, value: this.string() };
    numberShape.lastIndex = this.position;
    const number = numberShape.exec(this.source);
    if (number !== null) {
      this.position = numberShape.lastIndex;
      return { kind: 'scalar', line, value: Number(number[0]) };
    }
    wordShape.lastIndex = this.position;
    const word = wordShape.exec(this.source)?.[0];
    if (word === 'true' || word === 'false' || word === 'null') {
      this.position = wordShape.lastIndex;
      return { kind: 'scalar', line, value: word === 'null' ? null : word === 'true' };
    }
    return this.stop(char === undefined ? 'the text ends too early' : `unexpected ${JSON.stringify(char)}`);
  }

  private table(depth: number): Node {
    const { line } = this;
    const entries = new Map<string, { line: number; node: Node }>();
    this.position++;
    this.space();
    while (this.source[this.position] !== '}') {
      const keyLine = this.line;
      const key = this.key();
      this.space();
      if (this.source[this.position] !== ':') this.stop('":" expected after a key');
      this.position++;
      this.space();
      const node = this.value(depth + 1);
      entries.delete(key);
      entries.set(key, { line: keyLine, node });
      if (!this.separator('}')) break;
    }
    this.position++;
    return { kind: 'table', line, entries };
  }

  private list(depth: number): Node {
    const { line } = this;
    const items: Node[] = [];
    this.position++;
    this.space();
    while (this.source[this.position] !== ']') {
      items.push(this.value(depth + 1));
      if (!this.separator(']')) break;
    }
    this.position++;
    return { kind: 'list', line, items };
  }

  /** True when another element follows. */
  private separator(end: string): boolean {
    this.space();
    const char = this.source[this.position];
    if (char === end) return false;
    if (char !== ',') this.stop(char === undefined ? 'the text ends too early' : `"," or "${end}" expected`);
    this.position++;
    this.space();
    if (this.source[this.position] === end && !this.options.trailingCommas) this.stop('a comma before the end, which JSON does not allow');
    return this.source[this.position] !== end;
  }

  private key(): string {
    const char = this.source[this.position];
    if (char === '"' || (char === "'" && this.options.json5)) return this.string();
    if (this.options.json5) {
      wordShape.lastIndex = this.position;
      const word = wordShape.exec(this.source)?.[0];
      if (word !== undefined) {
        this.position = wordShape.lastIndex;
        return word;
      }
    }
    return this.stop(char === undefined ? 'the text ends too early' : 'a key in double quotes expected');
  }

  private string(): string {
    const quote = this.source[this.position];
    let out = '';
    let from = ++this.position;
    for (;;) {
      const char = this.source[this.position];
      if (char === undefined || char === '\n') this.stop('a string that does not end');
      if (char === quote) break;
      if (char === '\\') {
        out += this.source.slice(from, this.position) + this.escape();
        from = this.position;
      } else if (char < ' ') this.stop('a control character in a string');
      else this.position++;
    }
    out += this.source.slice(from, this.position);
    this.position++;
    return out;
  }

  private escape(): string {
    const char = this.source[this.position + 1] ?? '';
    if (char === 'u') {
      const hex = this.source.slice(this.position + 2, this.position + 6);
      if (!/^[0-9a-fA-F]{4}$/.test(hex)) this.stop('a broken escape in a string');
      this.position += 6;
      return String.fromCharCode(Number.parseInt(hex, 16));
    }
    const plain = Object.hasOwn(escapes, char) && (char !== "'" || this.options.json5) ? escapes[char] : undefined;
    if (plain === undefined) return this.stop('an unknown escape in a string');
    this.position += 2;
    return plain;
  }
}
