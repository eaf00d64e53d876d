// What is kept of a session beside its layer: which workspace it belongs to, when it began, who holds it.
import { readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { IntramurError } from '../../core/index.ts';
import { isWithin } from '../mount.ts';
import { processStart } from '../process-start.ts';

export interface Manifest {
  readonly session: string;
  /** Real path. */
  readonly workspace: string;
  readonly startedAt: string;
  /** Of the layer of a git directory outside of the workspace: what of it is the workspace's own (`GitOutside.own`). */
  readonly own?: string;
  /** The workspace is this directory of the working tree. */
  readonly part?: string;
}

/** A session's layer as it lies on disk. */
export interface Layer {
  readonly directory: string;
  readonly manifest: Manifest;
  readonly upper: string;
  /** When the session began by the clock of the file system, nanoseconds: what changed on the host then (the clock moves in ticks) or later, changed meanwhile. */
  readonly beganNs: bigint;
}

/** Where the layer of the git directory lies, below that of its session. */
export const gitLayerName = 'git';

export const manifestName = 'manifest.json';
export const holderName = 'holder';

/** INVARIANT: written before the layer is mounted; its change time is the beginning of the session. */
export function writeManifest(upper: string, workspace: string): void {
  const directory = path.dirname(upper);
  writeOf(directory, { session: path.basename(directory), workspace, startedAt: new Date().toISOString() });
}

/** Of the layer over the git directory, which belongs to the session whose directory it lies in. */
export function writeGitManifest(upper: string, git: string, about: Pick<Manifest, 'own' | 'part'>): void {
  const directory = path.dirname(upper);
  writeOf(directory, { session: path.basename(path.dirname(directory)), workspace: git, startedAt: new Date().toISOString(), ...about });
}

function writeOf(directory: string, manifest: Manifest): void {
  writeWhole(path.join(directory, manifestName), JSON.stringify(manifest));
}

/** The layers of a session: of its workspace, and of the git directory outside where there is one. */
export function layersOf(layer: Layer): readonly Layer[] {
  const git = readLayer(path.join(layer.directory, gitLayerName));
  return git?.manifest.own === undefined ? [layer] : [layer, git];
}

/**
 * Who has the layer mounted, and this process, which launched it and reads it when that one has ended: each with its start time, by which
 * a later one with the same number is told apart.
 */
export function writeHolder(upper: string, pid: number): void {
  const holders = [pid, process.pid].map((one) => `${one} ${processStart(one) ?? ''}`);
  writeWhole(path.join(path.dirname(upper), holderName), holders.join(' '));
}

/** INVARIANT: who reads meanwhile gets the old text or the new one: half a holder is nobody, and the layer would be taken away. */
function writeWhole(file: string, text: string): void {
  writeFileSync(`${file}.new`, text, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

export function readLayer(directory: string): Layer | undefined {
  const file = path.join(directory, manifestName);
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (!isManifest(value)) return undefined;
    return { directory, manifest: value, upper: path.join(directory, 'upper'), beganNs: statSync(file, { bigint: true }).ctimeNs };
  } catch {
    return undefined;
  }
}

/** @param session an id, or nothing for all sessions of the workspace that `cwd` is in, newest first */
export function findLayers(sessions: string, session: string | undefined, cwd: string): readonly [Layer, ...Layer[]] {
  if (session !== undefined) {
    const isName = session === path.basename(session) && !session.startsWith('.');
    const layer = isName ? readLayer(path.join(sessions, session)) : undefined;
    if (layer) return [layer];
    throw new IntramurError('CONFIG_NOT_FOUND', `there is no layer of a session ${JSON.stringify(session)}`, {
      hint: `look into ${sessions}`,
    });
  }
  const [last, ...others] = layersFor(sessions, cwd);
  if (last) return [last, ...others];
  throw new IntramurError('CONFIG_NOT_FOUND', `no session has a layer for ${cwd}`, {
    hint: 'a session in overlay mode leaves one: intramur run -- COMMAND',
  });
}

function layersFor(sessions: string, cwd: string): Layer[] {
  return namesIn(sessions)
    .map((name) => readLayer(path.join(sessions, name)))
    .filter((layer) => layer !== undefined)
    .filter(({ manifest }) => isWithin(cwd, manifest.workspace))
    .sort((a, b) => (a.beganNs < b.beganNs ? 1 : -1));
}

/** The session still runs: its layer is mounted, and must not be changed from outside. */
export function isLive(layer: Layer): boolean {
  const [pid = '', start = ''] = holdersOf(layer);
  return isRunning(pid, start);
}

/** The session runs, or its launcher has still to read what it left. */
export function isHeld(layer: Layer): boolean {
  const [pid = '', start = '', launcher = '', launcherStart = ''] = holdersOf(layer);
  return isRunning(pid, start) || isRunning(launcher, launcherStart);
}

/** A git directory's layer is held with that of its session. */
function holdersOf({ directory, manifest }: Layer): string[] {
  const ofSession = manifest.own === undefined ? directory : path.dirname(directory);
  return textOf(path.join(ofSession, holderName)).split(' ');
}
const isRunning = (pid: string, start: string): boolean => start !== '' && processStart(Number(pid)) === start;

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function isManifest(value: unknown): value is Manifest {
  if (typeof value !== 'object' || value === null) return false;
  if (!['own', 'part'].every((name) => ['string', 'undefined'].includes(typeof Reflect.get(value, name)))) return false;
  return (['session', 'workspace', 'startedAt'] satisfies (keyof Manifest)[]).every((name) => typeof Reflect.get(value, name) === 'string');
}
