import fs from 'node:fs';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { readJson } from '../decode/json.ts';
import { copyText, tables as jsonTables } from '../decode/json-text.ts';
import { Numbers } from '../decode/numbers.ts';
import { survey, tables } from '../decode/survey.ts';
import { budgetFor, defaultLimits } from '../limits.ts';
import { lex, newTokens, type Tokens } from '../source/lexer.ts';
import { jsonCode } from './json.code.ts';
import * as J from './json.kernel.ts';
import { lexerCode } from './lexer.code.ts';
import * as K from './lexer.kernel.ts';
import { kernelMemory } from './memory.ts';
import { surveyCode } from './survey.code.ts';
import * as S from './survey.kernel.ts';
import { compileKernel } from './testdata/compiler.ts';

it.each<[string, number, string]>([
  ['lexer', 2, lexerCode],
  ['survey', S.PAGES, surveyCode],
  ['json', J.PAGES, jsonCode],
])('the code of the %s is what its source compiles to (`npm run golden` writes it)', async (name, pages, used) => {
  const source = fs.readFileSync(new URL(`./${name}.kernel.ts`, import.meta.url), 'utf8');
  const code = Buffer.from(compileKernel(source, pages)).toString('base64');
  const file = `// Made of ${name}.kernel.ts by \`npm run golden\`.\nexport const ${name}Code =\n  '${code}';\n`;
  await expect(file).toMatchFileSnapshot(`./${name}.code.ts`);
  expect(WebAssembly.Module.imports(new WebAssembly.Module(Buffer.from(used, 'base64')))).toEqual([]);
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

it('the compiled survey says what its source says when that runs as TypeScript, part after part', () => {
  const hard = fc.constantFrom(
    '0x41',
    '\\u0041',
    '=3D',
    '"a" + "b"',
    'a b c d ',
    '--',
    '--x',
    '0000: 41 42',
    '/*',
    '/',
    '*',
    '# ',
    'é',
    ':;',
  );
  const long = fc.constantFrom('A'.repeat(19), 'aB3/'.repeat(6), '41 42 43 44\r\n'.repeat(3), ' '.repeat(50), '\n'.repeat(20));
  const text = fc.array(fc.oneof(pieces, hard, long), { maxLength: 200 }).map((list) => Buffer.from(list.join('')));
  const filler = fc.constantFrom(0, S.PART - 40, 2 * S.PART - 10);
  fc.assert(
    fc.property(text, filler, fc.nat(60), (end, size, more) => {
      const bytes = Buffer.concat([Buffer.alloc(size === 0 ? 0 : size + more, 'ab, 1\n'), end]);
      const found = survey(
        bytes,
        budgetFor(defaultLimits, () => 0),
      );
      expect(Object.values(found).map((list) => (typeof list === 'number' ? list : [...list]))).toEqual(surveyAsTypeScript(bytes));
    }),
    { numRuns: 60 },
  );
});

it('the compiled reader of JSON says what its source says when that runs as TypeScript', () => {
  const plain = fc.nat(40).map((length) => 'x'.repeat(length));
  const escape = fc.constantFrom('\\n', '\\"', '\\\\', '\\t', '\\/');
  const text = fc.array(fc.oneof(plain, escape, fc.constantFrom('é', '\n')), { maxLength: 60 }).map((list) => list.join(''));
  const end = fc.constantFrom('', '"', '\\', '\\u0041', '\\q');
  fc.assert(
    fc.property(text, end, fc.nat(3), (long, stop, from) => {
      const bytes = Buffer.from(long + stop);
      const memory = new Uint8Array(kernelMemory);
      memory.fill(0);
      memory.set(jsonTables());
      memory.set(bytes, J.TEXT);
      const start = Math.min(from, bytes.length);
      J.copyText(J.TEXT + start, J.TEXT + bytes.length, J.OUT, J.TEXT, J.OUT - 7);
      const [read = 0, wrote = 0, count = 0] = new Int32Array(kernelMemory, J.STOPPED, 3);
      const [at, shift] = [new Numbers(), new Numbers()];
      const out = Buffer.alloc(bytes.length + 7);
      const stopped = copyText(bytes, start, out, 7, at, shift);
      expect(stopped).toEqual({ read: read - J.TEXT, wrote: wrote - J.OUT + 7 });
      expect(out.subarray(7, stopped.wrote)).toEqual(Buffer.from(memory.subarray(J.OUT, wrote)));
      expect([...at.view(), ...shift.view()]).toEqual([
        ...new Int32Array(kernelMemory, J.SHIFTS, count),
        ...new Int32Array(kernelMemory, J.SHIFTS + J.SHIFTS_SIZE, count),
      ]);
    }),
    { numRuns: 500 },
  );
});

it.each<[string, string]>([
  ['a text without an end', 'x'.repeat(100_000)],
  ['one of lines', 'a line of it\\n'.repeat(9_000)],
  ['one with an escape over the end of each part', `${'x'.repeat(1023)}\\n`.repeat(40)],
  ['one of the longer escapes', `${'x'.repeat(300)}\\u00e9\\ud83d\\ude00\\x41`.repeat(300)],
])('%s is read as any reader of JSON reads it', (_name, text) => {
  const { fields, isClosed } = readJson(Buffer.from(`["${text}"]`));
  expect(fields.toString()).toBe(`["${JSON.parse(`"${text.replaceAll('\\x41', 'A')}"`)}"]`);
  expect(isClosed).toBe(true);
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

it.each([0, K.MOST_EARLIER - 50, K.MOST_EARLIER])('names of earlier texts are none, after %d bytes of tokens', (earlier) => {
  const tokens = newTokens(1024);
  const text = Buffer.from('alpha = beta + gamma; beta = alpha(delta, gamma);');
  const fresh = found(lex(text, newTokens(1024)));
  new Int32Array(tokens.kernel.memory.buffer)[K.EARLIER / 4] = earlier;
  for (let again = 0; again < 4; again++) expect(found(lex(text, tokens))).toEqual(fresh);
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

function surveyAsTypeScript(bytes: Buffer): unknown[] {
  const memory = new Uint8Array(kernelMemory);
  const lists = Array.from({ length: S.HOW_MANY }, (): number[] => []);
  const counts = new Int32Array(kernelMemory, S.COUNTS, S.HOW_MANY + 1);
  let apart = 0;
  for (let start = 0; start < bytes.length; start += S.PART) {
    const end = Math.min(bytes.length, start + S.PART);
    memory.fill(0);
    memory.set(tables());
    const first = Math.max(0, start - 16);
    memory.set(bytes.subarray(first, end + S.BEHIND), S.TEXT - (start - first));
    S.survey(S.TEXT, S.TEXT + end - start, start - S.TEXT, start === 0 ? 1 : 0);
    for (const [i, list] of lists.entries()) list.push(...new Int32Array(kernelMemory, S.LISTS + i * S.LIST, counts[i]));
    apart += counts[S.HOW_MANY] ?? 0;
  }
  return [...lists, apart];
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
