// The company's tables of people on disk, beside the fingerprints of its source and under the same secret: `tables.json` says which there
// are, `tables.bin` (sealed) is what is looked for. No value of a table is stored.
import fs from 'node:fs';
import path from 'node:path';
import { type Classification, classifications, IntramurError, product } from '../../core/index.ts';
import { readIfThere, secretOf, writeWhole } from '../source/files.ts';
import { seal, unsealFile } from '../source/sealed.ts';
import { csvRows } from './csv.ts';
import { buildDataIndex, type DataIndex, type DataTableEntry, memoryOf, openData } from './data-table.ts';
import { LONGEST } from './runs.ts';

export interface DataStore {
  list(): readonly DataTableEntry[];
  /** @returns what was registered under this name before */
  add(entry: Pick<DataTableEntry, 'name' | 'path' | 'classification' | 'columns' | 'with'>): DataTableEntry | undefined;
  remove(name: string): boolean;
  /** Reads every table anew. @throws IntramurError CONFIG_INVALID, CONFIG_NOT_FOUND */
  build(now: () => Date): void;
  /** `undefined` when there is no table; a part of an index is a fault, not none. */
  load(): DataIndex | undefined;
}

const SCHEMA = 'intramur/tables/1';
const LARGEST = 512 << 20;

export function dataStore(directory: string): DataStore {
  const listFile = path.join(directory, 'tables.json');
  const indexFile = path.join(directory, 'tables.bin');
  const list = () => {
    const text = readIfThere(listFile);
    return text === undefined ? [] : parseList(text.toString(), listFile);
  };
  const save = (tables: readonly DataTableEntry[]) =>
    writeWhole(listFile, [Buffer.from(`${JSON.stringify({ schema: SCHEMA, tables }, null, 2)}\n`)]);
  return {
    list,
    add(entry) {
      const before = list();
      const others = before.filter(({ name }) => name !== entry.name);
      save([...others, { ...entry, rows: 0, values: 0 }].toSorted((a, b) => (a.name < b.name ? -1 : 1)));
      return before.find(({ name }) => name === entry.name);
    },
    remove(name) {
      const before = list();
      const after = before.filter((entry) => entry.name !== name);
      if (after.length < before.length) save(after);
      return after.length < before.length;
    },
    build(now) {
      const tables = list();
      if (tables.length === 0) {
        fs.rmSync(indexFile, { force: true });
        return;
      }
      const secret = secretOf(directory);
      const { index, entries } = buildDataIndex(
        secret,
        tables.map((entry) => ({ entry, rows: csvRows(readTable(entry)) })),
      );
      writeWhole(indexFile, seal(secret, 'tables', packed(index)));
      const builtAt = now().toISOString();
      save(entries.map((entry) => ({ ...entry, builtAt })));
    },
    load() {
      const built = list().some(({ builtAt }) => builtAt !== undefined);
      const isThere = fs.existsSync(indexFile);
      if (!built && !isThere) return undefined;
      if (!isThere) throw broken();
      try {
        return unpacked(secretOf(directory), unsealFile(secretOf(directory), 'tables', indexFile));
      } catch (cause) {
        throw cause instanceof TypeError || cause instanceof RangeError || cause instanceof SyntaxError ? broken(cause) : cause;
      }
    },
  };
}

function readTable({ name, path: file }: DataTableEntry): string {
  const size = fs.statSync(file, { throwIfNoEntry: false })?.size;
  if (size === undefined) {
    throw new IntramurError('CONFIG_NOT_FOUND', `${file}, the table "${name}", is not there`, {
      hint: `${product.name} index remove ${name}`,
    });
  }
  if (size > LARGEST) throw new IntramurError('CONFIG_INVALID', `the table "${name}" is larger than ${LARGEST >> 20} MiB`);
  return fs.readFileSync(file, 'utf8');
}

/** Length of the head, the head as JSON, the two tables; each part begins at a multiple of four. */
function packed(index: DataIndex): Uint8Array {
  const { named, confirming, namedLengths, confirmingLengths, tables } = memoryOf(index);
  const sizes = [named.byteLength, confirming.byteLength];
  const head = Buffer.from(JSON.stringify({ sizes, tables, namedLengths: [...namedLengths], confirmingLengths: [...confirmingLengths] }));
  const headLength = Math.ceil(head.length / 4) * 4;
  const out = Buffer.alloc(4 + headLength + named.byteLength + confirming.byteLength, 0x20);
  out.writeUInt32LE(headLength, 0);
  head.copy(out, 4);
  out.set(new Uint8Array(named), 4 + headLength);
  out.set(new Uint8Array(confirming), 4 + headLength + named.byteLength);
  return out;
}

function unpacked(secret: Uint8Array, memory: SharedArrayBuffer): DataIndex {
  const bytes = Buffer.from(memory);
  const headLength = bytes.readUInt32LE(0);
  // Sealed, so it is what `packed` wrote.
  const head = JSON.parse(bytes.toString('utf8', 4, 4 + headLength)) as {
    sizes: [number, number];
    tables: DataIndex['tables'];
    namedLengths: number[];
    confirmingLengths: number[];
  };
  const at = 4 + headLength;
  const shared = (start: number, size: number) => {
    const part = new SharedArrayBuffer(size);
    new Uint8Array(part).set(new Uint8Array(memory, start, size));
    return part;
  };
  const lengths = (list: readonly number[]) => Uint8Array.from({ length: LONGEST + 1 }, (_, i) => list[i] ?? 0);
  return openData({
    secret,
    tables: head.tables,
    named: shared(at, head.sizes[0]),
    confirming: shared(at + head.sizes[0], head.sizes[1]),
    namedLengths: lengths(head.namedLengths),
    confirmingLengths: lengths(head.confirmingLengths),
  });
}

function parseList(text: string, listFile: string): DataTableEntry[] {
  // No build mends it: only the list says where the tables lie.
  const hint = `move ${listFile} away, register each table anew (${product.name} index add TABLE.csv …), then: ${product.name} index build`;
  const wrong = (cause?: unknown) => new IntramurError('INDEX_BROKEN', 'the list of tables is broken', { cause, hint });
  const textsOf = (value: unknown): string[] => {
    if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) throw wrong();
    return value;
  };
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw wrong(cause);
  }
  if (!isRecord(parsed) || parsed['schema'] !== SCHEMA || !Array.isArray(parsed['tables'])) throw wrong();
  return parsed['tables'].map((table: unknown) => {
    if (!isRecord(table)) throw wrong();
    const { name, path: file, rows, values, builtAt } = table;
    const classification = classifications.find((known): known is Classification => known === table['classification']);
    if (typeof name !== 'string' || typeof file !== 'string' || !classification) throw wrong();
    return {
      name,
      path: file,
      classification,
      columns: textsOf(table['columns']),
      with: textsOf(table['with']),
      rows: typeof rows === 'number' ? rows : 0,
      values: typeof values === 'number' ? values : 0,
      ...(typeof builtAt === 'string' ? { builtAt } : {}),
    };
  });
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function broken(cause?: unknown): IntramurError {
  return new IntramurError('INDEX_BROKEN', 'the index of tables is broken', { cause, hint: `${product.name} index build` });
}
