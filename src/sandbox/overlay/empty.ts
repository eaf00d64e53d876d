// Layers that hold nothing: most sessions only read, and each would leave one. It is on the way out of every launch, so it asks the
// disk for a few names and needs neither the comparison nor the journal.
import { readdirSync, rmdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { gitLayerName, isHeld, type Layer, layersOf, readLayer } from './manifest.ts';
import { noteNames } from './settled.ts';

/** Whatever else lies beside a layer, a journal for example, is somebody's unfinished work. */
const ordinary: ReadonlySet<string> = new Set(['upper', 'work', gitLayerName, ...noteNames]);

/** Nothing was written through this layer. One that cannot be read is not empty. */
export function isEmpty(directory: string): boolean {
  return namesIn(directory)?.length === 0;
}

/**
 * Removes the earlier layers of this one's workspace that hold nothing; the last one is what `diff` speaks of.
 * INVARIANT: none that a session has mounted, makes, or is about to read.
 */
export function sweepEmpty(last: Layer): void {
  const sessions = path.dirname(last.directory);
  for (const name of namesIn(sessions) ?? []) {
    const layer = readLayer(path.join(sessions, name));
    const isEarlier = layer?.manifest.workspace === last.manifest.workspace && layer.beganNs < last.beganNs;
    if (isEarlier && holdsNothing(layer) && !isHeld(layer)) removeEmpty(layer);
  }
}

/** Neither the workspace nor a git directory outside was written to. */
export function holdsNothing(layer: Layer): boolean {
  return layersOf(layer).every(({ upper }) => isEmpty(upper));
}

/** A directory that turns out to hold something refuses to be removed, and the layer stays. */
function removeEmpty(layer: Layer): void {
  const { directory, upper } = layer;
  const names = namesIn(directory) ?? [];
  if (!names.every((name) => ordinary.has(name))) return;
  const work = path.join(directory, 'work');
  try {
    for (const git of layersOf(layer).slice(1)) removeEmpty(git);
    // The kernel's own directories have mode 000; their names can be removed, their contents not be asked for.
    for (const name of namesIn(work) ?? []) rmdirSync(path.join(work, name));
    if (names.includes('work')) rmdirSync(work);
    rmdirSync(upper);
    for (const name of names) if (name !== 'upper' && name !== 'work') rmSync(path.join(directory, name), { force: true });
    rmdirSync(directory);
  } catch {
    // Not as empty as it looked.
  }
}

function namesIn(directory: string): string[] | undefined {
  try {
    return readdirSync(directory);
  } catch {
    return undefined;
  }
}
