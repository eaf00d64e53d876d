// Gives up a session's layer, or part of it. The workspace is not touched.
import { readdirSync, rmdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { recover, refuseLive } from './apply.ts';
import type { Change } from './change.ts';
import { holderName, isLive, type Layer, readLayer } from './manifest.ts';
import { removeOverlay } from './remove.ts';
import { settle } from './settled.ts';

/** Gives up these changes; the rest of the layer stays. */
export function discardChanges(layer: Layer, changes: readonly Change[]): void {
  refuseLive(layer);
  settle(
    layer,
    changes.map((change) => change.path),
  );
}

/** Removes the earlier layers of this one's workspace that hold nothing: sessions that only read would pile them up. */
export function sweepEmpty(last: Layer): void {
  const sessions = path.dirname(last.directory);
  for (const name of readdirSync(sessions)) {
    const layer = readLayer(path.join(sessions, name));
    const isEarlier = layer?.manifest.workspace === last.manifest.workspace && layer.beganNs < last.beganNs;
    if (isEarlier && !isLive(layer) && isEmpty(layer.upper)) discardLayer(layer);
  }
}

function isEmpty(directory: string): boolean {
  try {
    return readdirSync(directory).length === 0;
  } catch {
    return false;
  }
}

/** Removes the whole layer. */
export function discardLayer(layer: Layer): void {
  refuseLive(layer);
  recover(layer);
  for (const name of ['upper', 'work']) removeOverlay(path.join(layer.directory, name));
  for (const name of ['settled.jsonl', holderName, 'manifest.json']) rmSync(path.join(layer.directory, name), { force: true });
  try {
    rmdirSync(layer.directory);
  } catch {
    // Something else is kept of this session.
  }
}
