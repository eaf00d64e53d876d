// Inspection with the company's own fingerprints, as they stand now: an index that was built while the daemon runs counts from the next
// payload on. An index that does not load makes every inspection fail, and with it every act.
import fs from 'node:fs';
import path from 'node:path';
import { createInspector, type FingerprintStore, fingerprintStore, type Inspector, type InspectorOptions } from '../inspect/index.ts';

export function createInspection(directory: string, options: Pick<InspectorOptions, 'isPlaceholder'>): Inspector['inspect'] {
  const store: FingerprintStore = fingerprintStore(directory);
  let inspector: Inspector | undefined;
  let version: string | undefined;
  return async (body, context) => {
    // Both, because a build replaces one after the other.
    const current = ['table.bin', 'documents.json'].map((name) => stampOf(path.join(directory, name))).join();
    if (!inspector || current !== version) {
      inspector = undefined;
      inspector = createInspector({ ...options, fingerprints: store.load() });
      version = current;
    }
    return await inspector.inspect(body, context);
  };
}

function stampOf(file: string): string {
  const stat = fs.statSync(file, { throwIfNoEntry: false });
  return stat ? `${stat.ino} ${stat.mtimeMs} ${stat.size}` : 'none';
}
