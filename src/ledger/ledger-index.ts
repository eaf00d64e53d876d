// Queries over the log: one SQLite row for each entry. INVARIANT: holds nothing that the tiles do not hold; it is brought up to date from
// them, and built anew when it is missing, damaged, of another log, or ahead of the log. It is never evidence.
import { hash } from 'node:crypto';
import { chmod, rm } from 'node:fs/promises';
import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import { codeOf, type EgressClass, type Entry, egressClasses, IntramurError } from '../core/index.ts';
import { canonicalJson } from './canonical.ts';
import { parseEntry } from './entry.ts';
import { readEntries, readEntryBytes, readSize } from './read.ts';
import { loadSqlite } from './sqlite.ts';

export interface IndexFilter {
  /** Entries at or after this moment. */
  readonly since?: Date;
  readonly decision?: 'allow' | 'deny';
  readonly session?: string;
  readonly agent?: string;
  readonly class?: EgressClass;
  readonly action?: Entry['action'];
  /** At most so many, the newest ones; default all. */
  readonly limit?: number;
}

export interface ClassCount {
  readonly class: EgressClass;
  readonly allow: number;
  readonly deny: number;
}

export interface LedgerIndex {
  /** Entries indexed: those below this number. */
  readonly size: number;
  /** Adds an entry as `append` returned it. One that comes before its predecessors waits for them. */
  add(entry: Entry): void;
  /** Brings the index up to the log; builds it anew when it does not belong to it. */
  catchUp(): Promise<void>;
  entry(index: number): Entry | undefined;
  entriesOfSession(session: string): Entry[];
  /** The last `n`, oldest first. */
  tail(n: number): Entry[];
  find(filter: IndexFilter): Entry[];
  count(filter: IndexFilter): number;
  /** Decisions of each egress class, in the order of the classes; classes without any are left out. */
  countByClass(filter?: IndexFilter): ClassCount[];
  close(): void;
}

const layout = 1;
const schema = `
  CREATE TABLE IF NOT EXISTS entries (
    idx INTEGER PRIMARY KEY, time TEXT NOT NULL, session TEXT, agent TEXT, action TEXT NOT NULL, class TEXT, decision TEXT, json TEXT NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS entries_session ON entries (session, idx);
  CREATE INDEX IF NOT EXISTS entries_decision ON entries (decision, idx);
  PRAGMA user_version = ${layout};
`;

/**
 * Opens the index in `file` of the log in `dir`, and brings it up to date.
 * @throws IntramurError LEDGER_CORRUPT, CONFIG_NOT_FOUND; LEDGER_APPEND when the index cannot be written
 */
export async function openIndex(file: string, dir: string): Promise<LedgerIndex> {
  try {
    return await openOrBuild(file, dir);
  } catch (cause) {
    const isOfDatabase = cause instanceof Error && 'code' in cause && cause.code === 'ERR_SQLITE_ERROR';
    if (!isOfDatabase) throw cause;
    throw new IntramurError('LEDGER_APPEND', `the index of the ledger cannot be written: ${file}: ${cause.message}`, { cause });
  }
}

async function openOrBuild(file: string, dir: string): Promise<LedgerIndex> {
  try {
    return await openSound(file, dir);
  } catch (cause) {
    // The log's own faults, and another process that holds the index, are not mended by building it anew.
    if (codeOf(cause) === 'LEDGER_CORRUPT' || codeOf(cause) === 'CONFIG_NOT_FOUND' || /locked|busy/.test(String(cause))) throw cause;
    // Damaged, of another layout, or of another log: everything in it is also in the tiles.
    for (const part of ['', '-wal', '-shm', '-journal']) await rm(file + part, { force: true });
    return openSound(file, dir);
  }
}

async function openSound(file: string, dir: string): Promise<LedgerIndex> {
  const { DatabaseSync } = await loadSqlite();
  const database = new DatabaseSync(file, { timeout: 5000 });
  try {
    await chmod(file, 0o600);
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
    const version = database.prepare('PRAGMA user_version').get()?.['user_version'];
    if (version !== 0 && version !== layout) throw new IntramurError('INTERNAL', 'the index has another layout');
    const check = database.prepare('PRAGMA quick_check(1)').get()?.['quick_check'];
    if (check !== 'ok') throw new IntramurError('INTERNAL', 'the index is damaged');
    database.exec(schema);
    const index = new SqliteIndex(database, dir);
    await index.catchUp();
    return index;
  } catch (cause) {
    database.close();
    throw cause;
  }
}

class SqliteIndex implements LedgerIndex {
  readonly #database: DatabaseSync;
  readonly #dir: string;
  readonly #early = new Map<number, Entry>();
  #size: number;

  constructor(database: DatabaseSync, dir: string) {
    this.#database = database;
    this.#dir = dir;
    this.#size = this.#count();
  }

  get size(): number {
    return this.#size;
  }

