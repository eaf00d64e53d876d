// YAML text as a tree whose every node knows where it stands, so that an error can name line and column. Hostile input is
// bounded here: size, depth, anchors, tags, duplicate keys and further documents are refused (YAML 1.2.2, core schema).

import { isAlias, isMap, isScalar, isSeq, LineCounter, type ParsedNode, parseDocument } from 'yaml';
import { IntramurError } from '../core/index.ts';

export type Located =
  | { readonly kind: 'map'; readonly at: number; readonly entries: ReadonlyMap<string, Entry> }
  | { readonly kind: 'list'; readonly at: number; readonly items: readonly Located[] }
  | { readonly kind: 'scalar'; readonly at: number; readonly value: string | number | boolean | null };

interface Entry {
  readonly keyAt: number;
  readonly value: Located;
}

export interface LocatedFile {
  readonly path: string;
  readonly root: Located;
  /** `file:line:column` of an offset. */
  where(at: number): string;
}

export const maxConfigBytes = 1024 * 1024;
const maxDepth = 32;

/** Text that may hold control characters, as it can safely be shown on one line of a terminal. */
export function printable(text: string, max = 80): string {
  const shown = text.length > max ? `${text.slice(0, max)}…` : text;
  return shown.replace(/[\p{C}\u2028\u2029]/gu, (c) => `\\u{${(c.codePointAt(0) ?? 0).toString(16)}}`);
}

function invalid(message: string, hint?: string): IntramurError {
  return new IntramurError('CONFIG_INVALID', message, hint === undefined ? {} : { hint });
}

/** @throws IntramurError CONFIG_INVALID that names file, line and column */
export function parseLocated(path: string, bytes: Uint8Array): LocatedFile {
  const file = printable(path, 4096);
  if (bytes.length > maxConfigBytes) throw invalid(`${file}: larger than ${maxConfigBytes} bytes`);

  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw invalid(`${file}: not UTF-8 text`);
  }

  const lines = new LineCounter();
  const where = (at: number) => {
    const { line, col } = lines.linePos(at);
    return `${file}:${line}:${col}`;
  };
  // Duplicate keys are looked for below: the library compares every pair of keys, which takes minutes on a hostile file.
  // Errors only are logged, to nowhere: `silent` would also hide a second document.
  const document = parseDocument(text, {
    version: '1.2',
    schema: 'core',
    merge: false,
    uniqueKeys: false,
    stringKeys: true,
    prettyErrors: false,
    logLevel: 'error',
    lineCounter: lines,
  });
  const problems = [...document.errors, ...document.warnings];
  const problem = problems.find(({ code }) => code === 'BAD_ALIAS') ?? problems[0];
  if (problem) {
    const { message, hint } = explained(problem.code, problem.message);
    throw invalid(`${where(problem.pos[0])}: ${message}`, hint);
  }

  const locate = (node: ParsedNode | null | undefined, depth: number, fallbackAt: number): Located => {
    const at = node?.range?.[0] ?? fallbackAt;
    if (!node) return { kind: 'scalar', at, value: null };
    if (depth > maxDepth) throw invalid(`${where(at)}: nested deeper than ${maxDepth} levels`);
    if (isAlias(node) || node.anchor !== undefined) {
      throw invalid(
        `${where(at)}: anchors and aliases (& and *) are not accepted`,
        'write the value out; a pattern that begins with * needs quotes',
      );
    }
    if (node.tag?.startsWith('!') === true || (node.tag !== undefined && !coreTags.has(node.tag))) {
      throw invalid(`${where(at)}: tags (!) are not accepted`);
    }
    if (isSeq(node)) return { kind: 'list', at, items: node.items.map((item) => locate(item, depth + 1, at)) };
    if (isMap(node)) {
      const entries = new Map<string, Entry>();
      for (const { key, value } of node.items) {
        const keyAt = key?.range?.[0] ?? at;
        const name = isScalar(key) ? String(key.value) : undefined;
        if (name === undefined || isAlias(key) || key.anchor !== undefined) throw invalid(`${where(keyAt)}: a key must be plain text`);
        if (entries.has(name)) throw invalid(`${where(keyAt)}: duplicate key ${JSON.stringify(printable(name))}`);
        entries.set(name, { keyAt, value: locate(value, depth + 1, keyAt) });
      }
      return { kind: 'map', at, entries };
    }
    const { value } = node;
    if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
      return { kind: 'scalar', at, value };
    }
    throw invalid(`${where(at)}: this kind of value is not accepted`);
  };
  return { path, root: locate(document.contents, 0, 0), where };
}

const coreTags = new Set(['str', 'int', 'float', 'bool', 'null', 'map', 'seq'].map((name) => `tag:yaml.org,2002:${name}`));

function explained(code: string, message: string): { message: string; hint?: string } {
  const first = printable(message.split('\n')[0] ?? message, 160);
  switch (code) {
    case 'RESOURCE_EXHAUSTION':
      return { message: `nested deeper than ${maxDepth} levels` };
    case 'TAB_AS_INDENT':
      return { message: 'tab used for indentation', hint: 'indent with spaces' };
    case 'MULTIPLE_DOCS':
      return { message: 'more than one YAML document in the file' };
    case 'BAD_ALIAS':
    case 'NON_STRING_KEY':
      return { message: 'a key must be plain text', hint: 'a pattern that begins with * needs quotes: "*"' };
    case 'TAG_RESOLVE_FAILED':
      return { message: 'tags (!) are not accepted' };
    default:
      return { message: `not valid YAML: ${first}` };
  }
}

export function entryOf(node: Located | undefined, key: string): Located | undefined {
  return node?.kind === 'map' ? node.entries.get(key)?.value : undefined;
}

export function itemsOf(node: Located | undefined): readonly Located[] {
  return node?.kind === 'list' ? node.items : [];
}

export function pairsOf(node: Located | undefined): readonly (readonly [string, Located, number])[] {
  return node?.kind === 'map' ? [...node.entries].map(([key, { value, keyAt }]) => [key, value, keyAt] as const) : [];
}

export function textOf(node: Located | undefined): string | undefined {
  return node?.kind === 'scalar' && typeof node.value === 'string' ? node.value : undefined;
}

export function numberOf(node: Located | undefined): number | undefined {
  return node?.kind === 'scalar' && typeof node.value === 'number' ? node.value : undefined;
}

export function booleanOf(node: Located | undefined): boolean | undefined {
  return node?.kind === 'scalar' && typeof node.value === 'boolean' ? node.value : undefined;
}

/** The word of a fixed vocabulary that stands at `node`. */
export function wordOf<T extends string>(node: Located | undefined, words: readonly T[]): T | undefined {
  const text = textOf(node);
  return words.find((word) => word === text);
}
