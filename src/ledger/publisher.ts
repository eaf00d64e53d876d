// Publishing: the tiles of the edge, then the checkpoint that names them, as files that anybody can serve and verify.
import path from 'node:path';
import type { Disk } from './disk.ts';
import type { Edge } from './edge.ts';

/** Of the writer alone: lock, journal, and the checkpoint before it gets its name. */
export const privateDirectory = '.state';

export class Publisher {
  readonly #dir: string;
  readonly #disk: Disk;
  readonly #knownDirectories = new Set<string>();

  constructor(dir: string, disk: Disk) {
    this.#dir = dir;
    this.#disk = disk;
  }

  /** @param note signs the present size and root of the edge */
  async publish(edge: Edge, note: string): Promise<void> {
    const { files, superseded } = edge.take();
    const directories = new Set(files.map((file) => path.dirname(this.#file(file.path))));
    for (const directory of directories) {
      if (this.#knownDirectories.has(directory)) continue;
      await this.#disk.makeDirectory(directory);
      this.#knownDirectories.add(directory);
    }
    const unfinished = this.#file(path.join(privateDirectory, 'checkpoint'));
    // INVARIANT: every tile of the edge is durable before the checkpoint that names it can be seen.
    await settle([
      ...files.map((file) => this.#disk.write(this.#file(file.path), file.bytes)),
      this.#disk.write(unfinished, Buffer.from(note)),
    ]);
    await settle([...directories].map((directory) => this.#disk.syncDirectory(directory)));
    await this.#disk.rename(unfinished, this.#file('checkpoint'));
    await this.#disk.syncDirectory(this.#dir);
    await this.#tidy(superseded);
  }

  /** Partial tiles that a full one has replaced. */
  async #tidy(superseded: readonly string[]): Promise<void> {
    try {
      for (const directory of superseded) {
        await this.#disk.remove(this.#file(directory));
        this.#knownDirectories.delete(this.#file(directory));
      }
    } catch {
      // The specification allows a partial tile to stay.
    }
  }

  #file(name: string): string {
    return path.join(this.#dir, name);
  }
}

/** Waits for all, then throws the first failure: no write is still under way when a publication is given up. */
async function settle(steps: readonly Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(steps)) if (result.status === 'rejected') throw result.reason;
}
