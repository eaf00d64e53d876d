// Inspection with the company's own fingerprints, as they stand now: an index that was built while the daemon runs counts from the next
// payload on, or 5 ms later. An index that does not load makes every inspection fail, and with it every act. Large payloads are looked at in threads
// that share the index, so that other sessions go on.
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { IntramurError } from '../core/index.ts';
import {
  createInspector,
  createWorkers,
  dataStore,
  fingerprintStore,
  type Inspector,
  type InspectorOptions,
  type Workers,
} from '../inspect/index.ts';

export interface Inspection {
  readonly inspect: Inspector['inspect'];
  /** Why nothing can be inspected, as the index now stands, so that every act is refused. */
  fault(): IntramurError | undefined;
  close(): Promise<void>;
}

/** Sooner than the command that builds an index ends; under load it spares looks at the disk for each payload. */
export const lookEveryMs = 5;

interface InspectionOptions extends Pick<InspectorOptions, 'isPlaceholder'> {
  /** Asked again and again: the configuration may change while the daemon runs. Left out: no. */
  looksForPersonalData?(): boolean;
}

export function createInspection(directory: string, { looksForPersonalData, ...options }: InspectionOptions): Inspection {
  const store = fingerprintStore(directory);
  const tables = dataStore(directory);
  const fingerprintKey = crypto.randomBytes(32);
  let current: { readonly version: string; readonly inspector: Inspector; readonly workers: Workers } | undefined;
  let failed: { readonly version: string; readonly fault: IntramurError } | undefined;
  let lookedAt = Number.NEGATIVE_INFINITY;

  const stampsOf = (names: readonly string[]): string => names.map((name) => stampOf(path.join(directory, name))).join();

  /** @throws IntramurError INDEX_BROKEN */
  function asItStands(): Inspector {
    lookedAt = performance.now();
    // All, because a build replaces one after the other.
    const personalData = looksForPersonalData?.() ?? false;
    const version = `${stampsOf(['table.bin', 'documents.json', 'tables.bin', 'tables.json'])},${personalData}`;
    if (current?.version === version) return current.inspector;
    // What did not load does not load the next time either, and a large one takes its time.
    const whole = `${version},${stampsOf(['secret', 'repositories.json'])}`;
    if (failed?.version === whole) throw failed.fault;
    current?.workers.retire();
    [current, failed] = [undefined, undefined];
    try {
      const fingerprints = store.load();
      const data = tables.load();
      const workers = createWorkers({ fingerprints, data, fingerprintKey, personalData });
      const inspector = createInspector({ ...options, fingerprints, data, fingerprintKey, workers, personalData });
      current = { version, workers, inspector };
      return inspector;
    } catch (cause) {
      const fault = cause instanceof IntramurError ? cause : unreadable(directory, cause);
      failed = { version: whole, fault };
      throw fault;
    }
  }

  const inspectAsItStands: Inspector['inspect'] = async (body, context) => await asItStands().inspect(body, context);

  return {
    inspect: (body, context) =>
      current && performance.now() - lookedAt < lookEveryMs ? current.inspector.inspect(body, context) : inspectAsItStands(body, context),
    fault() {
      try {
        asItStands();
        // It says which files are of which class, which is asked for with every payload.
        store.list();
        return undefined;
      } catch (fault) {
        return fault instanceof IntramurError ? fault : unreadable(directory, fault);
      }
    },
    close: async () => current?.workers.close(),
  };
}

function unreadable(directory: string, cause: unknown): IntramurError {
  const why = cause instanceof Error ? `: ${cause.message}` : '';
  return new IntramurError('INDEX_BROKEN', `the fingerprint index cannot be read${why}`, {
    cause,
    hint: `see that ${directory} is readable`,
  });
}

/** Changes with the file. */
export function stampOf(file: string): string {
  const stat = fs.statSync(file, { throwIfNoEntry: false });
  return stat ? `${stat.ino} ${stat.mtimeMs} ${stat.size}` : 'none';
}
