// The writer of the log. Appends that arrive while the disk is busy form the next group; a group and the signed checkpoint that names it
// are made durable in the journal before any of its appends resolves. What stands there is published soon after, several groups at once:
// its tiles, then its last checkpoint. INVARIANT: after the first failed write this writer acknowledges nothing any more, because only an open
// knows what reached the disk; `reopening.ts` opens the log again.
import { renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { type Entry, type EntryBody, IntramurError } from '../core/index.ts';
import { readNote } from './acknowledged.ts';
import { filesBeyond, maxPublishedEntries } from './beyond.ts';
import { signCheckpoint } from './checkpoint.ts';
import type { Disk } from './disk.ts';
import { Edge } from './edge.ts';
import { encodeEntry } from './entry.ts';
import { encodeGroup, journalFile } from './journal.ts';
import { createKey, readKey } from './key-file.ts';
import { type Lock, lockFile } from './lock.ts';
import type { Signer } from './note.ts';
import { Publisher, privateDirectory } from './publisher.ts';
import { recover } from './recover.ts';

export interface LedgerOptions {
  /** The publishable directory: `checkpoint`, `log.vkey`, `tile/…`. */
  readonly dir: string;
  /** The private key, created 0600 when missing; never inside `dir`. */
  readonly keyFile: string;
  /** Names a new log (a schema-less URL). A log that exists keeps the origin that its key carries. */
  readonly origin: string;
  now(): Date;
  /** How long a group waits for company before it is written, at most 5; only while appends come in company, never for one alone. */
  readonly maxDelayMs?: number;
}

export interface Ledger {
  /** Resolves when the entry is durable and below a signed checkpoint, in the journal; its tiles follow within a second. */
  append(body: EntryBody): Promise<Entry>;
  /** Of the last signed checkpoint. */
  readonly size: number;
  /** Base64, of the last signed checkpoint. */
  rootHash(): string;
  /** Why it takes no more entries; `undefined` while it does. */
  readonly fault: string | undefined;
  readonly vkey: string;
  /** The last signed checkpoint, a note. */
  checkpoint(): string;
  /** Writes what is pending and lets go of the log. */
  close(): Promise<void>;
}

interface Pending {
  readonly entry: Entry;
  readonly text: string;
  resolve(entry: Entry): void;
  reject(fault: IntramurError): void;
}

/** Units of UTF-16, of which each makes three bytes at most. */
const maxGroupLength = 8 << 20;
/** So much in the journal is published before the next group. */
const fullJournalBytes = 8 << 20;
const maxPending = 1 << 16;
const headEveryMs = 1000;
/** Publishing costs several groups' worth of CPU, so under load it comes this seldom, and where the disk is slow more seldom still. */
const publishEveryMs = 250;
const publishAtMostOnceIn = 20;
/** Longest time that an entry is readable by us and not yet by others. */
const publishLatestMs = 1000;
/**
 * What every reader has to go through is kept short. Under load it may be longer: a write over what is there already costs the disk less than
 * one that makes the file grow again.
 */
const keptJournalBytes = 1 << 20;
const keptUnderLoadBytes = 4 << 20;
/** Entries in one group that mean load: far more than one caller with its decision and the outcome before it. */
const company = 16;

/** What whoever opens a log again still knows of it. */
export interface Before {
  /** The last checkpoint that was acknowledged. INVARIANT: the log that is opened leads on from it. */
  readonly note: string;
  readonly vkey: string;
}

export interface Opening {
  readonly before?: Before;
  /** Called once, when this writer takes no more. */
  onFault?(fault: IntramurError): void;
}

/** Opens the log for writing and creates it when there is none. Throws LEDGER_APPEND or LEDGER_CORRUPT. */
export async function openLedgerOn(disk: Disk, options: LedgerOptions, opening: Opening = {}): Promise<Ledger> {
  const { before } = opening;
  const directory = path.resolve(options.dir);
  const keyFile = path.resolve(options.keyFile);
  if (keyFile.startsWith(directory + path.sep)) {
    throw new IntramurError('LEDGER_APPEND', 'the signing key must not lie in the directory of the ledger, which may be published');
  }
  let lock: Lock | undefined;
  try {
    await disk.makeDirectory(path.join(directory, privateDirectory));
    await disk.probe(directory);
    lock = await lockFile(path.join(directory, privateDirectory, 'lock'));
    if (!lock) {
      throw new IntramurError('LEDGER_APPEND', 'another process is writing this ledger', {
        hint: 'stop the running daemon first: intramur down',
      });
    }
    const note = await readNote(path.join(directory, 'checkpoint'));
    const signer = await signerFor(directory, keyFile, options.origin, note !== '' || before !== undefined);
    if (before !== undefined && signer.verifier.vkey !== before.vkey)
      throw new IntramurError('LEDGER_CORRUPT', `another key lies where the one of this ledger was: ${keyFile}`);
    const writer = new Writer({ ...options, dir: directory, keyFile }, disk, lock, signer, opening);
    await writer.start(note);
    return writer;
  } catch (cause) {
    lock?.release();
    if (cause instanceof IntramurError) throw cause;
    throw new IntramurError('LEDGER_APPEND', `the ledger cannot be written: ${options.dir}`, { cause });
  }
}

async function signerFor(directory: string, keyFile: string, origin: string, hasLog: boolean): Promise<Signer> {
  const signer = await readKey(keyFile);
  if (signer !== undefined) return signer;
  if (hasLog) {
    throw new IntramurError('LEDGER_CORRUPT', `the signing key of the ledger is missing: ${keyFile}`, {
      hint: `restore the key, or move ${directory} away to begin a new log`,
    });
  }
  return createKey(keyFile, origin);
}

class Writer implements Ledger {
  readonly #options: LedgerOptions;
  readonly #disk: Disk;
  readonly #lock: Lock;
  readonly #signer: Signer;
  readonly #opening: Opening;
  readonly #publisher: Publisher;
  readonly #journal: string;
  #edge = new Edge();
  #note = '';
  /** For the record of a group of usual size: memory that is asked for anew costs more than what is written into it. */
  readonly #record = Buffer.allocUnsafe(1 << 17);
  /** Bytes and entries of the journal that are not published. */
  #journalled = 0;
  /** Bytes of the file, with those of published groups that no later one was written over. */
  #journalLength = 0;
  #unpublished = 0;
  #nextPublicationAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #size = 0;
  #next = 0;
  #pending: Pending[] = [];
  #run: Promise<void> | undefined;
  #fault: IntramurError | undefined;
  #headWrittenAt = Number.NEGATIVE_INFINITY;
  #groupBefore = 0;

  constructor(options: LedgerOptions, disk: Disk, lock: Lock, signer: Signer, opening: Opening) {
    this.#options = options;
    this.#disk = disk;
    this.#lock = lock;
    this.#signer = signer;
    this.#opening = opening;
    this.#publisher = new Publisher(options.dir, disk);
    this.#journal = journalFile(options.dir);
  }

  get size(): number {
    return this.#size;
  }

  get vkey(): string {
    return this.#signer.verifier.vkey;
  }

  rootHash(): string {
    // The third line of a checkpoint.
    return this.#note.split('\n', 3)[2] ?? '';
  }

  get fault(): string | undefined {
    const { cause } = this.#fault ?? {};
    const why = cause instanceof Error ? ` (${cause.message})` : '';
    return this.#fault && `${this.#fault.message}${why}`;
  }

  checkpoint(): string {
    return this.#note;
  }

  async start(note: string): Promise<void> {
    const heads = [await readNote(this.#headFile), this.#opening.before?.note ?? ''];
    const published = await readNote(this.#file('log.vkey'));
    if (published.trimEnd() !== this.vkey && published !== '' && note !== '') {
      throw new IntramurError('LEDGER_CORRUPT', 'log.vkey is not the key that signs this ledger');
    }
    if (note === '') {
      const hasSigned = heads.some((head) => head !== '' && head.split('\n')[1] !== '0');
      if (hasSigned || (await filesBeyond(this.#options.dir, 0)).length > 0) {
        throw new IntramurError('LEDGER_CORRUPT', 'the ledger has lost its checkpoint', {
          hint: 'restore the ledger from a copy; to begin a new log, move the ledger directory and its key away',
        });
      }
      await this.#disk.write(this.#file('log.vkey'), Buffer.from(`${this.vkey}\n`));
      const first = this.#sign();
      await this.#publisher.publish(this.#edge, first);
      this.#acknowledge(first);
    } else {
      const found = await recover(this.#options.dir, note, heads, this.#signer.verifier, this.#disk);
      this.#edge = found.edge;
      if (published === '') {
        await this.#disk.write(this.#file('log.vkey'), Buffer.from(`${this.vkey}\n`));
        await this.#disk.syncDirectory(this.#options.dir);
      }
      if (found.note !== note) await this.#publisher.publish(this.#edge, found.note);
      // A publication that was cut off may have left its checkpoint under a name that is not durable yet, and the journal still has its entries.
      else await this.#disk.syncDirectory(this.#options.dir);
      this.#acknowledge(found.note);
    }
    // Empty from here on, and its name durable.
    await this.#disk.write(this.#journal, Buffer.alloc(0));
    await this.#disk.syncDirectory(path.join(this.#options.dir, privateDirectory));
    this.#next = this.#size;
  }

  append(body: EntryBody): Promise<Entry> {
    // What is thrown in here becomes a rejection.
    return new Promise((resolve, reject) => {
      if (this.#fault !== undefined) throw this.#fault;
      if (this.#pending.length >= maxPending) throw new IntramurError('LEDGER_APPEND', 'too many appends are waiting for the disk');
      const { entry, text } = encodeEntry(this.#next, this.#options.now(), body);
      this.#next += 1;
      this.#pending.push({ entry, text, resolve, reject });
      this.#run ??= this.#commitAll();
    });
  }

  async close(): Promise<void> {
    await this.#run;
    clearTimeout(this.#timer);
    if (this.#fault === undefined) {
      try {
        if (this.#unpublished > 0) await this.#publishAll();
        await this.#disk.empty(this.#journal);
      } catch {
        // What is not published now stands in the journal, and the next open finds it there.
      }
      this.#rememberHead();
    }
    this.#fault ??= new IntramurError('LEDGER_APPEND', 'the ledger is closed');
    this.#lock.release();
  }

  async #commitAll(): Promise<void> {
    const longestMs = Math.min(5, this.#options.maxDelayMs ?? 0);
    do {
      // Under load the callers that a group lets go come back together a moment later, and a group costs far more than an entry.
      const delayMs = this.#groupBefore >= company ? longestMs : 0;
      await (delayMs > 0 ? sleep(delayMs) : setImmediate());
      const group = this.#takeGroup();
      try {
        if (group.length > 0) await this.#commit(group);
        for (const { entry, resolve } of group) resolve(entry);
        if (this.#isPublicationDue()) await this.#publishAll();
      } catch (cause) {
        // Who was acknowledged stays so: a promise settles once.
        this.#fail(cause, group);
      }
    } while (this.#pending.length > 0 || this.#isPublicationDue());
    this.#run = undefined;
    if (this.#unpublished > 0 && this.#fault === undefined) this.#publishLater();
  }

  #takeGroup(): Pending[] {
    let count = 0;
    const most = Math.min(this.#pending.length, maxPublishedEntries - this.#unpublished);
    for (let length = 0; count < most && length < maxGroupLength; count += 1) length += this.#pending[count]?.text.length ?? 0;
    return this.#pending.splice(0, count);
  }

  /** Makes a group durable, with the signed checkpoint that names it. */
  async #commit(group: readonly Pending[]): Promise<void> {
    this.#groupBefore = group.length;
    const framed = this.#edge.append(group.map(({ text }) => text));
    const note = this.#sign();
    const record = encodeGroup(framed, note, this.#record);
    await this.#disk.extend(this.#journal, this.#journalled, record);
    this.#journalled += record.length;
    this.#journalLength = Math.max(this.#journalLength, this.#journalled);
    this.#unpublished += group.length;
    this.#acknowledge(note);
    if (performance.now() - this.#headWrittenAt >= headEveryMs) this.#rememberHead();
  }

  #isPublicationDue(): boolean {
    if (this.#unpublished === 0 || this.#fault !== undefined) return false;
    const isLong = this.#unpublished >= maxPublishedEntries / 2 || this.#journalled >= fullJournalBytes;
    return isLong || performance.now() >= this.#nextPublicationAt;
  }

  #publishLater(): void {
    const restMs = this.#nextPublicationAt - performance.now();
    this.#timer ??= setTimeout(
      () => {
        this.#timer = undefined;
        this.#run ??= this.#commitAll();
      },
      Math.max(1, restMs + 1),
    ).unref();
  }

  async #publishAll(): Promise<void> {
    const began = performance.now();
    await this.#publisher.publish(this.#edge, this.#note);
    // Its records stand below the published checkpoint now and count no more. They stay until others are written over them, so that a copy
    // that somebody takes in this moment has the entries in one place or the other.
    if (this.#journalLength > (this.#pending.length > 0 ? keptUnderLoadBytes : keptJournalBytes)) {
      await this.#disk.empty(this.#journal);
      this.#journalLength = 0;
    }
    this.#journalled = 0;
    this.#unpublished = 0;
    const tookMs = performance.now() - began;
    this.#nextPublicationAt = began + Math.min(publishLatestMs, Math.max(publishEveryMs, tookMs * publishAtMostOnceIn));
  }

  #sign(): string {
    return signCheckpoint({ origin: this.#signer.verifier.name, size: this.#edge.size, root: this.#edge.root() }, this.#signer);
  }

  #acknowledge(note: string): void {
    this.#note = note;
    this.#size = this.#edge.size;
  }

  /** May be lost in a crash without harm. */
  #rememberHead(): void {
    this.#headWrittenAt = performance.now();
    try {
      writeFileSync(`${this.#headFile}.new`, this.#note, { mode: 0o600 });
      renameSync(`${this.#headFile}.new`, this.#headFile);
    } catch {
      // The log itself is whole; the next one is tried a second later.
    }
  }

  #fail(cause: unknown, group: readonly Pending[]): void {
    const isFirst = this.#fault === undefined;
    this.#fault = new IntramurError('LEDGER_APPEND', 'the ledger could not be written and takes no more entries', {
      cause,
      hint: 'see that its disk has room; it goes on by itself',
    });
    const lost = [...group, ...this.#pending];
    this.#pending = [];
    for (const { reject } of lost) reject(this.#fault);
    if (isFirst) this.#opening.onFault?.(this.#fault);
  }

  /** The last checkpoint that this key signed, kept beside the key, so that a log that was rolled back is not written on. */
  get #headFile(): string {
    return `${this.#options.keyFile}.head`;
  }

  #file(name: string): string {
    return path.join(this.#options.dir, name);
  }
}
