// The file reader of the audit: read-only, bounded, and unable to leave its root. Everything that looks at the disk goes through it, so
// that `--root` and `--home` work and a test can hand in any tree. It opens nothing but regular files and never blocks on a FIFO.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

export interface EntryStat {
  readonly kind: 'file' | 'directory' | 'link' | 'other';
  readonly mode: number;
  /** 0 for whom the root belongs to. */
  readonly uid: number;
  readonly size: number;
  readonly modifiedMs: number;
}

export type ReadFault = 'unreadable' | 'too-large' | 'not-a-file' | 'changed' | 'loop' | 'outside';
export type ReadOutcome =
  | { readonly bytes: Buffer; readonly fault?: undefined }
  | { readonly bytes?: undefined; readonly fault: ReadFault | 'missing' };

/** As `fs.Dirent` has it, so that a walk over a large home makes no objects of its own. */
export interface DirectoryEntry {
  readonly name: string;
  isFile(): boolean;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
}

/** All paths are absolute paths inside the tree; with a root of `/mnt/image` the path `/etc/passwd` is `/mnt/image/etc/passwd` on disk. */
export interface Tree {
  list(dir: string): readonly DirectoryEntry[] | 'missing' | 'unreadable';
  /** Of the entry itself, links not followed. */
  stat(file: string): EntryStat | undefined;
  /** The path with all links resolved inside the tree; `undefined` when missing, looping or outside. */
  resolve(file: string): string | undefined;
  read(file: string, limit: number): ReadOutcome;
  /** SHA-256 (hex) of a regular file up to `limit` bytes, and which of the texts occur in it. */
  examine(
    file: string,
    limit: number,
    texts: readonly string[],
  ): { readonly sha256: string; readonly found: readonly string[] } | undefined;
}

const maximumLinks = 40;

