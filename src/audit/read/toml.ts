// TOML 1.0 through smol-toml; lines come from a second, light pass over headers and keys, because the parser does not tell them.
import { parse, TomlError } from 'smol-toml';
import { limits, type Node, type Parsed } from './node.ts';

export function parseToml(source: string): Parsed {
  try {
    const lines = keyLines(source);
    return { root: build(parse(source.replace(/^\uFEFF/, '')), [], 1, lines, { left: limits.nodes }) };
  } catch (fault) {
    if (fault instanceof TomlError) return { fault: { line: fault.line, reason: firstLine(fault.message) } };
    if (fault instanceof RangeError) return { fault: { line: 1, reason: 'nested too deeply' } };
    throw fault;
  }
}

function firstLine(message: string): string {
  return message.split('\n', 1)[0]?.replace(/^Invalid TOML document: /, '') ?? 'not TOML';
}

function build(value: unknown, keys: readonly string[], line: number, lines: ReadonlyMap<string, number>, budget: { left: number }): Node {
  if (--budget.left < 0 || keys.length > limits.depth) throw new RangeError('too large');
  if (Array.isArray(value)) {
    const items = value.map((item: unknown, index) => {
      const path = [...keys, String(index)];
      return build(item, path, lines.get(path.join('\0')) ?? line, lines, budget);
    });
    return { kind: 'list', line, items };
  }
  if (typeof value === 'object' && value !== null && !(value instanceof Date)) {
    const entries = new Map<string, { line: number; node: Node }>();
    for (const [key, item] of Object.entries(value)) {
      const path = [...keys, key];
      const at = lines.get(path.join('\0')) ?? line;
      entries.set(key, { line: at, node: build(item, path, at, lines, budget) });
    }
    return { kind: 'table', line, entries };
  }
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return { kind: 'scalar', line, value };
  return { kind: 'scalar', line, value: String(value) };
}

const keyShape = /^\s*(?:[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*'))*/;
const partShape = /[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*'/g;

/** Key path (joined by NUL) -> line of every header and key, and of list items that stand on lines of their own. */
function keyLines(source: string): Map<string, number> {
  const lines = new Map<string, number>();
  const counts = new Map<string, number>();
  let table: readonly string[] = [];
  let inText: string | undefined;
  let openList: { path: readonly string[]; index: number; depth: number } | undefined;
  for (const [index, raw] of source.split('\n').entries()) {
    const line = index + 1;
    if (inText !== undefined) {
      if (raw.includes(inText)) inText = undefined;
      continue;
    }
    if (openList !== undefined) {
      openList = listLine(raw, line, openList, lines);
      continue;
    }
    const header = /^\s*(\[\[?)\s*(.+?)\s*\]\]?\s*(#.*)?$/.exec(raw);
    const key = keyShape.exec(raw);
    if (header !== null && header[2] !== undefined && keyShape.exec(header[2])?.[0] === header[2]) {
      const named = resolve(parts(header[2]), counts);
      if (header[1] === '[[') {
        const joined = named.join('\0');
        const at = counts.get(joined) ?? 0;
        counts.set(joined, at + 1);
        note(lines, named, line);
        table = [...named, String(at)];
      } else table = named;
      note(lines, table, line);
    } else if (key !== null && /^\s*=/.test(raw.slice(key[0].length))) {
      const path = [...table, ...parts(key[0])];
      note(lines, path, line);
      const value = raw.slice(key[0].length).replace(/^\s*=\s*/, '');
      const quotes = /("""|''')/.exec(value)?.[1];
      if (quotes !== undefined && value.split(quotes).length % 2 === 0) inText = quotes;
      else if (value.startsWith('[')) openList = listLine(value, line, { path, index: 0, depth: 0 }, lines);
    }
  }
  return lines;
}

/** Follows an array over lines: one item a line is how people write long ones. */
function listLine(
  raw: string,
  line: number,
  open: { path: readonly string[]; index: number; depth: number },
  lines: Map<string, number>,
): { path: readonly string[]; index: number; depth: number } | undefined {
  const bare = raw.replace(/"(?:[^"\\]|\\.)*"|'[^']*'/g, (quoted) => '_'.repeat(quoted.length)).replace(/#.*$/, '');
  let { index, depth } = open;
  let isFresh = true;
  for (const char of bare) {
    if (char === '[' || char === '{') depth++;
    else if (char === ']' || char === '}') depth--;
    else if (char === ',' && depth === 1) {
      index++;
      isFresh = true;
    } else if (isFresh && char.trim() !== '' && depth >= 1) {
      lines.set([...open.path, String(index)].join('\0'), line);
      isFresh = false;
    }
    if (depth === 0) return undefined;
  }
  return { path: open.path, index, depth };
}

function note(lines: Map<string, number>, path: readonly string[], line: number): void {
  for (let length = 1; length <= path.length; length++) {
    const joined = path.slice(0, length).join('\0');
    if (!lines.has(joined)) lines.set(joined, line);
  }
}

/** Inside `[[a]]`, the header `[a.b]` belongs to the last `a`. */
function resolve(path: readonly string[], counts: ReadonlyMap<string, number>): readonly string[] {
  const out: string[] = [];
  for (const [index, part] of path.entries()) {
    out.push(part);
    const count = counts.get(out.join('\0'));
    if (count !== undefined && index < path.length - 1) out.push(String(count - 1));
  }
  return out;
}

function parts(key: string): readonly string[] {
  return [...key.matchAll(partShape)].map(([part]) =>
    part.startsWith('"') ? unquote(part) : part.startsWith("'") ? part.slice(1, -1) : part,
  );
}

function unquote(part: string): string {
  try {
    const value: unknown = JSON.parse(part);
    return typeof value === 'string' ? value : part;
  } catch {
    return part.slice(1, -1);
  }
}
