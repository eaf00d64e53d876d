// What a session has read so far. A class only ever rises; labels of a payload count for that payload alone, except those that
// stand for company data that the model's context keeps repeating anyway.
import { type Classification, highestClassification, type Label, type Report } from '../core/index.ts';

export interface Seen {
  readonly classification: Classification;
  readonly labels: readonly Label[];
}

export interface Taint {
  /** Joins a report into the session's state and returns what counts for this payload. */
  raise(session: string, report: Report, floor: Classification): Seen;
  classificationOf(session: string): Classification | undefined;
  forget(session: string): void;
}

export function createTaint(): Taint {
  const sessions = new Map<string, Classification>();
  return {
    raise(session, report, floor) {
      const before = highestClassification(sessions.get(session) ?? floor, floor);
      const classification = highestClassification(before, report.classification);
      sessions.set(session, classification);
      return { classification, labels: report.labels };
    },
    classificationOf: (session) => sessions.get(session),
    forget(session) {
      sessions.delete(session);
    },
  };
}