export function diskTree(root = '/'): Tree {
  const base = realOr(path.resolve(root)).replace(/^\/$/, '');
  /** `/a/../b` and `//` cannot lead above the root. */
  const onDisk = (inside: string): string =>
    /^\/(?!\/)/.test(inside) && !/\/(\.{1,2}(\/|$)|\/)/.test(inside) ? base + inside : base + path.posix.normalize(`/${inside}`);
  /** Whom another root belongs to is its root: an image that an ordinary user has unpacked is all that user's. */
  const administrator = base === '' ? 0 : fs.statSync(base, { throwIfNoEntry: false })?.uid;
  const directories = new Map<string, string | undefined>();

  const directory = (dir: string): string | undefined => {
    if (!directories.has(dir)) directories.set(dir, resolveAll(dir));
    return directories.get(dir);
  };

  /** Where the system finds it: it would follow an absolute link on the way out of another root. The last component may be a link. */
  const within = (inside: string): string | undefined => {
    const at = path.posix.normalize(`/${inside}`);
    const cut = at.lastIndexOf('/');
    if (base === '' || cut <= 0) return onDisk(inside);
    const real = directory(at.slice(0, cut));
    return real === undefined ? undefined : onDisk(`${real === '/' ? '' : real}${at.slice(cut)}`);
  };

  /** Directories are resolved once; the last component is looked at each time. */
  const resolve = (inside: string): string | undefined => {
    const normal = path.posix.normalize(`/${inside}`);
    const cut = normal.lastIndexOf('/');
    if (cut <= 0) return resolveAll(normal);
    const dir = normal.slice(0, cut);
    const real = directory(dir);
    return real === undefined
      ? undefined
      : resolveAll(`${real === '/' ? '' : real}/${normal.slice(cut + 1)}`, real === '/' ? [] : real.slice(1).split('/'));
  };

  /** Component by component, so that an absolute link stays below the root. @param known components that are resolved already */
  const resolveAll = (inside: string, known: readonly string[] = []): string | undefined => {
    let links = 0;
    let pending = path.posix.normalize(`/${inside}`).split('/').filter(Boolean).slice(known.length);
    let done = [...known];
    while (pending.length > 0) {
      const [name = '', ...rest] = pending;
      pending = rest;
      if (name === '.') continue;
      if (name === '..') {
        done.pop();
        continue;
      }
      const here = `/${[...done, name].join('/')}`;
      let target: string | undefined;
      try {
        const stat = fs.lstatSync(base + here, { throwIfNoEntry: false });
        if (stat === undefined) return undefined;
        if (stat.isSymbolicLink()) target = fs.readlinkSync(base + here);
      } catch {
        return undefined;
      }
      if (target === undefined) {
        done.push(name);
        continue;
      }
      if (++links > maximumLinks) return undefined;
      if (target.startsWith('/')) done = [];
      pending = [...target.split('/').filter(Boolean), ...pending];
    }
    return `/${done.join('/')}`;
  };

  const open = <T>(inside: string, use: (fd: number, stat: fs.Stats) => T): T | ReadFault | 'missing' => {
    const real = resolve(inside);
    if (real === undefined) return whyUnresolved(onDisk(inside));
    let fd: number;
    try {
      // O_NONBLOCK: a FIFO that replaced the file between the two calls must not hold us.
      fd = fs.openSync(onDisk(real), fs.constants.O_RDONLY | (fs.constants.O_NOFOLLOW ?? 0) | (fs.constants.O_NONBLOCK ?? 0));
    } catch (fault) {
      return code(fault) === 'ENOENT' ? 'missing' : code(fault) === 'ELOOP' ? 'changed' : 'unreadable';
    }
    try {
      const stat = fs.fstatSync(fd);
      if (!stat.isFile()) return 'not-a-file';
      if (base !== '' && process.platform === 'linux' && fs.readlinkSync(`/proc/self/fd/${fd}`) !== onDisk(real)) return 'changed';
      const outcome = use(fd, stat);
      const after = fs.fstatSync(fd);
      return after.mtimeMs === stat.mtimeMs && after.size === stat.size ? outcome : 'changed';
    } catch {
      return 'unreadable';
    } finally {
      fs.closeSync(fd);
    }
  };

  return {
    resolve,
    list(dir) {
      try {
        const real = base === '' ? dir : resolve(dir);
        return real === undefined ? 'missing' : fs.readdirSync(onDisk(real), { withFileTypes: true });
      } catch (fault) {
        return code(fault) === 'ENOENT' || code(fault) === 'ENOTDIR' ? 'missing' : 'unreadable';
      }
    },
    stat(file) {
      try {
        const at = within(file);
        const stat = at === undefined ? undefined : fs.lstatSync(at, { throwIfNoEntry: false });
        return (
          stat && {
            kind: kindOf(stat),
            mode: stat.mode & 0o7777,
            uid: stat.uid === administrator ? 0 : stat.uid,
            size: stat.size,
            modifiedMs: stat.mtimeMs,
          }
        );
      } catch {
        return undefined;
      }
    },
    read(file, limit) {
      // A file that is being rewritten is read once more before it counts as changed.
      for (let attempt = 0; ; attempt++) {
        const outcome = open(file, (fd, stat) => {
          if (stat.size > limit) return 'too-large';
          // Not by its size alone: files in /proc say zero.
          let bytes = Buffer.alloc(stat.size + 1);
          let filled = 0;
          for (;;) {
            const count = fs.readSync(fd, bytes, filled, bytes.length - filled, filled);
            filled += count;
            if (count === 0) break;
            if (filled > limit) return 'too-large';
            if (filled === bytes.length) bytes = Buffer.concat([bytes, Buffer.alloc(Math.max(4096, bytes.length))]);
          }
          return bytes.subarray(0, filled);
        });
        if (typeof outcome !== 'string') return { bytes: outcome };
        if (outcome !== 'changed' || attempt > 0) return { fault: outcome };
      }
    },
    examine(file, limit, texts) {
      const needles = texts.map((text) => ({ text, bytes: Buffer.from(text) }));
      const overlap = Math.max(0, ...needles.map(({ bytes }) => bytes.length - 1));
      const outcome = open(file, (fd, stat) => {
        if (stat.size > limit) return 'too-large';
        const digest = createHash('sha256');
        const found = new Set<string>();
        const chunk = Buffer.alloc((1 << 20) + overlap);
        let kept = 0;
        for (let count = fs.readSync(fd, chunk, kept, 1 << 20, null); count > 0; count = fs.readSync(fd, chunk, kept, 1 << 20, null)) {
          digest.update(chunk.subarray(kept, kept + count));
          const filled = chunk.subarray(0, kept + count);
          for (const { text, bytes } of needles) if (!found.has(text) && filled.includes(bytes)) found.add(text);
          kept = Math.min(overlap, filled.length);
          filled.copy(chunk, 0, filled.length - kept);
        }
        return { sha256: digest.digest('hex'), found: [...found] };
      });
      return typeof outcome === 'string' ? undefined : outcome;
    },
  };
}

/** Of a path that leads to nothing: nothing is there, or a link that leads nowhere, or its directory is no directory or closed to us. */
function whyUnresolved(file: string): ReadFault | 'missing' {
  try {
    return fs.lstatSync(file, { throwIfNoEntry: false }) === undefined ? 'missing' : 'loop';
  } catch (fault) {
    return code(fault) === 'ENOTDIR' ? 'missing' : code(fault) === 'ELOOP' ? 'loop' : 'unreadable';
  }
}

function kindOf(entry: fs.Stats): EntryStat['kind'] {
  if (entry.isFile()) return 'file';
  if (entry.isDirectory()) return 'directory';
  return entry.isSymbolicLink() ? 'link' : 'other';
}

function code(fault: unknown): string | undefined {
  return fault instanceof Error && 'code' in fault && typeof fault.code === 'string' ? fault.code : undefined;
}

function realOr(root: string): string {
  try {
    return fs.realpathSync(root);
  } catch {
    return root;
  }
}
