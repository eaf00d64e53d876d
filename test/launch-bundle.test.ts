// A launch loads little (docs/decisions/0004), and which files the bundler makes of it follows from imports far away: so it is looked at what
// came of them.
import fs from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';

const entry = path.resolve('dist/launch.js');

/** With all that it imports before it begins. */
function loadedBy(file: string, seen = new Set<string>()): ReadonlySet<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const [, name = ''] of fs.readFileSync(file, 'utf8').matchAll(/^import\b.*?from "(\.[^"]+)";$/gm))
    loadedBy(path.resolve(path.dirname(file), name), seen);
  return seen;
}

it('a launch begins with few files, and without what Node loads slowly', () => {
  const files = [...loadedBy(entry)];
  const code = files.map((file) => fs.readFileSync(file, 'utf8')).join('\n');
  expect(files.map((file) => path.basename(file).replace(/-.*/, ''))).toContain('error');
  expect(files.length).toBeLessThanOrEqual(4);
  const atOnce = [...code.matchAll(/^const \S+ = process\.getBuiltinModule\("([^"]+)"\);$/gm)].map(([, name]) => name);
  const cheap = ['child_process', 'dgram', 'fs', 'net', 'os', 'path', 'stream', 'tty', 'util'].map((name) => `node:${name}`);
  expect([...new Set(atOnce)].toSorted()).toEqual(cheap);
});
