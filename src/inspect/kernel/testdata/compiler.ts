// Makes WebAssembly (core specification 2.0) of a kernel: TypeScript in which every value is a whole number of 32 bits and every array
// lies in one memory, reached through the functions of memory.ts. What it does not know it refuses, so that nothing is compiled into
// something else than it says.
import { parseAst } from 'rolldown/parseAst';

type Node = { readonly type: string; readonly [field: string]: any };

const I32 = 0x7f;
const EMPTY = 0x40;

/** Signed; `>>>` is the one that is not. */
const binary: Readonly<Record<string, number>> = {
  '===': 0x46,
  '!==': 0x47,
  '<': 0x48,
  '>': 0x4a,
  '<=': 0x4c,
  '>=': 0x4e,
  '+': 0x6a,
  '-': 0x6b,
  '&': 0x71,
  '|': 0x72,
  '^': 0x73,
  '<<': 0x74,
  '>>': 0x75,
  '>>>': 0x76,
};

/** By the name of the function: the instruction, and how the address is aligned where it has one. */
const intrinsics: Readonly<Record<string, readonly number[]>> = {
  load8: [0x2d, 0, 0],
  load32: [0x28, 2, 0],
  store32: [0x36, 2, 0],
  store8: [0x3a, 0, 0],
  imul: [0x6c],
  ctz: [0x68],
  popcnt: [0x69],
};

const LOAD = [0xfd, 0x00, 0, 0];
const sixteen = (...bytes: number[]) => [0xfd, 0x0c, ...Array.from({ length: 16 }, (_, i) => bytes[i % bytes.length] ?? 0)];
const powers = [1, 2, 4, 8, 16, 32, 64, 128, 0, 0, 0, 0, 0, 0, 0, 0];

/** Of sixteen bytes at a time. Some read an address twice, so what is given is a name or a number. */
const vectors: Readonly<Record<string, (a: number[], b: number[]) => number[]>> = {
  // The low halves of the bytes, then for each high half below eight a bit.
  halve: (at, to) => [
    ...[...to, ...at, ...LOAD, ...sixteen(0x0f), 0xfd, 0x4e, 0xfd, 0x0b, 0, 0],
    ...[...to, ...sixteen(...powers), ...at, ...LOAD, 0x41, 4, 0xfd, 0x6d, 0xfd, 0x0e, 0xfd, 0x0b, 0, 16],
  ],
  // The low half picks an element of the table, in which the high half is a bit.
  among: (halves, table) => [
    ...[...table, ...LOAD, ...halves, ...LOAD, 0xfd, 0x0e, ...halves, 0xfd, 0x00, 0, 16],
    ...[0xfd, 0x4e, ...sixteen(0), 0xfd, 0x24, 0xfd, 0x64],
  ],
  copy16: (to, from) => [...to, ...from, ...LOAD, 0xfd, 0x0b, 0, 0],
  notAscii: (at) => [...at, ...LOAD, 0xfd, 0x64],
};

/** The module that exports its memory and the functions that the source exports. */
export function compileKernel(source: string, pages: number): Uint8Array<ArrayBuffer> {
  const program: Node = parseAst(source, { lang: 'ts' });
  const constants = new Map<string, number>();
  const functions: { node: Node; isExported: boolean }[] = [];
  for (const statement of program['body'] as Node[]) {
    const isExported = statement.type === 'ExportNamedDeclaration';
    const declaration: Node = isExported ? statement['declaration'] : statement;
    if (declaration.type === 'ImportDeclaration') continue;
    if (declaration.type === 'FunctionDeclaration') functions.push({ node: declaration, isExported });
    else if (declaration.type === 'VariableDeclaration' && declaration['kind'] === 'const')
      for (const { id, init } of declaration['declarations']) constants.set(id.name, constantOf(init, constants));
    else throw unknown(declaration);
  }
  const indexes = new Map(functions.map(({ node }, index) => [node['id'].name as string, index]));
  const arities = [...new Set(functions.map(({ node }) => node['params'].length as number))];
  const types = arities.map((arity) => [0x60, ...vector(new Array(arity).fill([I32])), 1, I32]);
  const exported = functions.filter((each) => each.isExported).map(({ node }) => node['id'].name as string);
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, vector(types)),
    ...section(3, vector(functions.map(({ node }) => unsigned(arities.indexOf(node['params'].length))))),
    ...section(5, vector([[0x00, ...unsigned(pages)]])),
    ...section(
      7,
      vector([[...name('memory'), 2, 0], ...exported.map((each) => [...name(each), 0, ...unsigned(indexes.get(each) ?? 0)])]),
    ),
    ...section(10, vector(functions.map(({ node }) => sized(bodyOf(node, constants, indexes))))),
  ]);
}

