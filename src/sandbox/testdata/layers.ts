// Sessions in overlay mode for the tests of their layers: each runs a script in a workspace of its own.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { doctor } from '../doctor.ts';
import { launch } from '../launch.ts';
import { diffLayer } from '../overlay/diff.ts';
import { type Layer, readLayer } from '../overlay/manifest.ts';
import { boxIn, closeAll } from './box.ts';

const { layers } = await doctor();
/** Why no layer can be made here. */
export const missing = layers.find(({ ok, name }) => !ok && name !== 'limit of total memory');

export interface Sessions {
  readonly scratch: string;
  readonly cacheDir: string;
  /** Runs `script` in a workspace that `before` made. */
  session(before: string, script: string): Promise<Layer>;
  /** A line for each change. */
  rows(layer: Layer): string[];
  remove(): void;
}

export function createSessions(): Sessions {
  const scratch = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'intramur-overlay-')));
  const cacheDir = path.join(scratch, 'cache');
  let count = 0;
  return {
    scratch,
    cacheDir,
    async session(before, script) {
      const directory = path.join(scratch, 'sessions', `s${count++}`);
      const workspace = path.join(scratch, 'workspaces', String(count));
      fs.mkdirSync(workspace, { recursive: true });
      spawnSync('/bin/sh', ['-ec', before], { cwd: workspace });
      // The clock of the file system moves in ticks.
      await new Promise((resolve) => setTimeout(resolve, 20));
      const plan = boxIn(directory, { argv: ['/bin/bash', '-c', script], workspace, mode: 'overlay', cacheDir });
      const launched = await launch(plan, { listening: closeAll });
      await launched.exited;
      const layer = readLayer(directory);
      if (!layer) throw new Error('the session left no layer');
      return layer;
    },
    rows: (layer) =>
      diffLayer(layer, cacheDir).map(
        ({ change, path: file, class: kind, conflict }) => `${change} ${file} ${kind}${conflict ? ' conflict' : ''}`,
      ),
    remove() {
      spawnSync('chmod', ['-R', 'u+rwX', scratch]);
      fs.rmSync(scratch, { recursive: true, force: true });
    },
  };
}

/** A shell's command: every path with its kind, mode and content. */
export const listing =
  "find . -mindepth 1 -printf '%P|%y|%m|%l|' -a \\( -type f -exec sha256sum {} \\; -o -printf '\\n' \\) | sed 's/ .*//' | sort";
