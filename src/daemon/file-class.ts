// How sensitive a file is by where it lies: by the rules of the configuration, by the remotes of the repository it is in, and by the
// repositories whose source was indexed.
import fs from 'node:fs/promises';
import path from 'node:path';
import { type Config, classificationOf, readRepository } from '../config/index.ts';
import { type Classification, highestClassification } from '../core/index.ts';
import { fingerprintStore, type RepositoryEntry } from '../inspect/index.ts';
import type { FileClasses } from '../monitor/index.ts';
import { lookEveryMs, stampOf } from './inspection.ts';

type Indexed = Pick<RepositoryEntry, 'path' | 'classification' | 'parts'>;

/** For each configuration, with the repositories that are indexed now. */
export function fileClassesFor(fingerprints: string, home: string): (config: Config) => FileClasses {
  const store = fingerprintStore(fingerprints);
  const made = new WeakMap<Config, { readonly stamp: string; readonly classes: FileClasses }>();
  const file = path.join(fingerprints, 'repositories.json');
  let stamp = '';
  let lookedAt = Number.NEGATIVE_INFINITY;
  return (config) => {
    if (performance.now() - lookedAt >= lookEveryMs) {
      lookedAt = performance.now();
      stamp = stampOf(file);
    }
    const before = made.get(config);
    if (before?.stamp === stamp) return before.classes;
    const classes = createFileClasses(config, store.list(), home);
    made.set(config, { stamp, classes });
    return classes;
  };
}

/** Answers that are kept. */
const MOST_KEPT = 20_000;

export function createFileClasses(config: Config, indexed: readonly Indexed[], home: string): FileClasses {
  const known = new Map<string, Promise<Classification | undefined>>();
  const said = [...config.repositories, ...indexed.flatMap((entry) => [entry, ...entry.parts])].map(({ classification }) => classification);
  return {
    highest: said.reduce<Classification>((highest, next) => highestClassification(highest, next), 'public'),
    async of(name, base) {
      const file = absolute(name, base, home);
      if (file === undefined) return undefined;
      const before = known.get(file);
      if (before) return await before;
      const isWithin = base !== undefined && file.startsWith(`${base}${path.sep}`);
      const found = isWithin ? classWithin(file, indexed) : classOfFile(file, config, indexed);
      if (known.size >= MOST_KEPT) known.clear();
      known.set(file, found);
      return await found;
    },
  };
}

function absolute(name: string, base: string | undefined, home: string): string | undefined {
  if (name.includes('\0')) return undefined;
  if (name === '~' || name.startsWith('~/')) return path.join(home, name.slice(1));
  if (path.isAbsolute(name)) return path.resolve(name);
  return base === undefined ? undefined : path.resolve(base, name);
}

/** Of a file of the workspace, whose own class the session has already. A word that is no file there names none. */
async function classWithin(file: string, indexed: readonly Indexed[]): Promise<Classification | undefined> {
  const classes = indexed.flatMap((entry) => indexedClass(file, entry) ?? []);
  if (classes.length === 0) return undefined;
  const isFile = (await fs.stat(file).catch(() => undefined))?.isFile() === true;
  return isFile ? classes.reduce((a, b) => highestClassification(a, b)) : undefined;
}

async function classOfFile(file: string, config: Config, indexed: readonly Indexed[]): Promise<Classification | undefined> {
  const real = await fs.realpath(file).catch(() => file);
  const found = [file, real].flatMap((at) => indexed.flatMap((entry) => indexedClass(at, entry) ?? []));
  const { remotes } = await readRepository(real).catch(() => ({ remotes: [] }));
  // Asked as something below, so that a rule about a place in it does not count: naming a directory is not reading all of it.
  const paths = [file, real].map((at) => path.join(at, '_'));
  const matches = (match: string) =>
    classificationOf({ ...config, repositories: [{ match, classification: 'restricted' }] }, { paths, remotes }) === 'restricted';
  found.push(...config.repositories.filter(({ match }) => matches(match)).map(({ classification }) => classification));
  return found.length === 0 ? undefined : found.reduce((a, b) => highestClassification(a, b));
}

/** The class of a repository that the file lies in, or of the part of it. */
export function indexedClass(file: string, { path: root, classification, parts }: Indexed): Classification | undefined {
  if (root === '') return undefined;
  const inside = path.relative(root, file);
  if (inside.startsWith('..') || path.isAbsolute(inside)) return undefined;
  const name = inside.split(path.sep).join('/');
  return parts.find(({ prefix }) => name.startsWith(prefix))?.classification ?? classification;
}
