import fs from 'node:fs';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { lex, newTokens, type Tokens } from '../source/lexer.ts';
import { lexerCode } from './lexer.code.ts';
import * as K from './lexer.kernel.ts';
import { kernelMemory } from './memory.ts';
import { compileKernel } from './testdata/compiler.ts';

const PAGES = 2;
const source = fs.readFileSync(new URL('./lexer.kernel.ts', import.meta.url), 'utf8');

it('the code of the lexer is what its source compiles to (`npm run golden` writes it)', async () => {
  const code = Buffer.from(compileKernel(source, PAGES)).toString('base64');
  await expect(`// Made of lexer.kernel.ts by \`npm run golden\`.\nexport const lexerCode =\n  '${code}';\n`).toMatchFileSnapshot(
    './lexer.code.ts',
  );
  expect(WebAssembly.Module.imports(new WebAssembly.Module(Buffer.from(lexerCode, 'base64')))).toEqual([]);
});

const pieces = fc.constantFrom(
  ...['const ', 'foo_Bar', ' ', '  ', '\n', '\\n', '\\\\', '"', '// c ', '/* ', ' */', '# ', ' * ', '12345', '7', '12: ', 'a/b.ts:12:'],
  ...['> ', '+', '|', '→', 'é', '{', ';', 'x', 'veryLongNameThatIsNoKeywordAtAll', 'return ', 'http://', '\t', '\r\n', 'import '],
);

it('the compiled lexer says what its source says when that runs as TypeScript', () => {
  const text = fc.array(pieces, { maxLength: 400 }).map((list) => Buffer.from(list.join('')));
  fc.assert(
    fc.property(text, fc.nat(20), fc.nat(20), (bytes, before, behind) => {
      const from = Math.min(before, bytes.length);
      const to = Math.max(from, bytes.length - behind);
      expect(found(lexAsTypeScript(bytes, from, to))).toEqual(found(lex(bytes, newTokens(bytes.length), from, to)));
    }),
    { numRuns: 300 },
  );
});

it('what lies outside of its memory is a fault, never an answer', () => {
  const { kernel } = newTokens(16);
  const end = kernel.memory.buffer.byteLength;
  expect(() => kernel.lex(end, end + 16, 0, 0, 0, 0, 0, 0, 0, 0, 0)).toThrow(WebAssembly.RuntimeError);
});

it.each<[string, string, string, number]>([
  ['more room was needed', 'let alpha = beta(gamma);\n// delta', '9: 8: 7: \\\\ long '.repeat(20_000), 0],
  ['it went on', 'alpha\n12', 'alpha\n12: 9', 0],
  ['something stood before it', '// alpha', ':// alpha', 1],
])('tokens of a text do not depend on the one before: %s', (_name, text, earlier, from) => {
  const tokens = newTokens(16);
  const fresh = found(lex(Buffer.from(text), newTokens(16)));
  lex(Buffer.from(earlier), tokens, from);
  expect(found(lex(Buffer.from(text), tokens))).toEqual(fresh);
});

it.each(['export function f(a: number): number { return a / 2; }', 'let a = 1;', 'function f(): number { return g(); }'])(
  'the compiler refuses %s',
  (text) => {
    expect(() => compileKernel(text, 1)).toThrow('a kernel cannot hold');
  },
);

it.each<[string, number]>([
  ['if (a > 1 && b < 1) sum += 1; else sum += 10;', 2],
  ['if (!(a === 3) || b) sum += 1; else sum += 10;', 20],
  ['if (a === 3 || b) sum += 1;', 2],
  ['sum += (a << 30) >>> 30;', 6],
  ['sum += a > b ? -7 : 7;', -14],
  ['do { sum -= 1; if (sum < -4) continue; } while (sum > -9);', -10],
])('%s', (statement, expected) => {
  // Two of four turns reach the statement.
  const text = `export function f(a: number, b: number): number {
    let sum = 0;
    for (let i = 0; i < 9; i += 1) {
      if (i === 1 || (i > 1 && i === a)) continue;
      for (;;) if (i >= 0) break;
      if (i > 3) break;
      ${statement}
    }
    return sum;
  }`;
  const { f } = new WebAssembly.Instance(new WebAssembly.Module(compileKernel(text, 1))).exports as { f(a: number, b: number): number };
  expect(f(3, 0)).toBe(expected);
});

/** The source itself, on a copy of the same memory. */
function lexAsTypeScript(bytes: Buffer, from: number, to: number): Tokens {
  const tokens = newTokens(bytes.length);
  const memory = new Uint8Array(kernelMemory);
  memory.fill(0);
  memory.set(new Uint8Array(tokens.kernel.memory.buffer));
  const head = Math.min(from, 2);
  memory.set(bytes.subarray(from - head, to + 62), K.TEXT - head);
  const { words, lines, shapes, blockEnd } = tokens;
  const places = [words, lines, shapes, blockEnd].flatMap((array) => [array.byteOffset, array.byteLength]);
  const [w = 0, ws = 0, l = 0, ls = 0, s = 0, ss = 0, b = 0, bs = 0] = places;
  K.lex(K.TEXT, K.TEXT + to - from, K.TEXT - from, w, ws, l, ls, s, ss, b, bs);
  for (const [name, array] of Object.entries(tokens)) {
    if (array instanceof Int32Array) Object.assign(tokens, { [name]: new Int32Array(kernelMemory, array.byteOffset, array.length) });
  }
  const [wordCount = 0, lineCount = 0, shapeCount = 0, blockCount = 0] = new Int32Array(kernelMemory, K.COUNTS, 4);
  return Object.assign(tokens, { wordCount, lineCount, shapeCount, blockCount });
}

function found(tokens: Tokens): unknown {
  const of = (count: number, ...arrays: Int32Array[]) => arrays.map((array) => [...array.subarray(0, count)]);
  return [
    of(tokens.wordCount, tokens.words, tokens.wordStart),
    of(tokens.lineCount, tokens.lines, tokens.lines2, tokens.lineWord, tokens.lineStart, tokens.lineEnd),
    of(tokens.shapeCount, tokens.shapes, tokens.shapeWord),
    of(tokens.blockCount, tokens.blockEnd, tokens.blockWords, tokens.blockCommon),
  ];
}
