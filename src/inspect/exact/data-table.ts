// Tables of what a company knows about people: the values of columns that name one of them, and of columns that confirm it, as keyed
// hashes. A value of the first kind is found by itself; that one of the second kind stands near it, of the same row, makes it certain.
import crypto from 'node:crypto';
import { type Classification, IntramurError } from '../../core/index.ts';
import { buildTable, openTable, type Table } from '../source/table.ts';
import { keyOf, LONGEST, valueOf } from './runs.ts';

export interface DataTableEntry {
  readonly name: string;
  readonly path: string;
  readonly classification: Classification;
  /** Columns whose value names one person. */
  readonly columns: readonly string[];
  /** Columns whose value confirms it. Empty: nothing is needed to confirm. */
  readonly with: readonly string[];
  readonly rows: number;
  /** Values that are looked for; those too short or too common to say anything are not. */
  readonly values: number;
  /** RFC 3339; `undefined` before the first build. */
  readonly builtAt?: string;
}

export interface DataIndex {
  readonly secret: Uint8Array;
  readonly named: Table;
  readonly confirming: Table;
  /** By length in letters and digits: 1 where a value has it. */
  readonly namedLengths: Uint8Array;
  readonly confirmingLengths: Uint8Array;
  /** Where the rows of each table begin; a row's number is counted from 1 over all tables. */
  readonly tables: readonly (Pick<DataTableEntry, 'name' | 'classification' | 'with'> & { readonly firstRow: number })[];
}

export interface DataTableRows {
  readonly entry: DataTableEntry;
  readonly rows: Iterable<readonly string[]>;
}

const LEAST_CONFIRMING = 3;
const LEAST_NAMING = 6;

export function lanesFor(secret: Uint8Array) {
  const material = Buffer.from(crypto.hkdfSync('sha256', secret, '', 'exact data', 16));
  const at = (i: number) => material.readInt32LE(i * 4);
  return { named: { a: at(0), b: at(1) }, confirming: { a: at(2), b: at(3) } };
}

/** A single word, or a number of a few digits, stands in texts that know nobody. */
function names(cell: string): boolean {
  const letters = cell.match(/[\p{L}\p{N}]/gu)?.length ?? 0;
  return letters >= LEAST_NAMING && (/\d/.test(cell) || cell.includes('@') || /\p{L}\P{L}+\p{L}/u.test(cell.trim()));
}

/** @throws IntramurError CONFIG_INVALID when a table has not the columns that were named */
export function buildDataIndex(secret: Uint8Array, sources: readonly DataTableRows[]): { index: DataIndex; entries: DataTableEntry[] } {
  const lanes = lanesFor(secret);
  const named = collector();
  const confirming = collector();
  const tables: DataIndex['tables'][number][] = [];
  const entries: DataTableEntry[] = [];
  let row = 0;
  for (const { entry, rows } of sources) {
    const firstRow = row + 1;
    const before = named.count;
    let header: { columns: number[]; with: number[] } | undefined;
    for (const cells of rows) {
      if (!header) {
        header = { columns: columnsOf(entry, cells, entry.columns), with: columnsOf(entry, cells, entry.with) };
        continue;
      }
      row += 1;
      for (const column of header.columns) {
        const cell = cells[column] ?? '';
        const value = names(cell) ? valueOf(cell) : undefined;
        if (value) named.add(keyOf(value.a, value.b, lanes.named), row, value.length);
      }
      for (const column of header.with) {
        const value = valueOf(cells[column] ?? '');
        if (value && value.length >= LEAST_CONFIRMING) confirming.add(keyOf(value.a, value.b, lanes.confirming, row), row, value.length);
      }
    }
    tables.push({ name: entry.name, classification: entry.classification, with: entry.with, firstRow });
    entries.push({ ...entry, rows: row - firstRow + 1, values: named.count - before });
  }
  const index = {
    secret,
    named: named.table(),
    confirming: confirming.table(),
    namedLengths: named.lengths,
    confirmingLengths: confirming.lengths,
    tables,
  };
  return { index, entries };
}

function columnsOf(entry: DataTableEntry, header: readonly string[], wanted: readonly string[]): number[] {
  return wanted.map((name) => {
    const at = header.findIndex((column) => column.trim().toLowerCase() === name.toLowerCase());
    if (at < 0)
      throw new IntramurError('CONFIG_INVALID', `table "${entry.name}" has no column "${name}"`, { hint: `it has ${header.join(', ')}` });
    return at;
  });
}

function collector() {
  const high: number[] = [];
  const low: number[] = [];
  const rows: number[] = [];
  const lengths = new Uint8Array(LONGEST + 1);
  return {
    lengths,
    get count() {
      return rows.length;
    },
    add(key: { high: number; low: number }, row: number, length: number) {
      high.push(key.high);
      low.push(key.low);
      rows.push(row);
      lengths[length] = 1;
    },
    table: (): Table => buildTable(oneByOne(high, low, rows), rows.length, () => false),
  };
}

/** Each is used before the next is asked for. */
function* oneByOne(high: readonly number[], low: readonly number[], rows: readonly number[]) {
  const keys = { high: new Uint32Array(1), low: new Uint32Array(1) };
  for (const [i, document] of rows.entries()) {
    keys.high[0] = high[i] ?? 0;
    keys.low[0] = low[i] ?? 0;
    yield { keys, document };
  }
}

/** Plain data, for a file and for threads. */
export interface DataMemory {
  readonly named: SharedArrayBuffer;
  readonly confirming: SharedArrayBuffer;
  readonly namedLengths: Uint8Array;
  readonly confirmingLengths: Uint8Array;
  readonly tables: DataIndex['tables'];
  readonly secret: Uint8Array;
}

export function memoryOf(index: DataIndex): DataMemory {
  return { ...index, named: index.named.memory, confirming: index.confirming.memory };
}

/** Throws a TypeError for memory that is none. */
export function openData(memory: DataMemory): DataIndex {
  return { ...memory, named: openTable(memory.named), confirming: openTable(memory.confirming) };
}
