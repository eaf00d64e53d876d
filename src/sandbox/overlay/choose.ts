// Which layer `diff`, `apply` and `discard` speak of, and which others of the workspace wait for their user.
import type { Change } from './change.ts';
import { diffSession } from './git-layer.ts';
import { findLayers, type Layer, layersOf } from './manifest.ts';
import { readSettled } from './settled.ts';

interface Chosen {
  readonly layer: Layer;
  readonly changes: readonly Change[];
  /** Sessions of the workspace, newest first, that hold changes as well; none when a session was named. */
  readonly others: readonly string[];
}

/**
 * @param session an id, or nothing for the newest session of the workspace that `cwd` is in with something in its layer; what was applied
 * or discarded counts, so that the same command again does not take the next session
 * @param cacheDir where small programs of ours are kept
 * @param isNeeded false where a layer that cannot be compared is meant all the same; its changes are then not known
 */
export function chooseLayer(
  sessions: string,
  session: string | undefined,
  cwd: string,
  { cacheDir, isNeeded }: { cacheDir: string; isNeeded: boolean },
): Chosen {
  const compared = (layer: Layer): readonly Change[] | undefined => {
    try {
      return diffSession(layer, cacheDir);
    } catch (fault) {
      if (isNeeded) throw fault;
      return undefined;
    }
  };
  const layers = findLayers(sessions, session, cwd);
  const [last] = layers;
  if (session !== undefined) return { layer: last, changes: compared(last) ?? [], others: [] };
  let chosen: Omit<Chosen, 'others'> | undefined;
  const others: string[] = [];
  for (const layer of layers) {
    if (!chosen) {
      const changes = compared(layer);
      if (changes?.length !== 0 || layersOf(layer).some((one) => readSettled(one).size > 0)) chosen = { layer, changes: changes ?? [] };
    } else if (holdsChanges(layer, cacheDir)) others.push(layer.manifest.session);
  }
  return { ...(chosen ?? { layer: last, changes: [] }), others };
}

/** One that cannot be compared may hold some: who looks at it will hear why. */
function holdsChanges(layer: Layer, cacheDir: string): boolean {
  try {
    return diffSession(layer, cacheDir).length > 0;
  } catch {
    return true;
  }
}
