// YAML 1.2 through the `yaml` library's node tree, without its conversion to values: aliases are followed under a budget, so that a
// document that unfolds to billions of nodes stops early.
import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type ParsedNode, parseDocument } from 'yaml';
import { limits, type Node, type Parsed } from './node.ts';

class TooLarge extends Error {}

export function parseYaml(source: string): Parsed {
  const lineCounter = new LineCounter();
  try {
    const document = parseDocument(source.replace(/^\uFEFF/, ''), {
      lineCounter,
      prettyErrors: false,
      uniqueKeys: false,
      logLevel: 'silent',
    });
    const [error] = document.errors;
    if (error !== undefined) return { fault: { line: lineCounter.linePos(error.pos[0]).line, reason: error.message } };
    return { root: build(document.contents, document, lineCounter, 0, 1, { left: limits.nodes }) };
  } catch (fault) {
    if (fault instanceof TooLarge || fault instanceof RangeError)
      return { fault: { line: 1, reason: 'nested too deeply or unfolds to too much' } };
    throw fault;
  }
}

function build(
  node: unknown,
  document: Document.Parsed,
  counter: LineCounter,
  depth: number,
  parent: number,
  budget: { left: number },
): Node {
  if (depth > limits.depth || --budget.left < 0) throw new TooLarge();
  const line = lineOf(node, counter, parent);
  if (isAlias(node)) return build(node.resolve(document), document, counter, depth + 1, line, budget);
  if (isMap<ParsedNode, ParsedNode | null>(node)) {
    const entries = new Map<string, { line: number; node: Node }>();
    for (const { key, value } of node.items) {
      const name = isScalar(key) ? String(key.value) : String(key);
      const at = lineOf(key, counter, line);
      entries.delete(name);
      entries.set(name, { line: at, node: build(value, document, counter, depth + 1, at, budget) });
    }
    return { kind: 'table', line, entries };
  }
  if (isSeq<ParsedNode>(node))
    return { kind: 'list', line, items: node.items.map((item) => build(item, document, counter, depth + 1, line, budget)) };
  const value: unknown = isScalar(node) ? node.value : null;
  const isPlain = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' || value === null;
  // A date, a big number or bytes: what the file says, not what a library makes of it.
  return { kind: 'scalar', line, value: isPlain ? value : (isScalar(node) && node.source) || '' };
}

function lineOf(node: unknown, counter: LineCounter, fallback: number): number {
  const range = typeof node === 'object' && node !== null && 'range' in node ? node.range : undefined;
  const start: unknown = Array.isArray(range) ? range[0] : undefined;
  return typeof start === 'number' ? counter.linePos(start).line : fallback;
}
