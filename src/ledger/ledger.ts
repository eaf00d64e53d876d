// The writer of the log. Appends that arrive while the disk is busy form the next group; a group is written, made durable, and named by one
// signed checkpoint before any of its appends resolves. INVARIANT: after the first failed write nothing is acknowledged any more until the
// log has been opened again, because only an open knows what reached the disk.
import { renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { type Entry, type EntryBody, IntramurError } from '../core/index.ts';
import { filesBeyond, maxGroupEntries } from './beyond.ts';
import { signCheckpoint } from './checkpoint.ts';
import { type Disk, disk as realDisk } from './disk.ts';
import { Edge } from './edge.ts';
import { encodeEntry } from './entry.ts';
import { createKey, readKey } from './key-file.ts';
import { type Lock, lockFile } from './lock.ts';
import type { Signer } from './note.ts';
import { readNote, recover } from './recover.ts';

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
  /** Resolves when the entry is durable and below a signed checkpoint. */
  append(body: EntryBody): Promise<Entry>;
  /** Of the last signed checkpoint. */
  readonly size: number;
  /** Base64, of the last signed checkpoint. */
  rootHash(): string;
  readonly vkey: string;
  /** The last signed checkpoint, a note. */
  checkpoint(): string;
  /** Writes what is pending and lets go of the log. */
  close(): Promise<void>;
}

interface Pending {
  readonly entry: Entry;
  readonly bytes: Buffer;
  resolve(entry: Entry): void;
  reject(fault: IntramurError): void;
}

const maxGroupBytes = 8 << 20;
const maxPending = 1 << 16;
const headEveryMs = 1000;
/** Entries in one group that mean load: far more than one caller with its decision and the outcome before it. */
const company = 16;
const privateDirectory = '.state';

/** Opens the log for writing and creates it when there is none. Throws LEDGER_APPEND or LEDGER_CORRUPT. */
export function openLedger(options: LedgerOptions): Promise<Ledger> {
  return openLedgerOn(realDisk, options);
}

export async function openLedgerOn(disk: Disk, options: LedgerOptions): Promise<Ledger> {
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
    const note = await readNote(path.join(directory, 'checkpoint'));
    const signer = await signerFor(directory, keyFile, options.origin, note !== '');
    const writer = new Writer({ ...options, dir: directory, keyFile }, disk, lock, signer);
    await writer.start(note);
    return writer;
  } catch (cause) {
    lock?.release();
    if (cause instanceof IntramurError) throw cause;
    throw new IntramurError('LEDGER_APPEND', `the ledger cannot be written: ${options.dir}`, { cause });
  }
}

