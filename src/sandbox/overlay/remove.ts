// Removes what an overlay leaves on disk. The kernel's work directory has mode 000, which keeps even its owner from emptying it.
import { chmodSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';

/** @param directory holds `upper` and `work`, or contains them somewhere below */
export function removeOverlay(directory: string): void {
  open(directory);
  rmSync(directory, { recursive: true, force: true });
}

function open(directory: string): void {
  let entries: import('node:fs').Dirent[];
  try {
    entries = readdirSync(directory, { withFileTypes: true });
  } catch {
    return;
  }
  for (const entry of entries) {
    if (!entry.isDirectory()) continue;
    const at = path.join(directory, entry.name);
    try {
      chmodSync(at, 0o700);
    } catch {
      continue;
    }
    open(at);
  }
}
