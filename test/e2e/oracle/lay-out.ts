// One case on the machine of its own that an oracle's program runs on: its home and workspace as if nothing had been asked before.
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';

/** @param settings the program's own directory in the home, emptied first */
export function layOut(files: Readonly<Record<string, string>>, settings: string, workspace: string): void {
  for (const place of [settings, workspace]) fs.rmSync(place, { recursive: true, force: true });
  fs.mkdirSync(workspace, { recursive: true });
  for (const [name, content] of Object.entries(files)) {
    if (!name.startsWith('/home/dev/')) continue;
    fs.mkdirSync(path.dirname(name), { recursive: true });
    fs.writeFileSync(name, content);
  }
  process.chdir(workspace);
}
