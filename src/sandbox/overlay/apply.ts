// Brings changes of a session's layer into the workspace. Each file is written beside its place and moved over it in one step, so a
// reader sees the old one or the new one. What was begun is in a journal: after a kill at any point nothing is lost (the layer is only
// read), nothing half written is in place, and the next call removes the leftovers.
import {
  type BigIntStats,
  chmodSync,
  chownSync,
  closeSync,
  constants,
  copyFileSync,
  fchmodSync,
  fchownSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { fileReasons, IntramurError } from '../../core/index.ts';
import { claimWorkspace } from '../in-use.ts';
import { carriersOf, likeWithheld } from './carried.ts';
import type { Change } from './change.ts';
import { notMovedYet } from './git-deletions.ts';
import { isGitLayer, isObject, namesOf } from './git-layer.ts';
import { isLive, type Layer, layersOf } from './manifest.ts';
import { settle } from './settled.ts';
import { whyNot } from './why-not.ts';

export interface Outcome {
  readonly applied: readonly string[];
  readonly refused: readonly { readonly path: string; readonly why: string }[];
  readonly conflicts: readonly { readonly path: string; readonly why: string }[];
}

export interface ApplyOptions {
  /** Bring back what can run or steer something later, too. */
  readonly withSensitive: boolean;
  /** Where it is noted which workspaces are in use. */
  readonly cacheDir: string;
  /** The other changes of the layer, which stay in it. */
  readonly rest?: readonly Change[];
}

/** @param changes of this session, as `diffSession` found them */
export function applyChanges(layer: Layer, changes: readonly Change[], options: ApplyOptions): Outcome {
  refuseLive(layer);
  const layers = layersOf(layer);
  const claims: (() => void)[] = [];
  try {
    for (const { manifest } of layers) claims.push(claimWorkspace(options.cacheDir, manifest.workspace, 'apply'));
    const outcomes = layers.map((one): Outcome => {
      const { in: own, out } = namesOf(layer, one);
      const { applied, refused, conflicts } = applyClaimed(one, own(changes), { ...options, rest: own(options.rest ?? []) });
      const named = (row: { readonly path: string; readonly why: string }) => ({ ...row, path: out(row.path) });
      return { applied: applied.map(out), refused: refused.map(named), conflicts: conflicts.map(named) };
    });
    return {
      applied: outcomes.flatMap(({ applied }) => applied),
      refused: outcomes.flatMap(({ refused }) => refused),
      conflicts: outcomes.flatMap(({ conflicts }) => conflicts),
    };
  } finally {
    for (const release of claims) release();
  }
}

function applyClaimed(layer: Layer, changes: readonly Change[], options: ApplyOptions): Outcome {
  recover(layer);
  const refused: { path: string; why: string }[] = [];
  const conflicts: { path: string; why: string }[] = [];
  const wanted = changes.filter((change) => {
    const isRefused = change.class === 'forbidden' || (change.class === 'sensitive' && !options.withSensitive);
    if (isRefused) refused.push({ path: change.path, why: change.why });
    else if (change.conflict !== undefined) conflicts.push({ path: change.path, why: change.conflict });
    else return true;
    return false;
  });
  const carriers = carriersOf(layer, changes);
  const withheld = new Set([...refused, ...conflicts].map((one) => one.path));
  const edited = likeWithheld(
    layer,
    wanted.filter(({ path: file, change }) => change === 'deleted' && !carriers.has(file)),
    changes.filter((change) => withheld.has(change.path)),
  );
  const staying = renamedTo(layer, wanted, options.rest ?? []);
  /** INVARIANT: no content goes from the workspace while all that would bring it back under another name stays out. */
  const loss = ({ path: file, change }: Change): string | undefined => {
    const others = carriers.get(file);
    // What is written in the place of the old name was asked for as it is; a deletion alone may be half of a rename.
    const half = change === 'deleted' && !others ? staying.get(file) : undefined;
    if (half !== undefined) return half;
    const unmoved = change === 'deleted' ? notMovedYet(file, withheld) : undefined;
    if (unmoved !== undefined) return unmoved;
    if (others?.every((other) => withheld.has(other))) return `its content would be lost: ${others[0]} has it, and is not applied`;
    const like = edited.get(file);
    return like && `it ${like.isCompared ? 'looks as if' : 'may have been'} renamed to ${like.path}, which is not applied`;
  };
  const withhold = (change: Change, why: string): void => {
    conflicts.push({ path: change.path, why });
    withheld.add(change.path);
  };
  const kept = heldBack(wanted, loss, withhold);
  const applied: string[] = [];
  const work = new Work(layer);
  for (const change of inOrder(layer, kept)) {
    const failure = loss(change) ?? work.apply(change);
    if (failure === undefined) applied.push(change.path);
    else withhold(change, failure);
  }
  work.done();
  settle(layer, applied);
  return { applied: applied.sort(), refused, conflicts };
}

/** @returns for each path that would be deleted while its new name stays in the layer, that this is so */
function renamedTo(layer: Layer, wanted: readonly Change[], rest: readonly Change[]): ReadonlyMap<string, string> {
  const deletions = wanted.filter(({ change }) => change === 'deleted');
  const whys = new Map<string, string>();
  if (deletions.length === 0 || rest.length === 0) return whys;
  const note = (file: string, how: string, other = ''): unknown => whys.set(file, `it ${how} renamed to ${other}: name that one too`);
  for (const [file, [other]] of carriersOf(layer, [...deletions, ...rest])) note(file, 'was', other);
  const unlike = deletions.filter((change) => !whys.has(change.path));
  for (const [file, { path: other, isCompared }] of likeWithheld(layer, unlike, rest))
    note(file, isCompared ? 'looks as if' : 'may have been', other);
  return whys;
}

/** One that is held back may itself be what would have brought another's content. */
function heldBack(
  wanted: readonly Change[],
  loss: (change: Change) => string | undefined,
  withhold: (change: Change, why: string) => void,
): readonly Change[] {
  for (let left = wanted; ; ) {
    const next = left.filter((change) => {
      const why = loss(change);
      if (why !== undefined) withhold(change, why);
      return why === undefined;
    });
    if (next.length === left.length) return next;
    left = next;
  }
}

/**
 * First the deletions that make way, from the bottom up, so that a file can take a directory's place; then what is written, from the top
 * down. The other deletions come after: of what was renamed the new name is there before the old one goes. Directories are closed last.
 */
function inOrder(layer: Layer, changes: readonly Change[]): Change[] {
  const down = changes.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  const up = down.toReversed();
  const isClosing = ({ path: file, change, node }: Change): boolean =>
    change === 'mode' && node === 'directory' && (lstatSync(path.join(layer.upper, file)).mode & 0o300) !== 0o300;
  const upright = down.filter((change) => change.change !== 'deleted' && !isClosing(change));
  // What names an object comes after it: a kill in between leaves nothing that is missing.
  const written = isGitLayer(layer) ? upright.toSorted((a, b) => Number(isObject(b.path)) - Number(isObject(a.path))) : upright;
  const places = new Set(written.map((change) => change.path));
  const above = new Set(written.flatMap((change) => ancestorsOf(change.path)));
  const leaves = new Set(written.filter(({ node }) => node !== 'directory').map((change) => change.path));
  const makesWay = ({ path: file }: Change): boolean =>
    places.has(file) || above.has(file) || ancestorsOf(file).some((place) => leaves.has(place));
  const deletions = up.filter(({ change }) => change === 'deleted');
  return [...deletions.filter(makesWay), ...written, ...deletions.filter((change) => !makesWay(change)), ...up.filter(isClosing)];
}

function ancestorsOf(file: string): string[] {
  const ancestors: string[] = [];
  for (let up = path.dirname(file); up !== '.'; up = path.dirname(up)) ancestors.push(up);
  return ancestors;
}

export function refuseLive(layer: Layer): void {
  if (!isLive(layer)) return;
  throw new IntramurError('SANDBOX_SETUP', `session ${layer.manifest.session} is still running: its layer is in use`, {
    hint: 'end it first',
  });
}

const journalOf = (layer: Layer): string => path.join(layer.directory, 'journal.jsonl');
const mark = '.intramur-';

/** Removes what an apply that was killed left behind. */
export function recover(layer: Layer): void {
  let text: string;
  try {
    text = readFileSync(journalOf(layer), 'utf8');
  } catch {
    return;
  }
  for (const line of text.split('\n')) {
    const file = parsed(line);
    // Only names of our own making, in the workspace: the journal is ours, but it costs nothing to be sure.
    if (file !== undefined && path.basename(file).startsWith(mark) && !file.split('/').includes('..')) {
      rmSync(path.join(layer.manifest.workspace, file), { force: true });
    }
  }
  rmSync(journalOf(layer), { force: true });
}

function parsed(line: string): string | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}

