// Benches of the sandbox run as an ordinary user also when root starts them: root inside is shown as another user than outside, which
// costs git its cached file information, and some sandboxes mean something else to root.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { users, type Who } from '../test/escape/user.ts';

const root = path.resolve(import.meta.dirname, '..');

export interface Ordinary {
  readonly who: Who;
  /** A directory that belongs to the user. */
  readonly base: string;
  /** A copy of parts of this clone there, which the user can read wherever this clone lies. */
  readonly kit: string;
  readonly node: string;
  remove(): void;
}

/** @param parts of this clone */
export function ordinary(parts: readonly string[]): Ordinary {
  const who = users().at(-1);
  if (!who) throw new Error('there is no user to run as');
  const base = fs.realpathSync(fs.mkdtempSync(path.join(placeFor(who), 'bench-')));
  const kit = path.join(base, 'kit');
  const node = path.join(kit, 'bin', 'node');
  for (const part of [...parts, 'package.json']) fs.cpSync(path.join(root, part), path.join(kit, part), { recursive: true });
  fs.mkdirSync(path.dirname(node));
  fs.copyFileSync(process.execPath, node, fs.constants.COPYFILE_FICLONE);
  fs.chmodSync(node, 0o755);
  spawnSync('chown', ['-R', `${who.uid}:${who.gid}`, base]);
  return {
    who,
    base,
    kit,
    node,
    remove() {
      spawnSync('chmod', ['-R', 'u+rwX', base]);
      fs.rmSync(base, { recursive: true, force: true });
    },
  };
}

/** The user's own home, because some sandboxes know no other place for a workspace. */
function placeFor({ uid }: Who): string {
  const rows = fs.readFileSync('/etc/passwd', 'utf8').split('\n');
  const home = rows.find((line) => line.split(':')[2] === String(uid))?.split(':')[5] ?? os.homedir();
  return fs.existsSync(home) ? home : os.tmpdir();
}