async function signerFor(directory: string, keyFile: string, origin: string, hasCheckpoint: boolean): Promise<Signer> {
  const signer = await readKey(keyFile);
  if (signer !== undefined) return signer;
  if (hasCheckpoint) {
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
  readonly #knownDirectories = new Set<string>();
  #edge = new Edge();
  #note = '';
  #root = '';
  #size = 0;
  #next = 0;
  #pending: Pending[] = [];
  #run: Promise<void> | undefined;
  #fault: IntramurError | undefined;
  #headWrittenAt = Number.NEGATIVE_INFINITY;
  #groupBefore = 0;

  constructor(options: LedgerOptions, disk: Disk, lock: Lock, signer: Signer) {
    this.#options = options;
    this.#disk = disk;
    this.#lock = lock;
    this.#signer = signer;
  }

  get size(): number {
    return this.#size;
  }

  get vkey(): string {
    return this.#signer.verifier.vkey;
  }

  rootHash(): string {
    return this.#root;
  }

  checkpoint(): string {
    return this.#note;
  }

  async start(note: string): Promise<void> {
    const head = await readNote(this.#headFile);
    const published = await readNote(this.#file('log.vkey'));
    if (published.trimEnd() !== this.vkey && published !== '' && note !== '') {
      throw new IntramurError('LEDGER_CORRUPT', 'log.vkey is not the key that signs this ledger');
    }
    if (note === '') {
      const hasSigned = head !== '' && head.split('\n')[1] !== '0';
      if (hasSigned || (await filesBeyond(this.#options.dir, 0)).length > 0) {
        throw new IntramurError('LEDGER_CORRUPT', 'the ledger has lost its checkpoint', {
          hint: 'restore the ledger from a copy; to begin a new log, move the ledger directory and its key away',
        });
      }
      await this.#disk.write(this.#file('log.vkey'), Buffer.from(`${this.vkey}\n`));
      await this.#commit();
    } else {
      this.#edge = await recover(this.#options.dir, note, head, this.#signer.verifier, this.#disk);
      if (published === '') {
        await this.#disk.write(this.#file('log.vkey'), Buffer.from(`${this.vkey}\n`));
        await this.#disk.syncDirectory(this.#options.dir);
      }
      this.#publish(note);
    }
    this.#next = this.#size;
  }

  async append(body: EntryBody): Promise<Entry> {
    if (this.#fault !== undefined) throw this.#fault;
    if (this.#pending.length >= maxPending) throw new IntramurError('LEDGER_APPEND', 'too many appends are waiting for the disk');
    const { entry, bytes } = encodeEntry(this.#next, this.#options.now(), body);
    this.#next += 1;
    return new Promise((resolve, reject) => {
      this.#pending.push({ entry, bytes, resolve, reject });
      this.#run ??= this.#commitAll();
    });
  }

  async close(): Promise<void> {
    await this.#run;
    if (this.#fault === undefined) this.#rememberHead();
    this.#fault ??= new IntramurError('LEDGER_APPEND', 'the ledger is closed');
    this.#lock.release();
  }

  async #commitAll(): Promise<void> {
    const longestMs = Math.min(5, this.#options.maxDelayMs ?? 0);
    while (this.#pending.length > 0) {
      // Under load the callers that a group lets go come back together a moment later, and a group costs far more than an entry.
      const delayMs = this.#groupBefore >= company ? longestMs : 0;
      await (delayMs > 0 ? sleep(delayMs) : setImmediate());
      const group = this.#takeGroup();
      this.#groupBefore = group.length;
      try {
        for (const { bytes } of group) this.#edge.append(bytes);
        const superseded = await this.#commit();
        for (const { entry, resolve } of group) resolve(entry);
        await this.#tidy(superseded);
      } catch (cause) {
        this.#fail(cause, group);
      }
    }
    this.#run = undefined;
  }

  #takeGroup(): Pending[] {
    let count = 0;
    for (let bytes = 0; count < Math.min(this.#pending.length, maxGroupEntries) && bytes < maxGroupBytes; count += 1) {
      bytes += this.#pending[count]?.bytes.length ?? 0;
    }
    return this.#pending.splice(0, count);
  }

  /** Makes the edge durable, then names it by a signed checkpoint. Returns the partial tiles that are no longer needed. */
  async #commit(): Promise<readonly string[]> {
    const { files, superseded } = this.#edge.take();
    const directories = new Set(files.map((file) => path.dirname(this.#file(file.path))));
    for (const directory of directories) {
      if (this.#knownDirectories.has(directory)) continue;
      await this.#disk.makeDirectory(directory);
      this.#knownDirectories.add(directory);
    }
    const note = signCheckpoint({ origin: this.#signer.verifier.name, size: this.#edge.size, root: this.#edge.root() }, this.#signer);
    const unfinished = this.#file(path.join(privateDirectory, 'checkpoint'));
    // INVARIANT: every tile of the edge is durable before the checkpoint that names it can be seen.
    await settle([
      ...files.map((file) => this.#disk.write(this.#file(file.path), file.bytes)),
      this.#disk.write(unfinished, Buffer.from(note)),
    ]);
    await settle([...directories].map((directory) => this.#disk.syncDirectory(directory)));
    await this.#disk.rename(unfinished, this.#file('checkpoint'));
    await this.#disk.syncDirectory(this.#options.dir);
    this.#publish(note);
    return superseded;
  }

  #publish(note: string): void {
    this.#note = note;
    this.#size = this.#edge.size;
    this.#root = Buffer.from(this.#edge.root()).toString('base64');
  }

  /** What may be lost in a crash without harm: the memory of what was signed, and tiles that a full one has replaced. */
  async #tidy(superseded: readonly string[]): Promise<void> {
    if (performance.now() - this.#headWrittenAt >= headEveryMs) this.#rememberHead();
    try {
      for (const directory of superseded) {
        await this.#disk.remove(this.#file(directory));
        this.#knownDirectories.delete(this.#file(directory));
      }
    } catch {
      // The specification allows a partial tile to stay.
    }
  }

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
    this.#fault = new IntramurError('LEDGER_APPEND', 'the ledger could not be written and takes no more entries until it is opened again', {
      cause,
    });
    const lost = [...group, ...this.#pending];
    this.#pending = [];
    for (const { reject } of lost) reject(this.#fault);
  }

  /** The last checkpoint that this key signed, kept beside the key, so that a log that was rolled back is not written on. */
  get #headFile(): string {
    return `${this.#options.keyFile}.head`;
  }

  #file(name: string): string {
    return path.join(this.#options.dir, name);
  }
}

/** Waits for all, then throws the first failure: no write is still under way when a group is given up. */
async function settle(steps: readonly Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(steps)) if (result.status === 'rejected') throw result.reason;
}
