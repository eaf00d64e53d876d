// The public background as it ships: src/inspect/data/background.bin.gz, a Bloom filter, found from the source tree and from the
// bundle alike. Its provenance stands beside it in background.json.
import fs from 'node:fs';
import zlib from 'node:zlib';
import { type Background, noBackground, openBackground } from './background.ts';

const places = ['../data/background.bin.gz', '../../src/inspect/data/background.bin.gz', '../src/inspect/data/background.bin.gz'];

/** Without the file nothing counts as public; the index is then larger and accuses more often, never less. */
export function loadBackground(base: string | URL = import.meta.url): Background {
  for (const place of places) {
    const file = new URL(place, base);
    if (!fs.existsSync(file)) continue;
    const bytes = Uint8Array.from(zlib.gunzipSync(fs.readFileSync(file)));
    return openBackground(new Uint32Array(bytes.buffer));
  }
  return noBackground;
}
