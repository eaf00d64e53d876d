// What a session has said so far. A drip of one line a call never satisfies a rule by itself, so the distinct keys of each document
// add up; they fade, so that a long session does not accuse by chance.
import type { Span } from '../view.ts';
import type { Trace } from './source-scan.ts';

/** Distinct keys of one document, over the calls of a session, that say it is leaking. */
const ENOUGH = 6;
/** Of them at least so many from runs of words or structure, which chance yields less often than lines … */
const ENOUGH_RUNS = 2;
/** … or so many lines: of a drip of single lines nothing else is ever seen. */
const ENOUGH_LINES = 8;
const FADES_AFTER_MS = 4 * 60 * 60 * 1000;
const MOST_SESSIONS = 2_000;
const MOST_KEYS = 20_000;

export interface Drips {
  /** Adds the traces of a call; yields the documents that have now leaked, with how many keys of each are known. */
  add(session: string, traces: readonly Trace[]): { readonly document: number; readonly keys: number; readonly span: Span }[];
}

interface Seen {
  readonly at: number;
  readonly isRun: boolean;
}

export function createDrips(nowMs: () => number): Drips {
  const sessions = new Map<string, Map<number, Map<number, Seen>>>();
  return {
    add(session, traces) {
      if (traces.length === 0) return [];
      const now = nowMs();
      const documents = touch(sessions, session);
      const spans = new Map<number, Span>();
      for (const { document, keys, start, end } of traces) {
        const known = documents.get(document) ?? new Map<number, Seen>();
        documents.set(document, known);
        for (const [key, isRun] of keys) if (known.size < MOST_KEYS || known.has(key)) known.set(key, { at: now, isRun });
        const span = spans.get(document) ?? { start, end };
        spans.set(document, { start: Math.min(span.start, start), end: Math.max(span.end, end) });
      }
      return [...spans].flatMap(([document, span]) => {
        const keys = documents.get(document) ?? new Map<number, Seen>();
        let runs = 0;
        for (const [key, { at, isRun }] of keys) {
          if (now - at > FADES_AFTER_MS) keys.delete(key);
          else if (isRun) runs += 1;
        }
        const isLeaking = (keys.size >= ENOUGH && runs >= ENOUGH_RUNS) || keys.size - runs >= ENOUGH_LINES;
        return isLeaking ? [{ document, keys: keys.size, span }] : [];
      });
    },
  };
}

/** The session's own map, now the youngest; the oldest session is forgotten when there are too many. */
function touch<T>(sessions: Map<string, Map<number, T>>, session: string): Map<number, T> {
  const known = sessions.get(session) ?? new Map<number, T>();
  sessions.delete(session);
  sessions.set(session, known);
  if (sessions.size > MOST_SESSIONS) {
    const [oldest] = sessions.keys();
    if (oldest !== undefined) sessions.delete(oldest);
  }
  return known;
}
