// The documents whose text goes to a model as instructions, each once.
import type { Doc } from '../load.ts';

const cache = new WeakMap<readonly Doc[], readonly Doc[]>();

export function readByModels(docs: readonly Doc[]): readonly Doc[] {
  const known = cache.get(docs);
  if (known !== undefined) return known;
  const seen = new Set<string>();
  const found = docs.filter((doc) => {
    if (!['instructions', 'skill', 'memory'].includes(doc.file.role) || doc.fault !== undefined || seen.has(doc.path)) return false;
    seen.add(doc.path);
    return true;
  });
  cache.set(docs, found);
  return found;
}
