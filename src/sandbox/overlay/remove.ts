// Removes what an overlay leaves on disk. The kernel's work directory has mode 000, which keeps even its owner from emptying it. Inside,
// a program can go down further than a path can name from here: what lies that deep is moved to the top first. Names are bytes.
import { chmodSync, type Dirent, lstatSync, mkdtempSync, readdirSync, renameSync, rmdirSync, unlinkSync } from 'node:fs';

/** Far enough below the longest path that a name more still fits. */
const maxBelow = 1024;
const slash = Buffer.from('/');

/** @param directory holds `upper` and `work`, or contains them somewhere below */
export function removeOverlay(directory: string): void {
  const stat = lstatSync(directory, { throwIfNoEntry: false });
  if (!stat) return;
  if (stat.isDirectory()) new Removal(directory).run();
  else unlinkSync(directory);
}

class Removal {
  readonly #top: string;
  /** Directories that were moved to the top. */
  readonly #moved: Buffer[] = [];

  constructor(top: string) {
    this.#top = top;
  }

  run(): void {
    this.#empty(Buffer.from(this.#top));
    for (let next = this.#moved.pop(); next; next = this.#moved.pop()) this.#remove(next);
    ignoreGone(() => rmdirSync(this.#top));
  }

  #remove(directory: Buffer): void {
    this.#empty(directory);
    ignoreGone(() => rmdirSync(directory));
  }

  #empty(directory: Buffer): void {
    for (const entry of entriesOf(directory)) {
      const at = Buffer.concat([directory, slash, entry.name]);
      if (!entry.isDirectory()) ignoreGone(() => unlinkSync(at));
      else if (at.length - Buffer.byteLength(this.#top) > maxBelow) this.#moveUp(at);
      else this.#remove(at);
    }
  }

  /** Onto an empty directory of our own, so that no name in the layer can be in the way. */
  #moveUp(directory: Buffer): void {
    const place = Buffer.from(mkdtempSync(`${this.#top}/deep-`));
    // A directory that changes its place has its `..` written.
    open(directory);
    ignoreGone(() => renameSync(directory, place));
    this.#moved.push(place);
  }
}

function entriesOf(directory: Buffer): Dirent<Buffer>[] {
  let entries: Dirent<Buffer>[] = [];
  open(directory);
  ignoreGone(() => {
    entries = readdirSync(directory, { withFileTypes: true, encoding: 'buffer' });
  });
  return entries;
}

/** What is not ours to change may be open enough as it is. */
function open(directory: Buffer): void {
  try {
    chmodSync(directory, 0o700);
  } catch {
    // Whoever reads it next will say why it does not go.
  }
}

function ignoreGone(act: () => void): void {
  try {
    act();
  } catch (fault) {
    if (!(fault instanceof Error && 'code' in fault && fault.code === 'ENOENT')) throw fault;
  }
}
