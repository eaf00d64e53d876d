// What an audit says of pins: everything below a pinned directory that is not what somebody looked at, and pins that do not read.
import fs from 'node:fs';
import path from 'node:path';
import { type Drifted, repositoryFiles } from '../../audit/index.ts';
import { codeOf } from '../../core/index.ts';
import { driftFrom, hasPins, pinFor, pinnedDirectory } from '../workspace-pin.ts';

/** @param dirs directories that the audit has looked at */
export function driftedIn(dirs: readonly string[], state: string): readonly Drifted[] {
  if (!hasPins(state)) return [];
  const pinned = new Set(dirs.flatMap((dir) => pinnedDirectory(state, realOr(dir)) ?? []));
  return [...pinned].sort().flatMap((dir) => drifted(dir, state));
}

function realOr(dir: string): string {
  try {
    return fs.realpathSync(dir);
  } catch {
    return dir;
  }
}

function drifted(dir: string, state: string): readonly Drifted[] {
  try {
    const pin = pinFor(state, dir);
    const drift = pin && driftFrom(pin, repositoryFiles(dir));
    const when = pin && `since ${pin.by} looked at it on ${pin.at.slice(0, 10)}`;
    return drift?.changes.map(({ path: name, what }) => ({ file: path.resolve(dir, name), says: `${what} ${when}` })) ?? [];
  } catch (fault) {
    if (codeOf(fault) !== 'CONFIG_INVALID' || !(fault instanceof Error)) throw fault;
    return [{ file: dir, says: fault.message }];
  }
}
