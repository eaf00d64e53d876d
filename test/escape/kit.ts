// The suite and its Node where the user that tries the sandbox can read them, whatever the mode of the directory that this clone lies in.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Who } from './user.ts';

const root = path.resolve(import.meta.dirname, '../..');

export interface Kit {
  /** Belongs to the user. */
  readonly scratch: string;
  readonly node: string;
  /** The script that launches the attempts. */
  readonly outside: string;
  remove(): void;
}

export function kitFor(user: Who): Kit {
  const scratch = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'intramur-escape-')));
  const kit = path.join(scratch, 'kit');
  const node = path.join(kit, 'bin', 'node');
  for (const part of ['src/core', 'src/sandbox', 'test/escape', 'package.json'])
    fs.cpSync(path.join(root, part), path.join(kit, part), { recursive: true });
  fs.mkdirSync(path.dirname(node));
  fs.copyFileSync(process.execPath, node, fs.constants.COPYFILE_FICLONE);
  fs.chmodSync(node, 0o755);
  if (user.uid !== process.geteuid?.()) spawnSync('chown', ['-R', `${user.uid}:${user.gid}`, scratch]);
  return {
    scratch,
    node,
    outside: path.join(kit, 'test/escape/outside.ts'),
    remove() {
      spawnSync('chmod', ['-R', 'u+rwX', scratch]);
      fs.rmSync(scratch, { recursive: true, force: true });
    },
  };
}
