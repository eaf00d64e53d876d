// A parsed settings file with the line of everything in it, whatever its format was: findings name file and line.

interface At {
  /** From 1. */
  readonly line: number;
}

export interface TableNode extends At {
  readonly kind: 'table';
  /** In the order of the file; of a repeated key the last one, as every parser in question does. */
  readonly entries: ReadonlyMap<string, { readonly line: number; readonly node: Node }>;
}

export interface ListNode extends At {
  readonly kind: 'list';
  readonly items: readonly Node[];
}

export interface ScalarNode extends At {
  readonly kind: 'scalar';
  readonly value: string | number | boolean | null;
}

export type Node = TableNode | ListNode | ScalarNode;

/** Why a text is no document: one sentence, with the line where the parser stopped. */
export interface ParseFault {
  readonly line: number;
  readonly reason: string;
}

export type Parsed = { readonly root: Node; readonly fault?: undefined } | { readonly root?: undefined; readonly fault: ParseFault };

/** Bounds for hostile documents. */
export const limits = { depth: 120, nodes: 400_000 } as const;

/** The node at a key path; `*` is not understood here (see `allAt`). */
export function at(node: Node | undefined, ...keys: readonly string[]): Node | undefined {
  let here = node;
  for (const key of keys) here = here?.kind === 'table' ? here.entries.get(key)?.node : undefined;
  return here;
}

export interface Found {
  readonly keys: readonly string[];
  /** Line of the key; of the item, in a list. */
  readonly line: number;
  readonly node: Node;
}

/** All nodes at a path in which `*` stands for any key or list item. */
export function allAt(node: Node | undefined, pattern: readonly string[]): readonly Found[] {
  if (node === undefined) return [];
  let here: readonly Found[] = [{ keys: [], line: node.line, node }];
  for (const step of pattern) {
    const next: Found[] = [];
    for (const found of here) {
      if (found.node.kind === 'table') {
        if (step === '*') {
          for (const [key, entry] of found.node.entries) next.push({ keys: [...found.keys, key], line: entry.line, node: entry.node });
        } else {
          const entry = found.node.entries.get(step);
          if (entry !== undefined) next.push({ keys: [...found.keys, step], line: entry.line, node: entry.node });
        }
      } else if (found.node.kind === 'list' && step === '*') {
        for (const [index, item] of found.node.items.entries())
          next.push({ keys: [...found.keys, String(index)], line: item.line, node: item });
      }
    }
    here = next;
  }
  return here;
}

export function text(node: Node | undefined): string | undefined {
  return node?.kind === 'scalar' && typeof node.value === 'string' ? node.value : undefined;
}

export function flag(node: Node | undefined): boolean | undefined {
  return node?.kind === 'scalar' && typeof node.value === 'boolean' ? node.value : undefined;
}

/** The strings of a list with their lines; of a single string, that one. */
export function texts(node: Node | undefined): readonly { readonly value: string; readonly line: number }[] {
  if (node?.kind === 'list') return node.items.flatMap((item) => texts(item));
  const value = text(node);
  return value === undefined || node === undefined ? [] : [{ value, line: node.line }];
}

/** The entries of a table; none for anything else. */
export function entriesOf(node: Node | undefined): readonly { readonly key: string; readonly line: number; readonly node: Node }[] {
  return node?.kind === 'table' ? [...node.entries].map(([key, entry]) => ({ key, line: entry.line, node: entry.node })) : [];
}

/** Every string in a document with its key path and line. */
export function* everyText(node: Node, keys: readonly string[] = []): Generator<{ keys: readonly string[]; line: number; value: string }> {
  if (node.kind === 'table') for (const [key, entry] of node.entries) yield* everyText(entry.node, [...keys, key]);
  else if (node.kind === 'list') for (const [index, item] of node.items.entries()) yield* everyText(item, [...keys, String(index)]);
  else if (typeof node.value === 'string') yield { keys, line: node.line, value: node.value };
}
