// The log of a process that outlives a full disk. While a write has failed every append is refused; once a second it is looked whether the
// disk takes writes again, and then the log is opened as a new process would open it: from what is on disk, nothing kept of the old writer but
// what it had acknowledged. INVARIANT: what is opened leads on from that, or stays refused.
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { codeOf, type Entry, type EntryBody, IntramurError } from '../core/index.ts';
import { type Disk, disk as realDisk } from './disk.ts';
import { type Ledger, type LedgerOptions, openLedgerOn } from './ledger.ts';
import { errnoOf } from './plain-file.ts';
import { privateDirectory } from './publisher.ts';

export interface Reopened {
  /** Why nothing could be recorded. */
  readonly fault: string;
  readonly since: Date;
  /** Appends that were refused meanwhile. */
  readonly refused: number;
  /** Entries of the log as it was acknowledged, and as it was found: those between are of a group that was whole while its callers were refused. */
  readonly acknowledged: number;
  readonly size: number;
}

export interface ReopeningOptions extends LedgerOptions {
  onFault?(fault: string): void;
  /** Called before anybody else can append again. */
  onReopened?(how: Reopened): void;
}

const lookEveryMs = 1000;
/** Where there is room and the log does not open all the same: an open reads more than a look at the disk. */
const lookSeldomMs = 30_000;
/** So much must fit: what is left of a journal is published, and then somebody wants to go on. */
const roomBytes = 256 << 10;

/** Opens the log for writing and creates it when there is none. Throws LEDGER_APPEND or LEDGER_CORRUPT. */
export function openLedger(options: ReopeningOptions): Promise<Ledger> {
  return openReopeningOn(realDisk, options);
}

export async function openReopeningOn(disk: Disk, options: ReopeningOptions, everyMs = lookEveryMs): Promise<Ledger> {
  const ledger = new Reopening(disk, options, everyMs);
  await ledger.open();
  return ledger;
}

interface Outage {
  readonly since: Date;
  refused: number;
  /** The newest reason: what stops the log from being opened again, once it is not the disk. */
  fault: IntramurError;
}

class Reopening implements Ledger {
  readonly #disk: Disk;
  readonly #options: ReopeningOptions;
  readonly #everyMs: number;
  #writer: Ledger | undefined;
  #outage: Outage | undefined;
  #waitMs: number;
  #timer: NodeJS.Timeout | undefined;
  #attempt: Promise<void> | undefined;
  #isClosed = false;

  constructor(disk: Disk, options: ReopeningOptions, everyMs: number) {
    this.#disk = disk;
    this.#options = options;
    this.#everyMs = everyMs;
    this.#waitMs = everyMs;
  }

  async open(): Promise<void> {
    this.#writer = await this.#opened(undefined);
  }

  append(body: EntryBody): Promise<Entry> {
    const outage = this.#outage;
    if (outage === undefined) return this.#last.append(body);
    outage.refused += 1;
    return Promise.reject(outage.fault);
  }

  get size(): number {
    return this.#last.size;
  }

  get vkey(): string {
    return this.#last.vkey;
  }

  get fault(): string | undefined {
    return this.#outage && saidOf(this.#outage.fault);
  }

  rootHash(): string {
    return this.#last.rootHash();
  }

  checkpoint(): string {
    return this.#last.checkpoint();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#attempt;
    await this.#last.close();
  }

  /** The present writer, or while there is none the one that failed: what it had acknowledged is what there is. */
  get #last(): Ledger {
    if (this.#writer === undefined) throw new IntramurError('LEDGER_APPEND', 'the ledger is not open');
    return this.#writer;
  }

  async #opened(failed: Ledger | undefined): Promise<Ledger> {
    const before = failed && { note: failed.checkpoint(), vkey: failed.vkey };
    const onFault = (fault: IntramurError): void => this.#failed(fault);
    return await openLedgerOn(this.#disk, this.#options, { ...(before ? { before } : {}), onFault });
  }

  #failed(fault: IntramurError): void {
    this.#outage = { since: this.#options.now(), refused: 0, fault };
    this.#options.onFault?.(saidOf(fault));
    this.#lookLater(this.#everyMs);
  }

  #lookLater(waitMs: number): void {
    if (this.#isClosed) return;
    this.#waitMs = waitMs;
    this.#timer = setTimeout(() => {
      this.#attempt = this.#reopen();
    }, waitMs).unref();
  }

  async #reopen(): Promise<void> {
    const outage = this.#outage;
    if (outage === undefined) return;
    const failed = this.#last;
    try {
      await this.#look();
    } catch {
      return this.#lookLater(this.#everyMs);
    }
    try {
      // Its last write is over, and the lock is free; whoever takes it meanwhile has the log, and what they wrote is opened with it.
      await failed.close();
      this.#writer = await this.#opened(failed);
    } catch (cause) {
      outage.fault = stillClosed(cause, outage.fault);
      return this.#lookLater(Math.min(2 * this.#waitMs, lookSeldomMs));
    }
    this.#outage = undefined;
    const { since, refused, fault } = outage;
    this.#options.onReopened?.({ fault: saidOf(fault), since, refused, acknowledged: failed.size, size: this.#writer.size });
  }

  /** Throws while the disk takes nothing. A log that is not there any more is for the open to say. */
  async #look(): Promise<void> {
    const file = path.join(path.resolve(this.#options.dir), privateDirectory, 'room');
    try {
      await this.#disk.write(file, Buffer.alloc(roomBytes));
    } catch (cause) {
      if (errnoOf(cause) !== 'ENOENT') throw cause;
    } finally {
      await rm(file, { force: true });
    }
  }
}

function stillClosed(cause: unknown, before: IntramurError): IntramurError {
  // A full disk says so at every step; what is wrong with the log itself is worth more than that.
  if (codeOf(cause) !== 'LEDGER_CORRUPT' || !(cause instanceof IntramurError)) return before;
  return new IntramurError('LEDGER_APPEND', `the ledger cannot be opened again: ${cause.message}`, {
    cause: cause.cause,
    ...(cause.hint === undefined ? {} : { hint: cause.hint }),
  });
}

function saidOf({ message, cause }: IntramurError): string {
  return cause instanceof Error ? `${message} (${cause.message})` : message;
}
