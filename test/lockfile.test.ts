// `npm ci` refuses a lockfile that lacks an optional platform package which its parent names; npm leaves such packages out silently
// where a registry does not have them. And a lockfile that names a registry would work in one place only.
import fs from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';

interface Lockfile {
  readonly packages: Readonly<
    Record<string, { optionalDependencies?: Record<string, string>; resolved?: string; integrity?: string; link?: boolean }>
  >;
}

const text = fs.readFileSync(path.resolve(import.meta.dirname, '..', 'package-lock.json'), 'utf8');
const { packages } = JSON.parse(text) as Lockfile;

it('holds every optional package that a package in it names', () => {
  const missing = Object.entries(packages).flatMap(([at, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies)
      .filter((name) => !isThere(at, name))
      .map((name) => `${at} → ${name}`),
  );
  expect(missing).toEqual([]);
});

it('names no registry, and has a hash for everything that is fetched', () => {
  expect(Object.values(packages).filter(({ resolved }) => resolved !== undefined)).toEqual([]);
  expect(Object.entries(packages).filter(([at, { integrity }]) => at !== '' && integrity === undefined)).toEqual([]);
});

/** Node's own search: in the package's node_modules, then in those above it. */
function isThere(at: string, name: string): boolean {
  for (let dir = at; ; dir = dir.slice(0, Math.max(0, dir.lastIndexOf('node_modules/') - 1))) {
    if (packages[`${dir === '' ? '' : `${dir}/`}node_modules/${name}`]) return true;
    if (dir === '') return false;
  }
}
