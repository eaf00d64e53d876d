// Sessions in overlay mode as they end: what `diff` says of them, and that `apply` makes the workspace what the session saw.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { launch } from '../launch.ts';
import { boxIn, closeAll } from '../testdata/box.ts';
import { createSessions, listing, missing } from '../testdata/layers.ts';
import { applyChanges } from './apply.ts';
import { diffLayer } from './diff.ts';
import { discardChanges, discardLayer } from './discard.ts';
import { sweepEmpty } from './empty.ts';
import { findLayers, type Layer, readLayer, writeHolder, writeManifest } from './manifest.ts';

const { scratch, cacheDir, session, rows, remove } = createSessions();
afterAll(remove);

describe.skipIf(missing !== undefined)(`a layer${missing ? `, skipped: ${missing.reason}` : ''}`, () => {
  it.each<[string, string, string, string[]]>([
    ['nothing', 'echo a > a', 'cat a', []],
    ['an opened file that stays the same', 'echo a > a', 'cat a > b; cat b > a; rm b', []],
    ['a new file', '', 'echo a > a', ['added a code']],
    ['a changed file', 'echo a > a', 'echo b > a', ['modified a code']],
    ['a deleted file', 'echo a > a', 'rm a', ['deleted a code']],
    ['a mode', 'echo a > a', 'chmod 700 a', ['mode a code']],
    ['the mode of a directory', 'mkdir d; echo a > d/a', 'chmod 700 d', ['mode d code']],
    ['an empty directory', '', 'mkdir -p d/e', ['added d/e code']],
    ['a deleted directory', 'mkdir -p d/e; echo a > d/e/a', 'rm -r d', ['deleted d code', 'deleted d/e code', 'deleted d/e/a code']],
    [
      'a directory made anew',
      'mkdir d; echo a > d/a; echo b > d/b',
      'rm -r d; mkdir d; echo c > d/c',
      ['deleted d/a code', 'deleted d/b code', 'added d/c code'],
    ],
    ['a directory made anew and empty', 'mkdir -p d/e; echo a > d/a', 'rm -r d; mkdir d', ['deleted d/a code', 'deleted d/e code']],
    [
      'a directory made anew with the same file',
      'mkdir d; echo a > d/a; echo b > d/b',
      'rm -r d; mkdir d; echo a > d/a',
      ['deleted d/b code'],
    ],
    [
      'a directory made anew with the same directory in it',
      'mkdir -p d/e; echo a > d/e/a',
      'rm -r d; mkdir -p d/e',
      ['deleted d/e/a code'],
    ],
    ['a moved directory', 'mkdir d; echo a > d/a', 'mv d e', ['deleted d code', 'deleted d/a code', 'added e/a code']],
    ['a file in place of a directory', 'mkdir d; echo a > d/a', 'rm -r d; echo f > d', ['modified d code', 'deleted d/a code']],
    ['a directory in place of a file', 'echo f > d', 'rm d; mkdir d; echo a > d/a', ['deleted d code', 'added d/a code']],
    ['a link', 'echo a > a', 'ln -s a l; ln -s missing m', ['added l code', 'added m code']],
    ['another target', 'ln -s a l', 'ln -sf b l', ['modified l code']],
    [
      'a link out',
      '',
      'ln -s /etc/passwd a; ln -s .. b; ln -s x/../../y c',
      ['added a forbidden', 'added b forbidden', 'added c forbidden'],
    ],
    ['a link out through a link', 'mkdir d; ln -s .. d/up', 'ln -s d/up/../secret l', ['added l forbidden']],
    ['an absolute link inside', 'echo a > a', 'ln -s $PWD/a l', ['added l code']],
    ['links in a circle', '', 'ln -s b a; ln -s a b', ['added a forbidden', 'added b forbidden']],
    ['setuid, setgid', '', 'echo a > a; chmod u+s a; echo b > b; chmod g+s b', ['added a forbidden', 'added b forbidden']],
    ['setuid on a file that was there', 'echo a > a', 'chmod u+s a', ['mode a forbidden']],
    [
      'a pipe and a socket',
      '',
      'mkfifo p; /usr/bin/perl -MIO::Socket::UNIX -e \'IO::Socket::UNIX->new(Local => "s", Listen => 1)\' || mkfifo s',
      ['added p forbidden', 'added s forbidden'],
    ],
    ['a name with control characters', '', "echo a > $'a\\nD b\\e[2J'", ['added a\nD b\u001b[2J code']],
    ['a name that is not text', '', "echo a > $'a\\xff'", ['added a\ufffd forbidden']],
    [
      'hooks and configuration',
      'mkdir -p .git/hooks',
      'echo x > .git/hooks/pre-commit; mkdir .claude; echo x > .claude/settings.json',
      ['added .claude/settings.json sensitive', 'added .git/hooks/pre-commit sensitive'],
    ],
    [
      'a repository that lies open',
      '',
      'mkdir -p r/objects r/hooks; echo r > r/HEAD; echo c > r/config; echo h > r/hooks/post-update; echo o > config',
      [
        'added config code',
        'added r/HEAD sensitive',
        'added r/config sensitive',
        'added r/hooks/post-update sensitive',
        'added r/objects code',
      ],
    ],
    [
      'most of a repository',
      '',
      'mkdir -p r/objects r/refs; echo k > r/objects/k; echo k > r/refs/k; echo c > r/config',
      ['added r/config sensitive', 'added r/objects/k code', 'added r/refs/k code'],
    ],
    ['the head of a repository', 'mkdir -p r/objects r/refs; echo c > r/config', 'echo ref > r/HEAD', ['added r/HEAD sensitive']],
    ['the head beside a configuration', 'mkdir r; echo c > r/config', 'ln -s refs/heads/x r/HEAD', ['added r/HEAD sensitive']],
    [
      'the objects of a repository',
      'mkdir -p r/refs; echo ref > r/HEAD; echo c > r/config',
      'mkdir r/objects; echo k > r/objects/k',
      ['added r/objects/k sensitive'],
    ],
    [
      'no head, but its log,',
      'mkdir -p .git/objects .git/refs .git/logs/refs; echo ref > .git/HEAD; echo first > .git/logs/HEAD',
      'echo second >> .git/logs/HEAD; echo second > .git/logs/refs/main',
      ['modified .git/logs/HEAD code', 'added .git/logs/refs/main code'],
    ],
    [
      'a log that becomes a head',
      'mkdir -p .git/objects .git/refs .git/logs/refs; echo ref > .git/HEAD; echo first > .git/logs/HEAD',
      'echo ref > .git/logs/HEAD; mkdir .git/logs/objects; echo evil > .git/logs/config',
      ['modified .git/logs/HEAD sensitive', 'added .git/logs/config sensitive', 'added .git/logs/objects sensitive'],
    ],
    ['the refs of a repository', 'mkdir -p r/objects; echo ref > r/HEAD', 'mkdir r/refs', ['added r/refs sensitive']],
    ['the way to another repository', '', 'mkdir r; echo ../x > r/commondir', ['added r/commondir sensitive']],
    [
      'a commit in a repository that was there',
      'mkdir -p .git/objects .git/refs r/objects r/refs; echo ref | tee .git/HEAD > r/HEAD',
      'for at in .git r; do echo k > $at/objects/k; echo k > $at/refs/k; done; echo main > .git/HEAD',
      ['modified .git/HEAD code', 'added .git/objects/k code', 'added .git/refs/k code', 'added r/objects/k code', 'added r/refs/k code'],
    ],
    [
      'a mark of our own',
      '',
      'setfattr -n user.overlay.opaque -v y . 2>/dev/null; mkdir d; setfattr -n user.overlay.opaque -v y d 2>/dev/null; echo a > d/a',
      ['added d/a code'],
    ],
  ])('%s', async (_name, before, script, expected) => {
    const layer = await session(before, script);
    expect(rows(layer).sort()).toEqual([...expected].sort());
  });

  it.each<[string, string, string, (workspace: string) => void, string]>([
    ['a file that was changed', 'echo a > a', 'echo b > a', (at) => fs.writeFileSync(path.join(at, 'a'), 'host'), 'a'],
    ['a file that was deleted inside', 'echo a > a', 'rm a', (at) => fs.writeFileSync(path.join(at, 'a'), 'host'), 'a'],
    ['a file that appeared', '', 'echo b > a', (at) => fs.writeFileSync(path.join(at, 'a'), 'host'), 'a'],
    ['a file that was deleted outside', 'echo a > a', 'echo b >> a', (at) => fs.rmSync(path.join(at, 'a')), 'a'],
    [
      'a file in a directory that was deleted inside',
      'mkdir d; echo a > d/a',
      'rm -r d',
      (at) => fs.writeFileSync(path.join(at, 'd/new'), 'host'),
      'd',
    ],
    [
      'a directory that became a link',
      'mkdir d; echo a > d/a',
      'echo b > d/b',
      (at) => {
        fs.rmSync(path.join(at, 'd'), { recursive: true });
        fs.mkdirSync(`${at}-elsewhere`);
        fs.symlinkSync(`${at}-elsewhere`, path.join(at, 'd'));
      },
      'd/b',
    ],
  ])('never overwrites %s meanwhile', async (_name, before, script, meanwhile, file) => {
    const layer = await session(before, script);
    const { workspace } = layer.manifest;
    meanwhile(workspace);
    const seen = spawnSync('/bin/sh', ['-c', listing], { cwd: workspace, encoding: 'utf8' }).stdout;
    const outcome = applyChanges(layer, diffLayer(layer, cacheDir), { withSensitive: true, cacheDir });
    expect(outcome.conflicts.map((conflict) => conflict.path)).toContain(file);
    const after = spawnSync('/bin/sh', ['-c', listing], { cwd: workspace, encoding: 'utf8' }).stdout;
    // Only what nobody else touched may be gone: the file that the session deleted beside the new one.
    expect(after).toBe(
      file === 'd'
        ? seen
            .split('\n')
            .filter((line) => !line.startsWith('d/a|'))
            .join('\n')
        : seen,
    );
    expect(fs.existsSync(`${workspace}-elsewhere/b`)).toBe(false);
  });

  it('applies to exactly what the session saw, whatever it did', async () => {
    const name = fc.constantFrom('a', 'b', 'c', 'd/a', 'd/b', 'd/e/a', 'f/g/h');
    const step = fc.oneof(
      name.map((at) => `mkdir -p "$(dirname ${at})" && echo ${Math.abs(at.length * 7)}$RANDOM > ${at}`),
      name.map((at) => `rm -rf ${at}`),
      name.map((at) => `mkdir -p ${at}`),
      fc.tuple(name, name).map(([from, to]) => `mkdir -p "$(dirname ${to})" && mv -T ${from} ${to}`),
      name.map((at) => `ln -sfn a ${at}`),
      name.map((at) => `chmod 750 ${at}`),
      fc.constantFrom('rm -rf d; mkdir d', 'rm -rf d/e f', 'cp -a d x'),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 6 }), fc.array(step, { minLength: 1, maxLength: 8 }), async (before, inside) => {
        const script = (steps: readonly string[]): string => steps.map((one) => `(${one}) 2>/dev/null || true`).join('\n');
        const layer = await session(
          `mkdir -p d/e f/g; echo 1 > a; echo 2 > d/a; echo 3 > d/e/a\n${script(before)}`,
          `RANDOM=1\n${script(inside)}\n${listing} > /tmp/l; cat /tmp/l > zz-listing`,
        );
        const { workspace } = layer.manifest;
        const changes = diffLayer(layer, cacheDir);
        const outcome = applyChanges(layer, changes, { withSensitive: true, cacheDir });
        const isComplete = outcome.conflicts.length === 0 && outcome.refused.length === 0;
        const saw = fs.existsSync(path.join(workspace, 'zz-listing'))
          ? fs.readFileSync(path.join(workspace, 'zz-listing'), 'utf8')
          : undefined;
        fs.rmSync(path.join(workspace, 'zz-listing'), { force: true });
        const is = spawnSync('/bin/sh', ['-c', listing], { cwd: workspace, encoding: 'utf8' }).stdout;
        // Links in a circle are refused; everything else must have come over.
        if (isComplete) expect(is).toBe(saw);
        else expect(outcome.refused.every(({ why }) => why.includes('link')) && outcome.conflicts.length === 0).toBe(true);
        expect(diffLayer(layer, cacheDir).filter((change) => change.class !== 'forbidden' && change.path !== 'zz-listing')).toEqual([]);
      }),
      { numRuns: 25 },
    );
  }, 180_000);

  it('is not touched while its session runs', async () => {
    const layer = await session('', 'echo a > a');
    fs.writeFileSync(
      path.join(layer.directory, 'holder'),
      `${process.pid} ${fs.readFileSync('/proc/self/stat', 'utf8').split(') ')[1]?.split(' ')[19]}`,
    );
    expect(() => applyChanges(layer, diffLayer(layer, cacheDir), { withSensitive: false, cacheDir })).toThrow('still running');
    expect(() => discardLayer(layer)).toThrow('still running');
  });

  it('that holds nothing goes with the next session of its workspace; one that holds something stays', async () => {
    const layerFor = (name: string, files: readonly string[]): Layer => {
      const upper = path.join(scratch, 'swept', name, 'upper');
      fs.mkdirSync(upper, { recursive: true });
      writeManifest(upper, path.join(scratch, 'workspaces'));
      for (const file of files) fs.writeFileSync(path.join(upper, file), 'x');
      const layer = readLayer(path.dirname(upper));
      if (!layer) throw new Error('no layer');
      return layer;
    };
    const pause = (): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, 20));
    layerFor('empty', []);
    layerFor('full', ['kept']);
    const live = layerFor('live', []);
    writeHolder(live.upper, process.pid);
    await pause();
    const last = layerFor('last', []);
    await pause();
    layerFor('later', []);
    sweepEmpty(last);
    expect(fs.readdirSync(path.join(scratch, 'swept')).sort()).toEqual(['full', 'last', 'later', 'live']);
  });

  it('whose launcher has still to read it is not swept by another session, and one that is discarded meanwhile is no fault', async () => {
    const directories = ['read', 'sweeping'].map((name) => path.join(scratch, 'beside', name)) as [string, string];
    const workspace = path.join(scratch, 'workspaces', 'beside');
    const run = async (directory: string, script: string) => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      const plan = boxIn(directory, { argv: ['/bin/bash', '-c', script], workspace, mode: 'overlay', cacheDir });
      const launched = await launch(plan, { listening: closeAll });
      await launched.exited;
      return launched;
    };
    const none = { changed: 0, added: 0, deleted: 0, sensitive: [], disarmed: [] };
    const first = await run(directories[0], 'true');
    const second = await run(directories[1], 'echo a > a');
    second.tidy();
    expect(fs.readdirSync(path.join(scratch, 'beside')).sort()).toEqual(['read', 'sweeping']);
    expect(await first.changes()).toEqual(none);
    for (const directory of directories) {
      const layer = readLayer(directory);
      if (layer) discardLayer(layer);
    }
    expect([await first.changes(), await second.changes()]).toEqual([none, none]);
  });

  it('is held at every instant while its holder is written anew', () => {
    const directory = path.join(scratch, 'held');
    const upper = path.join(directory, 'upper');
    fs.mkdirSync(upper, { recursive: true });
    writeHolder(upper, process.pid);
    const open = fs.openSync(path.join(directory, 'holder'), 'r');
    writeHolder(upper, process.pid);
    expect(fs.readFileSync(open, 'utf8')).toBe(fs.readFileSync(path.join(directory, 'holder'), 'utf8'));
    expect(fs.fstatSync(open).nlink).toBe(0);
    fs.closeSync(open);
  });

  it.each<[string, string, string, (workspace: string) => void]>([
    ['another name of a file that is removed then', 'echo b > b', 'ln b b2', (at) => fs.rmSync(path.join(at, 'b'))],
    ['another name of a file that is changed then', 'echo b > b', 'ln b b2', (at) => fs.writeFileSync(path.join(at, 'b'), 'mine')],
    ['a file beside one that was opened, and is removed then', 'echo b > b', 'echo x > x; >> b', (at) => fs.rmSync(path.join(at, 'b'))],
  ])('that was applied with %s holds nothing any more', async (_name, before, script, meanwhile) => {
    const layer = await session(before, script);
    const { applied, conflicts } = applyChanges(layer, diffLayer(layer, cacheDir), { withSensitive: false, cacheDir });
    expect([applied.length, conflicts]).toEqual([1, []]);
    meanwhile(layer.manifest.workspace);
    expect(rows(layer)).toEqual([]);
    expect(rows(layer)).toEqual([]);
    discardLayer(layer);
    expect(fs.existsSync(layer.directory)).toBe(false);
  });

  it('brings another name of a file that is removed after it was looked at', async () => {
    const layer = await session('echo b > b', 'ln b b2');
    for (const _ of [1, 2]) {
      expect(rows(layer)).toEqual(['added b2 code']);
      fs.rmSync(path.join(layer.manifest.workspace, 'b'), { force: true });
    }
  });

  it('can be given up in part, and as a whole', async () => {
    const layer = await session('echo a > a', 'echo b > a; echo b > b');
    discardChanges(
      layer,
      diffLayer(layer, cacheDir).filter((change) => change.path === 'a'),
    );
    expect(rows(layer)).toEqual(['added b code']);
    const sessions = path.dirname(layer.directory);
    expect(findLayers(sessions, undefined, layer.manifest.workspace)[0].directory).toBe(layer.directory);
    discardLayer(layer);
    expect(fs.existsSync(layer.directory)).toBe(false);
    expect(() => findLayers(sessions, layer.manifest.session, '/')).toThrow('no layer');
    expect(() => findLayers(sessions, '../x', '/')).toThrow('no layer');
  });
});
