// Compares a session's layer with the workspace. The layer is what overlayfs wrote (Documentation/filesystems/overlayfs.rst): files
// as files, a deletion as a character device 0/0, a directory that hides the one below it by an attribute. Every byte in it was
// written by the agent: names, modes and links are judged here before anything is shown or applied.
import { accessSync, type BigIntStats, constants, existsSync, lstatSync, readdirSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import { forbiddenReason } from '../forbidden.ts';
import { isInOpenRepository } from '../git-place.ts';
import { sensitiveReason } from '../sensitive.ts';
import type { Change, ChangeClass } from './change.ts';
import { isLive, type Layer } from './manifest.ts';
import { lostSince } from './origin.ts';
import { sameBytes } from './same-bytes.ts';
import { noteSame, readSame, readSettled } from './settled.ts';
import { whyNot } from './why-not.ts';
import { capabilityAttribute, opaqueAttribute, originAttribute, withAttribute } from './xattr.ts';

interface Found {
  readonly path: string;
  readonly upper: BigIntStats;
  readonly lower: BigIntStats | undefined;
}

/**
 * One that somebody has given up meanwhile holds nothing.
 * @param cacheDir where small programs of ours are kept
 */
export function diffLayer(layer: Layer, cacheDir: string): Change[] {
  try {
    return changesOf(layer, cacheDir);
  } catch (fault) {
    if (!existsSync(layer.upper)) return [];
    throw fault;
  }
}

function changesOf(layer: Layer, cacheDir: string): Change[] {
  const [settled, known] = [readSettled(layer), readSame(layer)];
  const comparison = new Comparison(layer, cacheDir, new Set([...settled, ...known]));
  const changes = comparison.changes();
  if (!isLive(layer)) noteSame(layer, comparison.same);
  return changes.filter((change) => !settled.has(change.path) && !known.has(change.path));
}

class Comparison {
  readonly #layer: Layer;
  readonly #cacheDir: string;
  /** Not compared: nothing is said of them. */
  readonly #settled: ReadonlySet<string>;
  readonly #changes: Change[] = [];
  /** Directories of the layer that lie over one of the workspace: each may hide it. */
  readonly #merged: Found[] = [];
  readonly #added: Found[] = [];
  /** Files of the workspace that the session took out of sight; nothing for one that is gone there as well. */
  readonly #hidden: (BigIntStats | undefined)[] = [];
  readonly #over: (Found & { readonly lower: BigIntStats })[] = [];
  /** Files of the layer that are in the workspace just so. */
  readonly same: string[] = [];
  readonly #executables: string[] = [];

  constructor(layer: Layer, cacheDir: string, settled: ReadonlySet<string>) {
    this.#layer = layer;
    this.#cacheDir = cacheDir;
    this.#settled = settled;
  }

  changes(): Change[] {
    this.#descend('', namesIn(this.#layer.upper));
    this.#opaqueDirectories();
    this.#removedMeanwhile();
    this.#capabilities();
    return this.#changes.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  }

  #upper = (file: string): string => path.join(this.#layer.upper, file);
  #lower = (file: string): string => path.join(this.#layer.manifest.workspace, file);

  #descend(directory: string, names: readonly Name[]): void {
    for (const { name, bytes } of names) {
      const file = path.join(directory, name);
      if (!bytes.equals(Buffer.from(name))) {
        this.#add(file, 'added', { node: 'other', class: 'forbidden', why: 'its name is not valid UTF-8' });
        continue;
      }
      const found = this.#find(file);
      if (!found) continue;
      const { upper, lower } = found;
      if (upper.isCharacterDevice() && upper.rdev === 0n) this.#deleted(file, lower);
      else if (upper.isDirectory()) this.#directory(found);
      else this.#leaf(found);
    }
  }

  /** What cannot be looked at, in the layer or in its place in the workspace, is one change, whatever lies below. */
  #find(file: string): Found | undefined {
    try {
      return { path: file, upper: lstatSync(this.#upper(file), { bigint: true }), lower: this.#lowerOf(file) };
    } catch (fault) {
      this.#add(file, 'added', { node: 'other', class: 'forbidden', why: whyUnseen(fault) });
      return undefined;
    }
  }

  #directory(found: Found): void {
    const { path: file, upper, lower } = found;
    if ((upper.mode & 0o400n) === 0n || (upper.mode & 0o100n) === 0n) {
      this.#add(file, 'added', { node: 'directory', class: 'forbidden', why: 'a directory that its owner cannot read' });
      return;
    }
    let names: Name[];
    try {
      names = namesIn(this.#upper(file));
    } catch (fault) {
      this.#add(file, 'added', { node: 'directory', class: 'forbidden', why: whyUnseen(fault) });
      return;
    }
    if (lower?.isDirectory()) {
      this.#merged.push(found);
      if ((upper.mode & 0o777n) !== (lower.mode & 0o777n)) this.#add(file, 'mode', { node: 'directory', ...this.#judge(found) }, lower);
    } else {
      if (lower) this.#deleted(file, lower);
      // A directory with something in it comes with that; an empty one is a change of its own.
      if (names.length === 0) this.#add(file, 'added', { node: 'directory', ...this.#judge(found) });
    }
    this.#descend(file, names);
  }

  #leaf(found: Found): void {
    const { path: file, upper, lower } = found;
    const node = upper.isFile() ? 'file' : upper.isSymbolicLink() ? 'symlink' : 'other';
    const isRead = node !== 'file' || isReadable(this.#upper(file));
    const judged = {
      node,
      bytes: node === 'file' ? upper.size : 0n,
      ...this.#judge(found),
      ...(isRead ? {} : { conflict: 'it cannot be read' }),
    } as const;
    if (node === 'file' && (upper.mode & 0o111n) !== 0n) this.#executables.push(file);
    if (!lower) {
      this.#added.push(found);
      this.#add(file, 'added', judged);
      return;
    }
    if (lower.isFile()) this.#over.push({ ...found, lower });
    if (lower.isDirectory()) {
      this.#deletedBelow(file);
      this.#add(file, 'modified', judged, lower);
    } else if (!this.#settled.has(file) && !(isRead && this.#isSameContent(found, node))) this.#add(file, 'modified', judged, lower);
    else if (node === 'file' && (upper.mode & 0o7777n) !== (lower.mode & 0o7777n)) this.#add(file, 'mode', judged, lower);
    else if (!this.#settled.has(file)) this.same.push(file);
  }

  #deleted(file: string, lower: BigIntStats | undefined): void {
    if (!lower || lower.isFile()) this.#hidden.push(lower);
    if (!lower) return;
    if (lower.isDirectory()) this.#deletedBelow(file);
    const node = lower.isDirectory() ? 'directory' : lower.isSymbolicLink() ? 'symlink' : 'file';
    this.#add(file, 'deleted', { node, ...sensitive(file) }, lower);
  }

  /** What of the workspace cannot be looked at is not spoken of; it keeps its directory from being removed. */
  #deletedBelow(directory: string, kept: ReadonlySet<string> = new Set()): void {
    const names = orUndefined(() => namesIn(this.#lower(directory))) ?? [];
    for (const { name } of names) {
      if (kept.has(name)) continue;
      const file = path.join(directory, name);
      const lower = orUndefined(() => this.#lowerOf(file));
      if (lower) this.#deleted(file, lower);
    }
  }

  /**
   * A directory that was removed and made again hides what the workspace has in it, and so does everything made below it since: the
   * kernel marks only the topmost.
   */
  #opaqueDirectories(): void {
    const opaque = withAttribute(
      this.#merged.map((found) => this.#upper(found.path)),
      opaqueAttribute,
      this.#cacheDir,
      'has not',
    );
    const hiding = new Set<string>();
    // A directory stands in the list before those below it.
    for (const { path: directory } of this.#merged) {
      if (!opaque.has(this.#upper(directory)) && !hiding.has(path.dirname(directory))) continue;
      hiding.add(directory);
      this.#deletedBelow(directory, new Set(namesIn(this.#upper(directory)).map(({ name }) => name)));
    }
  }

  /**
   * A file that is in the layer only was made or named in the session, or copied from a file that the workspace has lost since. Only
   * where a directory of the workspace changed meanwhile can it be the last; there the kernel's own mark of a copy decides.
   */
  #removedMeanwhile(): void {
    // One of its names was there when it was last looked at: the others are new ones.
    const known = new Set(this.#added.filter(({ path: file }) => this.#settled.has(file)).map(({ upper }) => upper.ino));
    const copies = this.#copiesAmong(
      this.#added.filter(({ path: file, upper }) => upper.isFile() && !known.has(upper.ino) && this.#changedAbove(file)),
    );
    if (copies.length === 0) return;
    const own = new Set(this.#copiesAmong(this.#over));
    // What lies over a file without being its copy, or with other names, has replaced it.
    const replaced = this.#over.filter((found) => !own.has(found) || found.upper.nlink > 1n).map(({ lower }) => lower);
    const lost = lostSince(copies, { hidden: [...this.#hidden, ...replaced], over: this.#over });
    const paths = new Set(lost.map((copy) => copy.path));
    this.#amend(
      (change) => change.change === 'added' && paths.has(change.path),
      (change) => ({ ...change, change: 'modified', conflict: 'it was removed from the workspace after the session began' }),
    );
  }

  #copiesAmong<File extends Found>(files: readonly File[]): File[] {
    const paths = files.map((found) => this.#upper(found.path));
    const marked = withAttribute(paths, originAttribute, this.#cacheDir, 'has not');
    return files.filter((found) => marked.has(this.#upper(found.path)));
  }

  #capabilities(): void {
    const capable = withAttribute(
      this.#executables.map((file) => this.#upper(file)),
      capabilityAttribute,
      this.#cacheDir,
      'has',
    );
    this.#amend(
      (change) => capable.has(this.#upper(change.path)),
      (change) => ({ ...change, class: 'forbidden', why: 'it carries file capabilities' }),
    );
  }

  #amend(which: (change: Change) => boolean, how: (change: Change) => Change): void {
    this.#changes.forEach((change, i) => {
      if (which(change)) this.#changes[i] = how(change);
    });
  }

  #changedAbove(file: string): boolean {
    for (let at = path.dirname(file); ; at = path.dirname(at)) {
      const stat = orUndefined(() => this.#lowerOf(at));
      if (stat) return stat.ctimeNs >= this.#layer.beganNs;
      if (at === '.') return true;
    }
  }

  #isSameContent({ path: file, upper, lower }: Found, node: Change['node']): boolean {
    if (node === 'symlink') return lower?.isSymbolicLink() === true && readlinkSync(this.#upper(file)) === readlinkSync(this.#lower(file));
    if (node !== 'file' || !lower?.isFile() || lower.size !== upper.size) return false;
    return orUndefined(() => sameBytes(this.#upper(file), this.#lower(file))) ?? false;
  }

  #judge(found: Found): { class: ChangeClass; why: string } {
    const why = forbiddenReason(found.path, found.upper, { workspace: this.#layer.manifest.workspace, targetOf: this.#targetOf });
    return why === undefined ? sensitive(found.path, this.#isInOpenRepository(found.path)) : { class: 'forbidden', why };
  }

  /** As it would be after `apply`: the layer's nodes first, then the workspace's. */
  #targetOf = (file: string): string | undefined => {
    const upper = this.#upperOf(file);
    return (upper ?? this.#lowerOf(file))?.isSymbolicLink() ? readlinkSync(upper ? this.#upper(file) : this.#lower(file)) : undefined;
  };

  #isInOpenRepository(file: string): boolean {
    const lowerOf = (place: string): BigIntStats | undefined => orUndefined(() => this.#lowerOf(place));
    return isInOpenRepository(file, {
      isThere: (place) => (orUndefined(() => this.#upperOf(place)) ?? lowerOf(place)) !== undefined,
      wasThere: (place) => lowerOf(place) !== undefined,
    });
  }

  #add(
    file: string,
    change: Change['change'],
    about: { node: Change['node']; class: ChangeClass; why: string; bytes?: bigint; conflict?: string },
    lower?: BigIntStats,
  ): void {
    const isChanged = lower !== undefined && lower.ctimeNs >= this.#layer.beganNs && !(change === 'deleted' && lower.isDirectory());
    const conflict = isChanged ? 'it changed in the workspace after the session began' : about.conflict;
    this.#changes.push({
      path: file,
      change,
      class: about.class,
      why: about.why,
      bytes: Number(about.bytes ?? 0n),
      node: about.node,
      ...(conflict === undefined ? {} : { conflict }),
    });
  }

  #upperOf(file: string): BigIntStats | undefined {
    const stat = lstatSync(this.#upper(file), { bigint: true, throwIfNoEntry: false });
    return stat?.isCharacterDevice() && stat.rdev === 0n ? undefined : stat;
  }

  /** INVARIANT: a directory of the workspace that is a link is not followed; nothing is compared with, or later written to, what lies outside. */
  #lowerOf(file: string): BigIntStats | undefined {
    if (file !== '.' && path.dirname(file) !== '.' && !this.#lowerOf(path.dirname(file))?.isDirectory()) return undefined;
    return lstatSync(this.#lower(file), { bigint: true, throwIfNoEntry: false });
  }
}

function sensitive(file: string, isInRepository = false): { class: ChangeClass; why: string } {
  const why = sensitiveReason(file) ?? (isInRepository ? 'part of a git repository that lies open in a directory' : undefined);
  return why === undefined ? { class: 'code', why: '' } : { class: 'sensitive', why };
}

interface Name {
  readonly name: string;
  readonly bytes: Buffer;
}

function namesIn(directory: string): Name[] {
  return readdirSync(directory, { encoding: 'buffer' }).map((bytes) => ({ name: bytes.toString(), bytes }));
}

function isReadable(file: string): boolean {
  return orUndefined(() => accessSync(file, constants.R_OK) === undefined) ?? false;
}

function orUndefined<Value>(look: () => Value): Value | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}

function whyUnseen(fault: unknown): string {
  const isTooLong = fault instanceof Error && 'code' in fault && fault.code === 'ENAMETOOLONG';
  return isTooLong ? 'its path is too long' : `it cannot be looked at: ${whyNot(fault)}`;
}
