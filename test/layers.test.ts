// The import direction, held against the real import graph, dynamic imports included. The table of what is forbidden and why is the
// lint configuration itself, so that the two cannot drift apart.
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const root = path.resolve(import.meta.dirname, '..');
const src = path.join(root, 'src');

interface Edge {
  readonly from: string;
  readonly to: string;
}

const importing =
  /(?:^|\n)\s*(?:import|export)\b[^;'"]*?from\s*['"](?<static>[^'"]+)['"]|\bimport\s*\(\s*['"](?<dynamic>[^'"]+)['"]|(?:^|\n)\s*import\s*['"](?<bare>[^'"]+)['"]/g;

function edgesOf(file: string): Edge[] {
  const text = fs.readFileSync(file, 'utf8').replaceAll(/^\s*\/\/.*$/gm, '');
  return [...text.matchAll(importing)].flatMap(({ groups }) => {
    const to = groups?.['static'] ?? groups?.['dynamic'] ?? groups?.['bare'] ?? '';
    return to.startsWith('.') ? [{ from: file, to: path.resolve(path.dirname(file), to) }] : [];
  });
}

const files = fs.globSync('src/**/*.ts', { cwd: root }).map((name) => path.join(root, name));
const product = files.filter((file) => !/\.test\.ts$/.test(file) && !file.includes('/testdata/'));
const edges = product.flatMap(edgesOf).filter(({ to }) => to.startsWith(src));
const roomOf = (file: string) => path.relative(src, file).split(path.sep)[0] ?? '';

interface Override {
  readonly files: readonly string[];
  readonly rules: {
    readonly 'no-restricted-imports'?: readonly [string, { patterns: readonly [{ group: readonly string[]; message: string }] }];
  };
}

/** The patterns of a room; tests are free of them and have the rule switched off. */
function ruleOf({ rules }: Override) {
  const rule = rules['no-restricted-imports'];
  return rule === undefined || typeof rule === 'string' ? undefined : rule[1].patterns[0];
}

const { overrides } = JSON.parse(fs.readFileSync(path.join(root, '.oxlintrc.json'), 'utf8')) as { overrides: readonly Override[] };
const rules = overrides.flatMap((override) => {
  const rule = ruleOf(override);
  return rule
    ? [{ room: override.files[0]?.split('/')[1] ?? '', forbidden: rule.group.map((glob) => glob.split('/')[1]), why: rule.message }]
    : [];
});

describe('the import graph', () => {
  it('is not empty, and every room but cli has a rule', () => {
    const rooms = new Set(product.map(roomOf));
    expect(edges.length).toBeGreaterThan(100);
    expect([...rooms].filter((room) => room !== 'cli' && !rules.some((rule) => rule.room === room))).toEqual([]);
  });

  it.each(rules)('$room imports nothing it must not ($why)', ({ room, forbidden }) => {
    const wrong = edges.filter(({ from, to }) => roomOf(from) === room && forbidden.includes(roomOf(to)));
    expect(wrong.map(({ from, to }) => `${path.relative(root, from)} → ${path.relative(root, to)}`)).toEqual([]);
  });

  it('goes through the door of every other room', () => {
    const wrong = edges.filter(({ from, to }) => roomOf(from) !== roomOf(to) && path.basename(to) !== 'index.ts' && !isLightCore(from, to));
    expect(wrong.map(({ from, to }) => `${path.relative(root, from)} → ${path.relative(root, to)}`)).toEqual([]);
  });
});

/** `--version` loads one file: main.ts takes two constants of core directly, so that not even the rest of core is parsed. */
function isLightCore(from: string, to: string): boolean {
  return from === path.join(src, 'cli/main.ts') && roomOf(to) === 'core';
}
