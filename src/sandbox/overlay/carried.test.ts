// Sessions that renamed files, as they end: a rename is two changes, and `apply` never does the one half without the other.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createSessions, listing, missing } from '../testdata/layers.ts';
import { applyChanges } from './apply.ts';
import { diffLayer } from './diff.ts';

const { cacheDir, session, rows, remove } = createSessions();
afterAll(remove);

describe.skipIf(missing !== undefined)(`a layer with renames${missing ? `, skipped: ${missing.reason}` : ''}`, () => {
  it.each<[string, string, string, string[]]>([
    ['a rename', 'echo a > a', 'mv a b', ['deleted a code', 'added b code']],
    ['a rename between directories', 'mkdir d e; echo a > d/a', 'mv d/a e/b', ['deleted d/a code', 'added e/b code']],
    ['a rename into a new directory', 'echo a > a', 'mkdir d; mv a d/a', ['deleted a code', 'added d/a code']],
    ['a renamed file that was written to', 'echo a > a', 'mv a b; echo more >> b', ['deleted a code', 'added b code']],
    ['another name', 'echo a > a', 'ln a b', ['added b code']],
    ['another name, then only that', 'echo a > a', 'ln a b; rm a', ['deleted a code', 'added b code']],
    ['a rename, and a new file in its place', 'echo a > a', 'mv a b; echo c > a', ['modified a code', 'added b code']],
    [
      'a rename, and a renamed one in its place',
      'echo a > a; echo cc > c',
      'mv a b; mv c a',
      ['modified a code', 'added b code', 'deleted c code'],
    ],
    [
      'a rename, and another name in its place',
      'echo a > a; echo cc > c',
      'mv a b; echo x >> b; ln c a',
      ['modified a code', 'added b code'],
    ],
    [
      'a rename out of a directory that is gone',
      'mkdir d; echo a > d/a',
      'mv d/a b; rm -r d',
      ['deleted d code', 'deleted d/a code', 'added b code'],
    ],
    [
      'a rename beside a file that was removed outside',
      'echo a > a; echo lost > lost',
      'mv a b; echo more >> lost',
      ['deleted a code', 'added b code', 'modified lost code conflict'],
    ],
  ])('with %s brings it over although its directory changed meanwhile', async (_name, before, script, expected) => {
    const layer = await session(before, script);
    const { workspace } = layer.manifest;
    fs.rmSync(path.join(workspace, 'lost'), { force: true });
    for (const at of ['.', 'd', 'e'])
      if (fs.existsSync(path.join(workspace, at))) fs.writeFileSync(path.join(workspace, at, 'unrelated'), '');
    if (script.includes('rm -r d')) fs.rmSync(path.join(workspace, 'd', 'unrelated'));
    expect(rows(layer).sort()).toEqual([...expected].sort());
    const { conflicts } = applyChanges(layer, diffLayer(layer, cacheDir), { withSensitive: true, cacheDir });
    expect(conflicts.map(({ path: file }) => file)).toEqual(expected.filter((row) => row.endsWith('conflict')).map(() => 'lost'));
    expect(fs.readFileSync(path.join(workspace, expected.find((row) => row.startsWith('added'))?.split(' ')[1] ?? ''), 'utf8')).toMatch(
      /^a\n/,
    );
  });

  it.each<[string, string, string, (workspace: string) => void, string[]]>([
    ['the new name was taken meanwhile', 'echo a > a', 'mv a b', (at) => fs.writeFileSync(path.join(at, 'b'), 'host'), ['a', 'b']],
    ['the new name is sensitive', 'echo a > a', 'mv a Makefile', () => {}, ['a', 'Makefile']],
    [
      'the new place is a link meanwhile',
      'mkdir d; echo a > a',
      'mv a d/a',
      (at) => {
        fs.rmdirSync(path.join(at, 'd'));
        fs.symlinkSync('/tmp', path.join(at, 'd'));
      },
      ['a', 'd', 'd/a'],
    ],
    [
      'the new name was taken, and a new file is in the old place',
      'echo a > a',
      'mv a b; echo new > a',
      (at) => fs.writeFileSync(path.join(at, 'b'), 'host'),
      ['a', 'b'],
    ],
    [
      'two were swapped, and one changed',
      'echo a > a; echo bb > b',
      'mv a t; mv b a; mv t b',
      (at) => fs.appendFileSync(path.join(at, 'b'), 'host'),
      ['a', 'b'],
    ],
    ['the new name is sensitive, and it was written to', 'seq 9 > a', 'mv a Makefile; echo more >> Makefile', () => {}, ['a', 'Makefile']],
    [
      'the new name was taken meanwhile, and it was written anew',
      'seq 9 > a',
      'mv a b; seq 8 > t; mv t b',
      (at) => fs.writeFileSync(path.join(at, 'b'), 'host'),
      ['a', 'b'],
    ],
    ['it left its directory, which is gone', 'mkdir d; echo a > d/a', 'mv d/a Makefile; rmdir d', () => {}, ['Makefile', 'd', 'd/a']],
  ])('keeps what was renamed under its old name where %s', async (_name, before, script, meanwhile, kept) => {
    const layer = await session(before, script);
    const { workspace } = layer.manifest;
    meanwhile(workspace);
    const seen = spawnSync('/bin/sh', ['-c', listing], { cwd: workspace, encoding: 'utf8' }).stdout;
    const { applied, refused, conflicts } = applyChanges(layer, diffLayer(layer, cacheDir), { withSensitive: false, cacheDir });
    expect(applied).toEqual([]);
    expect([...refused, ...conflicts].map((one) => one.path).sort()).toEqual([...kept].sort());
    expect(spawnSync('/bin/sh', ['-c', listing], { cwd: workspace, encoding: 'utf8' }).stdout).toBe(seen);
  });

  it.each<[string, string, string, string]>([
    ['a rename', 'mv a a2', 'a2', 'was renamed to a2'],
    ['a rename that was written to', 'mv a a2; echo more >> a2', 'a2', 'looks as if renamed to a2'],
    ['a renamed directory', 'mv d d2', 'd2/a', 'was renamed to d2/a'],
  ])('of %s does not apply the one half alone', async (_name, script, fresh, why) => {
    const layer = await session('seq 9 > a; mkdir d; seq 20 29 > d/a', script);
    const old = fresh.startsWith('d') ? 'd/a' : 'a';
    const apply = (...paths: string[]) => {
      const changes = diffLayer(layer, cacheDir);
      const isAsked = (change: { path: string }): boolean => paths.includes(change.path);
      const rest = changes.filter((change) => !isAsked(change));
      return applyChanges(layer, changes.filter(isAsked), { withSensitive: false, cacheDir, rest });
    };
    expect(apply(old)).toEqual({ applied: [], refused: [], conflicts: [{ path: old, why: `it ${why}: name that one too` }] });
    expect(apply(fresh).applied).toEqual([fresh]);
    expect(apply(old).applied).toEqual([old]);
  });

  it('of a rename applies both halves when both are named, and a deletion beside a copy', async () => {
    const layer = await session('seq 9 > a; seq 20 29 > b', 'mv a a2; cp b b2; cp b b3; rm b; echo c > c');
    const changes = diffLayer(layer, cacheDir);
    const rest = changes.filter(({ path: file }) => ['b3', 'c'].includes(file));
    const asked = changes.filter((change) => !rest.includes(change));
    const { applied } = applyChanges(layer, asked, { withSensitive: false, cacheDir, rest });
    expect(applied).toEqual(['a', 'a2', 'b', 'b2']);
  });

  it('what was deleted beside a file that stays out, and is not like it, goes', async () => {
    const layer = await session('seq 9 > a; seq 20 29 > other; : > empty', 'rm a other empty; seq 8 15 > Makefile; : > .envrc');
    const { applied, refused, conflicts } = applyChanges(layer, diffLayer(layer, cacheDir), { withSensitive: false, cacheDir });
    expect([applied, refused.map((one) => one.path), conflicts]).toEqual([['a', 'empty', 'other'], ['.envrc', 'Makefile'], []]);
  });
});
