// What keys have used, on disk at once: each change is a line at the end of a journal, which one system call writes without waiting for the
// device. A daemon that is killed has lost nothing, and the command line reads what holds now. INVARIANT: a line holds the key's whole
// count, so that reading one twice, or beside a table that has it already, changes nothing.
import fs from 'node:fs';
import path from 'node:path';
import { readUsage, type Usage, usageFileOf, usageIn, writeUsage } from './key-file.ts';

export interface UsageJournal {
  /** What was used until now. */
  readonly used: ReadonlyMap<string, Usage>;
  /** @param isLimited a budget hangs on it: on disk before this returns. Of other keys the use is on disk a little later. */
  put(id: string, usage: Usage, isLimited?: boolean): void;
  /** Makes one table of all of it. */
  close(): void;
}

/** Some hundred calls; then a new table takes its place. */
const maxJournalBytes = 64 * 1024;
const laterMs = 100;

export function openUsage(keyFile: string, onFault: (fault: unknown) => void): UsageJournal {
  const used = readAllUsage(keyFile);
  const journal = journalOf(keyFile);
  let fd: number | undefined;
  let size = 0;
  const waiting = new Set<string>();
  let timer: NodeJS.Timeout | undefined;

  const compact = (): void => {
    writeUsage(usageFileOf(keyFile), used);
    if (fd === undefined) fs.rmSync(journal, { force: true });
    else fs.ftruncateSync(fd);
    size = 0;
  };
  const guarded = (step: () => void): void => {
    try {
      step();
    } catch (fault) {
      onFault(fault);
    }
  };
  const write = (ids: Iterable<string>): void =>
    guarded(() => {
      if (fd === undefined) fs.mkdirSync(path.dirname(journal), { recursive: true, mode: 0o700 });
      fd ??= fs.openSync(journal, 'a', 0o600);
      for (const id of ids) size += fs.writeSync(fd, `${JSON.stringify({ id, ...used.get(id) })}\n`);
      if (size > maxJournalBytes) compact();
    });
  const writeWaiting = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (waiting.size > 0) write(waiting);
    waiting.clear();
  };
  if (fs.existsSync(journal)) guarded(compact);
  return {
    used,
    put(id, usage, isLimited = true) {
      used.set(id, usage);
      if (isLimited) return write([id]);
      waiting.add(id);
      timer ??= setTimeout(writeWaiting, laterMs).unref();
    },
    close() {
      writeWaiting();
      if (fd === undefined) return;
      guarded(compact);
      guarded(() => fs.closeSync(fd ?? -1));
      fd = undefined;
    },
  };
}

/** Also beside a running daemon. The journal is read first: what it passes on to the table meanwhile is then seen there. */
export function readAllUsage(keyFile: string): Map<string, Usage> {
  const lines = linesOf(journalOf(keyFile));
  const used = readUsage(usageFileOf(keyFile));
  for (const [id, usage] of lines) used.set(id, later(used.get(id), usage));
  return used;
}

function journalOf(keyFile: string): string {
  return path.join(path.dirname(keyFile), 'key-usage.journal');
}

/** A line that a kill or a full disk cut short is left out: the next one of that key has it all. */
function linesOf(file: string): readonly (readonly [id: string, usage: Usage])[] {
  let text: string;
  try {
    text = fs.readFileSync(file, 'utf8');
  } catch {
    return [];
  }
  return text.split('\n').flatMap((line) => {
    try {
      return usageIn(JSON.parse(line));
    } catch {
      return [];
    }
  });
}

/** Counts of one period only grow. */
function later(table: Usage | undefined, { since, requests, tokens, usd }: Usage): Usage {
  if (table?.since !== since) return { since, requests, tokens, usd };
  return { since, requests: Math.max(requests, table.requests), tokens: Math.max(tokens, table.tokens), usd: Math.max(usd, table.usd) };
}
