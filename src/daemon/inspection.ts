// Inspection with the company's own fingerprints, as they stand now: an index that was built while the daemon runs counts from the next
// payload on, or 5 ms later. An index that does not load makes every inspection fail, and with it every act. Large payloads are looked at in threads
// that share the index, so that other sessions go on.
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
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
  let lookedAt = Number.NEGATIVE_INFINITY;
  const inspectAsItStands: Inspector['inspect'] = async (body, context) => {
    lookedAt = performance.now();
    // All, because a build replaces one after the other.
    const personalData = looksForPersonalData?.() ?? false;
    const version = ['table.bin', 'documents.json', 'tables.bin', 'tables.json']
      .map((name) => stampOf(path.join(directory, name)))
      .concat(String(personalData))
      .join();
    if (current?.version !== version) {
      current?.workers.retire();
      current = undefined;
      const fingerprints = store.load();
      const data = tables.load();
      const workers = createWorkers({ fingerprints, data, fingerprintKey, personalData });
      const inspector = createInspector({ ...options, fingerprints, data, fingerprintKey, workers, personalData });
      current = { version, workers, inspector };
    }
    return await current.inspector.inspect(body, context);
  };
  return {
    inspect: (body, context) =>
      current && performance.now() - lookedAt < lookEveryMs ? current.inspector.inspect(body, context) : inspectAsItStands(body, context),
    close: async () => current?.workers.close(),
  };
}

/** Changes with the file. */
export function stampOf(file: string): string {
  const stat = fs.statSync(file, { throwIfNoEntry: false });
  return stat ? `${stat.ino} ${stat.mtimeMs} ${stat.size}` : 'none';
}