  add(entry: Entry): void {
    if (entry.index < this.#size) return;
    // Whatever is dropped or lost here is found again by `catchUp`.
    if (this.#early.size < 4096) this.#early.set(entry.index, entry);
    for (let next = this.#early.get(this.#size); next !== undefined; next = this.#early.get(this.#size)) {
      this.#early.delete(next.index);
      this.#insert(next);
    }
  }

  async catchUp(): Promise<void> {
    const size = await readSize(this.#dir);
    if (!(await this.#isPrefix(size))) {
      this.#database.exec('DELETE FROM entries');
      this.#size = 0;
    }
    // In slices: a transaction is never left open across a wait, where another caller could add.
    let slice: Entry[] = [];
    for await (const entry of readEntries(this.#dir, { from: this.#size, to: size })) {
      slice.push(entry);
      if (slice.length < 1024) continue;
      this.#insertAll(slice);
      slice = [];
    }
    this.#insertAll(slice);
  }

  #insertAll(entries: readonly Entry[]): void {
    const before = this.#size;
    this.#database.exec('BEGIN');
    try {
      for (const entry of entries) this.add(entry);
      this.#database.exec('COMMIT');
    } catch (cause) {
      // On a full disk. Left open, it would be in the way of every later one; SQLite may have ended it by itself.
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      this.#size = before;
      throw cause;
    }
  }

  entry(index: number): Entry | undefined {
    return this.#select('WHERE idx = ?', [index])[0];
  }

  entriesOfSession(session: string): Entry[] {
    return this.find({ session });
  }

  tail(n: number): Entry[] {
    return this.find({ limit: n });
  }

  find(filter: IndexFilter): Entry[] {
    const { where, values } = conditions(filter);
    if (filter.limit === undefined) return this.#select(`${where} ORDER BY idx`, values);
    return this.#select(`${where} ORDER BY idx DESC LIMIT ?`, [...values, filter.limit]).toReversed();
  }

  count(filter: IndexFilter): number {
    const { where, values } = conditions(filter);
    return Number(this.#database.prepare(`SELECT count(*) AS n FROM entries ${where}`).get(...values)?.['n']);
  }

  countByClass(filter: IndexFilter = {}): ClassCount[] {
    const { where, values } = conditions(filter);
    const rows = this.#database
      .prepare(`SELECT class, decision, count(*) AS n FROM entries ${where} GROUP BY class, decision`)
      .all(...values);
    const of = (name: EgressClass, decision: string): number =>
      Number(rows.find((row) => row['class'] === name && row['decision'] === decision)?.['n'] ?? 0);
    const counts = egressClasses.map((name) => ({ class: name, allow: of(name, 'allow'), deny: of(name, 'deny') }));
    return counts.filter(({ allow, deny }) => allow + deny > 0);
  }

  close(): void {
    if (this.#database.isOpen) this.#database.close();
  }

  #insert(entry: Entry): void {
    const json = canonicalJson({ ...entry });
    this.#database
      .prepare('INSERT INTO entries (idx, time, session, agent, action, class, decision, json) VALUES (?, ?, ?, ?, ?, ?, ?, ?)')
      .run(
        entry.index,
        entry.time,
        entry.session ?? null,
        entry.agent ?? null,
        entry.action,
        entry.class ?? null,
        entry.decision ?? null,
        json,
      );
    this.#size = entry.index + 1;
  }

  #select(rest: string, values: readonly SQLInputValue[]): Entry[] {
    const rows = this.#database.prepare(`SELECT idx, json FROM entries ${rest}`).all(...values);
    return rows.map((row) => parseEntry(Buffer.from(String(row['json'])), Number(row['idx'])));
  }

  #count(): number {
    const row = this.#database.prepare('SELECT count(*) AS n, coalesce(max(idx), -1) AS last FROM entries').get();
    const count = Number(row?.['n']);
    if (Number(row?.['last']) !== count - 1) throw new IntramurError('INTERNAL', 'the index has gaps');
    return count;
  }

  /** Whether the last row is the entry that the log has there; a log that was begun anew differs in its time at least. */
  async #isPrefix(size: number): Promise<boolean> {
    if (this.#size === 0) return true;
    if (this.#size > size) return false;
    const last = this.#size - 1;
    const json = this.#database.prepare('SELECT json FROM entries WHERE idx = ?').get(last)?.['json'];
    return hash('sha256', String(json)) === hash('sha256', await readEntryBytes(this.#dir, last));
  }
}

function conditions(filter: IndexFilter): { where: string; values: SQLInputValue[] } {
  const terms: [string, SQLInputValue | undefined][] = [
    ['time >= ?', filter.since?.toISOString()],
    ['decision = ?', filter.decision],
    ['session = ?', filter.session],
    ['agent = ?', filter.agent],
    ['class = ?', filter.class],
    ['action = ?', filter.action],
  ];
  const given = terms.filter((term): term is [string, SQLInputValue] => term[1] !== undefined);
  const where = given.length === 0 ? '' : `WHERE ${given.map(([term]) => term).join(' AND ')}`;
  return { where, values: given.map(([, value]) => value) };
}