class Work {
  readonly #layer: Layer;
  readonly #journal: number;
  #count = 0;

  constructor(layer: Layer) {
    this.#layer = layer;
    this.#journal = openSync(journalOf(layer), 'a', 0o600);
  }

  /** @returns why it could not be applied; the workspace is then as it was */
  apply(change: Change): string | undefined {
    try {
      return this.#applyOne(change);
    } catch (fault) {
      return `it could not be applied: ${whyNot(fault)}`;
    }
  }

  #applyOne(change: Change): string | undefined {
    const unsafe = this.#makeParents(change.path);
    if (unsafe !== undefined) return unsafe;
    const at = path.join(this.#layer.manifest.workspace, change.path);
    const from = path.join(this.#layer.upper, change.path);
    const there = lstatSync(at, { bigint: true, throwIfNoEntry: false });
    const meanwhile = this.#changedMeanwhile(change, there);
    if (meanwhile !== undefined) return meanwhile;
    switch (change.change) {
      case 'deleted':
        return this.#remove(at, there?.isDirectory() === true);
      case 'mode':
        chmodSync(at, lstatSync(from).mode & 0o777);
        return undefined;
      case 'added':
      case 'modified':
        return this.#write(change, from, at, there?.isDirectory() === true);
    }
  }

  /** Looked at again, as late as possible. A directory's own time changes with its entries; removing one that is not empty fails anyway. */
  #changedMeanwhile({ change, node }: Change, there: BigIntStats | undefined): string | undefined {
    if (there && !there.isDirectory() && there.ctimeNs >= this.#layer.beganNs) return 'it changed in the workspace after the session began';
    if (change === 'added' && there && !(node === 'directory' && there.isDirectory())) return 'it appeared in the workspace meanwhile';
    if ((change === 'modified' || change === 'mode') && !there) return 'it was removed from the workspace meanwhile';
    return undefined;
  }

  done(): void {
    closeSync(this.#journal);
    rmSync(journalOf(this.#layer), { force: true });
  }

  #remove(at: string, isDirectory: boolean): string | undefined {
    try {
      if (isDirectory) rmdirSync(at);
      else rmSync(at, { force: true });
      return undefined;
    } catch (fault) {
      const why = whyNot(fault);
      return isDirectory && why === fileReasons['ENOTEMPTY'] ? 'the directory still holds something' : `it could not be removed: ${why}`;
    }
  }

  #write(change: Change, from: string, at: string, isDirectoryThere: boolean): string | undefined {
    if (change.node === 'directory') {
      if (!isDirectoryThere) mkdirSync(at);
      chmodSync(at, lstatSync(from).mode & 0o777);
      return undefined;
    }
    if (isDirectoryThere) {
      const failure = this.#remove(at, true);
      if (failure !== undefined) return failure;
    }
    const beside = path.join(path.dirname(change.path), `${mark}${this.#layer.manifest.session}-${this.#count++}`);
    const fresh = path.join(this.#layer.manifest.workspace, beside);
    writeFileSync(this.#journal, `${JSON.stringify(beside)}\n`);
    try {
      if (change.node === 'symlink') symlinkSync(readlinkSync(from), fresh);
      else copyWhole(from, fresh);
      renameSync(fresh, at);
      return undefined;
    } catch (fault) {
      rmSync(fresh, { force: true });
      return `it could not be written: ${whyNot(fault)}`;
    }
  }

  /** INVARIANT: every directory on the way is a real one of the workspace; nothing is written through a link. */
  #makeParents(file: string): string | undefined {
    const parts = path
      .dirname(file)
      .split('/')
      .filter((part) => part !== '.');
    let at = '';
    for (const part of parts) {
      at = path.join(at, part);
      const here = path.join(this.#layer.manifest.workspace, at);
      const stat = lstatSync(here, { throwIfNoEntry: false });
      if (stat?.isDirectory()) continue;
      if (stat) return `${at} is not a directory in the workspace`;
      const upper = lstatSync(path.join(this.#layer.upper, at), { throwIfNoEntry: false });
      if (!upper?.isDirectory()) return undefined; // what is to be deleted is gone already
      mkdirSync(here);
      chmodSync(here, upper.mode & 0o777);
      if (process.geteuid?.() === 0) chownSync(here, upper.uid, upper.gid);
    }
    return undefined;
  }
}

/**
 * Content, mode and owner; extended attributes and capabilities stay behind. Not flushed: what a killed process wrote is kept by the
 * kernel, and the layer, from which it can be applied again, outlives a loss of power.
 */
function copyWhole(from: string, to: string): void {
  copyFileSync(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  const source = lstatSync(from);
  const fd = openSync(to, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    if (process.geteuid?.() === 0) fchownSync(fd, source.uid, source.gid);
    fchmodSync(fd, source.mode & 0o777);
  } finally {
    closeSync(fd);
  }
}
