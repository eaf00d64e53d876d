// Makes what a session's writes land in: a layer over the workspace, and one over a git directory outside in which commits are made.
import { chmodSync, chownSync, mkdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { IntramurError } from '../../core/index.ts';
import type { GitOutside } from '../git-outside.ts';
import type { Owner } from '../owner.ts';
import type { LaunchPlan } from '../plan.ts';
import { gitLayerName, writeGitManifest, writeHolder, writeManifest } from './manifest.ts';

/** A directory that becomes a view, and the two that overlayfs needs for that. */
export interface LayerPlace {
  readonly over: string;
  readonly upper: string;
  readonly work: string;
}

export async function layersFor(
  overlay: LaunchPlan['overlay'],
  workspace: string,
  git: GitOutside | undefined,
  owner: Owner,
): Promise<LayerPlace[]> {
  if (!overlay) throw new IntramurError('SANDBOX_SETUP', 'overlay mode needs a directory for its writes');
  const own = make({ over: workspace, ...overlay }, owner);
  // Held from before it can be found: nobody may take it for the layer of a session that is over.
  writeHolder(own.upper, process.pid);
  const outside = git && (await gitLayerFor(git, workspace, path.join(path.dirname(own.upper), gitLayerName), owner));
  writeManifest(own.upper, workspace);
  return outside ? [own, outside] : [own];
}

/** Nothing where the directory is shown read-only. */
async function gitLayerFor(git: GitOutside, workspace: string, at: string, owner: Owner): Promise<LayerPlace | undefined> {
  if (git.holdsWorkspace) return undefined;
  const place = { over: git.directory, upper: path.join(at, 'upper'), work: path.join(at, 'work') };
  const part = path.relative(git.top, workspace);
  if (part === '') {
    const layer = make(place, owner);
    writeGitManifest(layer.upper, git.directory, { own: git.own });
    return layer;
  }
  // Most launches do without.
  const { markedIndex, putIndex } = await import('./part-index.ts');
  const index = markedIndex(git, workspace);
  if (!index) return undefined;
  const layer = make(place, owner);
  putIndex(git, layer.upper, index, owner);
  writeGitManifest(layer.upper, git.directory, { own: git.own, part });
  return layer;
}

function make(place: LayerPlace, { outer, isRoot }: Owner): LayerPlace {
  for (const dir of [place.upper, place.work]) {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    if (isRoot) chownSync(dir, outer.uid, outer.gid);
  }
  // The view takes the mode of its top from the layer.
  chmodSync(place.upper, statSync(place.over).mode & 0o777);
  return place;
}