function bodyOf(node: Node, constants: ReadonlyMap<string, number>, indexes: ReadonlyMap<string, number>): number[] {
  const locals = new Map<string, number>();
  for (const { name: parameter } of node['params']) locals.set(parameter, locals.size);
  const parameters = locals.size;
  /** What `break` and `continue` leave, innermost last; an unnamed one is a block of an `if`. */
  const labels: ('break' | 'continue' | '')[] = [];
  const branch = (to: 'break' | 'continue') => [0x0c, ...unsigned(labels.length - 1 - labels.lastIndexOf(to))];
  const within = (label: 'break' | 'continue' | '', make: () => number[]) => {
    labels.push(label);
    const code = make();
    labels.pop();
    return code;
  };
  const local = (id: Node) => {
    const index = locals.get(id['name']);
    if (index === undefined) throw unknown(id);
    return unsigned(index);
  };
  /** A local of its own for every name of the function: two blocks with the same name share it. */
  const declare = (id: string) => {
    if (!locals.has(id)) locals.set(id, locals.size);
  };

  const value = (e: Node): number[] => {
    switch (e.type) {
      case 'Literal':
        return constant(e['value']);
      case 'UnaryExpression':
        return e['operator'] === '!' ? [...value(e['argument']), 0x45] : constant(constantOf(e, constants));
      case 'Identifier': {
        const known = constants.get(e['name']);
        return known === undefined ? [0x20, ...local(e)] : constant(known);
      }
      case 'ParenthesizedExpression':
        return value(e['expression']);
      case 'BinaryExpression': {
        const code = binary[e['operator']];
        if (code === undefined) throw unknown(e);
        return [...value(e['left']), ...value(e['right']), code];
      }
      case 'ConditionalExpression': {
        const [yes, no] = [e['consequent'], e['alternate']];
        // Without a branch, where both sides are there already.
        if (isAtHand(yes) && isAtHand(no)) return [...value(yes), ...value(no), ...value(e['test']), 0x1b];
        return [...value(e['test']), 0x04, I32, ...value(yes), 0x05, ...value(no), 0x0b];
      }
      case 'CallExpression':
        return call(e);
      default:
        throw unknown(e);
    }
  };
  /** Leaves the block `depth` levels out when the condition is not what is `wanted`. */
  const unless = (e: Node, depth: number, wanted = true): number[] => {
    if (e.type === 'ParenthesizedExpression') return unless(e['expression'], depth, wanted);
    if (e.type === 'UnaryExpression' && e['operator'] === '!') return unless(e['argument'], depth, !wanted);
    if (e.type !== 'LogicalExpression') return [...value(e), ...(wanted ? [0x45] : []), 0x0d, ...unsigned(depth)];
    const isAnd = e['operator'] === '&&';
    if (!isAnd && e['operator'] !== '||') throw unknown(e);
    // `a && b` must hold, or `a || b` must not: either side alone decides.
    if (isAnd === wanted) return [...unless(e['left'], depth, wanted), ...unless(e['right'], depth, wanted)];
    return [0x02, EMPTY, ...unless(e['left'], 0, !wanted), ...unless(e['right'], depth + 1, wanted), 0x0b];
  };
  const call = ({ callee, arguments: given }: Node): number[] => {
    const called: string = callee.type === 'MemberExpression' ? callee.property.name : callee.name;
    const vector = vectors[called];
    if (vector) {
      const other = (given as Node[]).find((e) => !isAtHand(e));
      if (other) throw unknown(other);
      const [first = [], second = []] = (given as Node[]).map(value);
      return vector(first, second);
    }
    const values = (given as Node[]).flatMap(value);
    const instruction = intrinsics[called];
    if (instruction) return [...values, ...instruction];
    const index = indexes.get(called);
    if (index === undefined) throw unknown(callee);
    return [...values, 0x10, ...unsigned(index)];
  };
  const effect = (e: Node): number[] => {
    if (e.type === 'AssignmentExpression') {
      const { operator, left, right } = e as Node & { operator: string };
      const code = operator === '=' ? undefined : binary[operator.slice(0, -1)];
      if (operator !== '=' && code === undefined) throw unknown(e);
      return [...(code === undefined ? [] : value(left)), ...value(right), ...(code === undefined ? [] : [code]), 0x21, ...local(left)];
    }
    if (e.type === 'CallExpression') {
      const isStore = ['store8', 'store32', 'copy16', 'halve'].includes(e['callee'].name);
      return isStore ? call(e) : [...call(e), 0x1a];
    }
    throw unknown(e);
  };
  const loop = (init: number[], test: Node | null, body: () => number[], after: () => number[]): number[] => [
    ...init,
    ...[0x02, EMPTY],
    ...within('break', () => [
      ...[0x03, EMPTY],
      // The condition stands outside of the block that `continue` leaves.
      ...(test ? unless(test, 1) : []),
      ...within('', () => [0x02, EMPTY, ...within('continue', body), 0x0b, ...after(), 0x0c, 0]),
      0x0b,
    ]),
    0x0b,
  ];
  const run = (s: Node | null): number[] => {
    switch (s?.type) {
      case undefined:
      case 'EmptyStatement':
        return [];
      case 'BlockStatement':
        return (s['body'] as Node[]).flatMap(run);
      case 'VariableDeclaration':
        return (s['declarations'] as Node[]).flatMap(({ id, init }) => {
          declare(id.name);
          return [...value(init), 0x21, ...local(id)];
        });
      case 'ExpressionStatement':
        return effect(s['expression']);
      case 'IfStatement': {
        const { test, consequent, alternate } = s as Node & { test: Node };
        const yes = () => [0x02, EMPTY, ...within('', () => [...unless(test, 0), ...run(consequent), ...(alternate ? [0x0c, 1] : [])]), 0x0b];
        return alternate ? [0x02, EMPTY, ...within('', () => [...yes(), ...run(alternate)]), 0x0b] : yes();
      }
      case 'WhileStatement':
        return loop([], s['test'], () => run(s['body']), () => []);
      case 'ForStatement':
        return loop(run(s['init']), s['test'], () => run(s['body']), () => (s['update'] ? effect(s['update']) : []));
      case 'DoWhileStatement': {
        return [
          ...[0x03, EMPTY],
          // No `break` in here: `continue` is all that it knows.
          ...within('', () => [0x02, EMPTY, ...within('continue', () => run(s['body'])), 0x0b, ...value(s['test']), 0x0d, 0]),
          0x0b,
        ];
      }
      case 'BreakStatement':
        return branch('break');
      case 'ContinueStatement':
        return branch('continue');
      case 'ReturnStatement':
        return [...value(s['argument']), 0x0f];
      default:
        throw unknown(s as Node);
    }
  };
  const code = run(node['body']);
  const more = locals.size - parameters;
  return [...vector(more === 0 ? [] : [[...unsigned(more), I32]]), ...code, 0x00, 0x0b];
}

