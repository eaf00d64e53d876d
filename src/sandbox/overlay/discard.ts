// Gives up a session's layer, or part of it. The workspace is not touched.
import { rmdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { recover, refuseLive } from './apply.ts';
import type { Change } from './change.ts';
import { namesOf } from './git-layer.ts';
import { gitLayerName, type Layer, layersOf } from './manifest.ts';
import { removeOverlay } from './remove.ts';
import { noteNames, settle } from './settled.ts';

/** Gives up these changes; the rest of the layer stays. */
export function discardChanges(layer: Layer, changes: readonly Change[]): void {
  refuseLive(layer);
  for (const one of layersOf(layer)) {
    settle(
      one,
      namesOf(layer, one)
        .in(changes)
        .map((change) => change.path),
    );
  }
}

/** Removes the whole layer. */
export function discardLayer(layer: Layer): void {
  refuseLive(layer);
  for (const one of layersOf(layer)) recover(one);
  for (const name of ['upper', 'work', gitLayerName]) removeOverlay(path.join(layer.directory, name));
  for (const name of noteNames) rmSync(path.join(layer.directory, name), { force: true });
  try {
    rmdirSync(layer.directory);
  } catch {
    // Something else is kept of this session.
  }
}
