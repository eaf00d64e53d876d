import fc from 'fast-check';
import { stringify as stringifyToml } from 'smol-toml';
import { describe, expect, it } from 'vitest';
import { stringify as stringifyYaml } from 'yaml';
import { type JsonOptions, json5, jsonc, jsonWithComments, parseJson, strictJson } from './json.ts';
import { allAt, at, limits, type Node, type Parsed } from './node.ts';
import { parseToml } from './toml.ts';
import { parseYaml } from './yaml.ts';

function plain(node: Node): unknown {
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'list') return node.items.map(plain);
  return Object.fromEntries([...node.entries].map(([key, { node: value }]) => [key, plain(value)]));
}

function lineOf(parsed: Parsed, ...keys: string[]): number | undefined {
  return parsed.root === undefined ? undefined : allAt(parsed.root, keys)[0]?.line;
}

describe('JSON', () => {
  it('property: what JSON.parse takes, strict takes with the same meaning', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(undefined, 2), (value, indent) => {
        const text = JSON.stringify(value, undefined, indent);
        const parsed = parseJson(text, strictJson);
        // JSON text is what counts: -0 and keys like __proto__ are written as JSON writes them.
        expect(parsed.root === undefined ? parsed.fault : JSON.stringify(plain(parsed.root))).toBe(JSON.stringify(JSON.parse(text)));
      }),
    );
  });

  it('property: no text makes it throw, and strict refuses what JSON.parse refuses', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json().map((text) => text.slice(0, -1)),
          fc.json().map((text) => `${text},`),
        ),
        (text) => {
          let refused = false;
          try {
            JSON.parse(text);
          } catch {
            refused = true;
          }
          expect(parseJson(text, strictJson).fault !== undefined).toBe(refused);
        },
      ),
    );
  });

  it.each<[string, JsonOptions, boolean]>([
    ['{"a": 1} // c', strictJson, false],
    ['{"a": 1,}', strictJson, false],
    ['\ufeff{"a": 1}', strictJson, true],
    ['/* c */ {"a": 1}', jsonWithComments, true],
    ['{"a": 1,}', jsonWithComments, false],
    ['{"a": [1, 2,], } // c', jsonc, true],
    ["{a: 'b', }", jsonc, false],
    ["{a: 'b', }", json5, true],
    ['{"a": "\u0007"}', jsonc, false],
    ['{"a": 01}', strictJson, false],
    ['{"a": 1} x', jsonc, false],
    ['', jsonc, false],
  ])('%j with %o: %s', (text, options, accepted) => {
    expect(parseJson(text, options).fault === undefined).toBe(accepted);
  });

  it('counts lines from 1, names where it stopped, keeps the last of a repeated key', () => {
    const parsed = parseJson('{\n  "a": {\n    // note\n    "b": [\n      1,\n      2\n    ]\n  },\n  "a": 3\n}', jsonc);
    expect(lineOf(parsed, 'a')).toBe(9);
    expect(parseJson('{\n "a": [\n 1\n 2]}', jsonc).fault).toEqual({ line: 4, reason: '"," or "]" expected' });
  });

  it('stops at depth and size instead of running out of stack', () => {
    expect(parseJson('['.repeat(1_000_000), jsonc).fault?.reason).toContain('nested deeper');
    expect(parseJson(`[${'0,'.repeat(limits.nodes + 10)}0]`, strictJson).fault?.reason).toContain('more than');
  });
});

describe('TOML', () => {
  it('gives headers, keys and items their lines', () => {
    const parsed = parseToml(
      'a = 1\n\n[b]\nc = [\n  "x",\n  "y", # note\n]\nd.e = """\nf = 1\n"""\n[[r]]\nn = 1\n[[r]]\nn = 2\n[r.s]\nt = 3\n["q.r"]\nz = 0\n',
    );
    expect(
      [['a'], ['b'], ['b', 'c'], ['b', 'c', '1'], ['b', 'd', 'e'], ['r', '1', 'n'], ['r', '1', 's', 't'], ['q.r', 'z']].map((keys) =>
        lineOf(parsed, ...keys.map((key) => key)),
      ),
    ).toEqual([1, 3, 4, undefined, 8, undefined, undefined, 18]);
    expect(parsed.root && allAt(parsed.root, ['b', 'c', '*']).map(({ line }) => line)).toEqual([5, 6]);
    expect(parsed.root && allAt(parsed.root, ['r', '*', 'n']).map(({ line }) => line)).toEqual([12, 14]);
  });

  it('property: values survive', () => {
    const table = fc.dictionary(fc.string({ minLength: 1 }), fc.oneof(fc.string(), fc.boolean(), fc.integer(), fc.array(fc.string())), {
      maxKeys: 5,
    });
    fc.assert(
      fc.property(table, (value) => {
        const parsed = parseToml(stringifyToml(value));
        expect(parsed.root && plain(parsed.root)).toEqual({ ...value });
      }),
    );
  });

  it('property: no text makes it throw', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.constantFrom('a = [', '[a', '[[a]]\n[a]', 'a = "\\', `a = ${'['.repeat(5000)}`)),
        (text) => void parseToml(text),
      ),
    );
  });
});

describe('YAML', () => {
  it('gives keys their lines', () => {
    const parsed = parseYaml('a: 1\nb:\n  - x\n  - c: 2\n');
    expect(at(parsed.root, 'a')?.line).toBe(1);
    expect(parsed.root && allAt(parsed.root, ['b', '*']).map(({ line }) => line)).toEqual([3, 4]);
    expect(parseYaml('a: [1\nb: 2\n').fault?.line).toBeGreaterThan(0);
  });

  it('stops a document that unfolds to billions of nodes', () => {
    const bomb = [
      'a0: &a0 [x,x,x,x,x,x,x,x,x,x]',
      ...Array.from({ length: 12 }, (_, i) => `a${i + 1}: &a${i + 1} [${Array(10).fill(`*a${i}`).join(',')}]`),
    ].join('\n');
    expect(parseYaml(bomb).fault?.reason).toContain('unfolds');
  });

  it('property: values survive, no text makes it throw', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), fc.oneof(fc.string(), fc.boolean(), fc.integer())), (value) => {
        const parsed = parseYaml(stringifyYaml(value));
        expect(parsed.root && plain(parsed.root)).toEqual({ ...value });
      }),
    );
    fc.assert(fc.property(fc.string(), (text) => void parseYaml(text)));
  });
});