function isAtHand(e: Node): boolean {
  return e.type === 'Literal' || e.type === 'Identifier';
}

function constantOf(e: Node, known: ReadonlyMap<string, number>): number {
  if (e.type === 'Literal' && Number.isInteger(e['value'])) return e['value'] | 0;
  if (e.type === 'Identifier' && known.has(e['name'])) return known.get(e['name']) ?? 0;
  if (e.type === 'UnaryExpression' && e['operator'] === '-') return -constantOf(e['argument'], known) | 0;
  if (e.type === 'BinaryExpression') {
    const [left, right] = [constantOf(e['left'], known), constantOf(e['right'], known)];
    if (e['operator'] === '+') return (left + right) | 0;
    if (e['operator'] === '-') return (left - right) | 0;
    if (e['operator'] === '*') return Math.imul(left, right);
    if (e['operator'] === '<<') return left << right;
    if (e['operator'] === '|') return left | right;
  }
  throw unknown(e);
}

const constant = (value: number) => [0x41, ...signed(value | 0)];
const section = (id: number, content: number[]) => [id, ...sized(content)];
const sized = (content: number[]) => [...unsigned(content.length), ...content];
const vector = (items: readonly (readonly number[])[]) => [...unsigned(items.length), ...items.flat()];
const name = (text: string) => sized([...Buffer.from(text)]);

/** LEB128. */
function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return [...bytes, rest];
}

function signed(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest < -0x40 || rest > 0x3f; rest >>= 7) bytes.push((rest & 0x7f) | 0x80);
  return [...bytes, rest & 0x7f];
}

function unknown(node: Node): Error {
  return new Error(`a kernel cannot hold ${node.type} at ${node['start']}`);
}
