// A mount needs something to be mounted on. What a workspace lacks is made empty, recorded first, and removed again if it is still empty.
// Several sessions may need the same: each records what it needs, and the last one removes it. INVARIANT: they look, make, record and
// remove one at a time, or one would remove what another has just found.
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { alone } from './alone.ts';
import { depthOf } from './mount.ts';
import { pinnedPaths } from './sensitive.ts';

export interface Missing {
  readonly path: string;
  readonly isDirectory: boolean;
}

export class Placeholders {
  readonly #workspace: string;
  readonly #directory: string;
  readonly #journal: string;
  #paths: string[] = [];
  madeAtNs = 0n;

  constructor(workspace: string, cacheDir: string) {
    this.#workspace = workspace;
    this.#directory = path.join(
      cacheDir,
      'placeholders',
      process.getBuiltinModule('node:crypto').hash('sha256', workspace, 'hex').slice(0, 16),
    );
    this.#journal = path.join(this.#directory, `${process.pid}-${process.hrtime.bigint()}.json`);
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
  }

  /** To look what is missing and make it: no other session of the workspace makes or removes anything meanwhile. */
  alone<Result>(act: () => Result): Result {
    return alone(`${this.#directory}.lock`, () => {
      if (this.#others().length === 0) this.#sweep();
      return act();
    });
  }

  make(missing: readonly Missing[]): void {
    const files = missing.map((one) => one.path);
    const directories = [...files.flatMap((file) => parentsOf(file)), ...missing.filter((one) => one.isDirectory).map((one) => one.path)];
    const absent = [...new Set(directories)].filter((dir) => !existsSync(path.join(this.#workspace, dir)));
    // What another session made is needed as long as this one runs, too.
    const inherited = this.#others().flatMap((other) => pathsOf(other));
    this.#paths = [...new Set([...inherited, ...absent, ...files])];
    writeFileSync(this.#journal, JSON.stringify(this.#paths), { mode: 0o600, flush: true });
    this.madeAtNs = statSync(this.#journal, { bigint: true }).ctimeNs;
    for (const dir of absent.sort((a, b) => depthOf(a) - depthOf(b))) mkdirSync(path.join(this.#workspace, dir));
    for (const { path: file, isDirectory } of missing) {
      if (!isDirectory) writeFileSync(path.join(this.#workspace, file), contentOf(file), { flag: 'wx' });
    }
  }

  /** Those of them that are files, whoever made them. */
  files(): string[] {
    return this.#paths.filter((file) => lstatSync(path.join(this.#workspace, file), { throwIfNoEntry: false })?.isFile());
  }

  /** In `alone`. INVARIANT: nothing that another session has mounted something on is removed: its protection would vanish with it. */
  release(): void {
    rmSync(this.#journal, { force: true });
    if (this.#others().length === 0) removeEmpty(this.#workspace, this.#paths);
  }

  /**
   * Names that a look at the workspace found, without what other sessions have put up to be mounted on, or had until just now: it is
   * nobody's work.
   */
  without(names: ReadonlySet<string>): ReadonlySet<string> {
    const others = new Set(this.#others().flatMap((other) => pathsOf(other)));
    const emptied = new Set<string>();
    for (const file of [...others].sort((a, b) => depthOf(b) - depthOf(a))) {
      if (isEmpty(path.join(this.#workspace, file), (name) => emptied.has(path.join(file, name)))) emptied.add(file);
    }
    const isGone = (file: string): boolean => isUsual(file) && !lstatSync(path.join(this.#workspace, file), { throwIfNoEntry: false });
    return new Set([...names].filter((file) => !emptied.has(file) && !isGone(file)));
  }

  /** Journals of sessions in this workspace that still run. */
  #others(): string[] {
    return readdirSync(this.#directory)
      .map((name) => path.join(this.#directory, name))
      .filter((file) => file !== this.#journal && existsSync(`/proc/${path.basename(file).split('-')[0]}`));
  }

  /** Removes what sessions that were killed have left. */
  #sweep(): void {
    for (const name of readdirSync(this.#directory)) {
      const file = path.join(this.#directory, name);
      if (file === this.#journal) continue;
      removeEmpty(this.#workspace, pathsOf(file));
      rmSync(file, { force: true });
    }
  }
}

const pinned = pinnedPaths().map((one) => one.path);
const usual: ReadonlySet<string> = new Set([...pinned, ...pinned.flatMap(parentsOf)]);

/** It may be a placeholder, by its name. */
const isUsual = (file: string): boolean => usual.has(file) || /(?:^|\/)\.git\/(?:.*\/)?(?:hooks|config)$/.test(file);

/** A reader of JSON is not to stumble over an empty file. */
const contentOf = (file: string): string => (/\.jsonc?$/.test(file) ? '{}\n' : '');

function parentsOf(file: string): string[] {
  const parents: string[] = [];
  for (let up = path.dirname(file); up !== '.'; up = path.dirname(up)) parents.push(up);
  return parents;
}

/** As it was made; of a directory, but for those names in it. */
function isEmpty(at: string, isPassedOver: (name: string) => boolean = () => false): boolean {
  try {
    const stat = lstatSync(at);
    if (stat.isDirectory()) return readdirSync(at).every(isPassedOver);
    return stat.isFile() && stat.size <= contentOf(at).length && readFileSync(at, 'utf8') === contentOf(at);
  } catch {
    return false;
  }
}

function removeEmpty(workspace: string, paths: readonly string[]): void {
  for (const file of [...paths].sort((a, b) => depthOf(b) - depthOf(a))) {
    const at = path.join(workspace, file);
    if (!isEmpty(at)) continue;
    try {
      if (lstatSync(at).isDirectory()) rmdirSync(at);
      else rmSync(at);
    } catch {
      // Not empty any more: somebody has put something there, which is theirs.
    }
  }
}

function pathsOf(journal: string): string[] {
  try {
    const value: unknown = JSON.parse(readFileSync(journal, 'utf8'));
    return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
  } catch {
    return [];
  }
}
