// `apply` under kill -9: a reader of the workspace sees each file old or new, and the next call finishes the work.
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { applyChanges } from './apply.ts';
import { diffLayer } from './diff.ts';
import { type Layer, readLayer, writeManifest } from './manifest.ts';

const scratch = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'intramur-apply-')));
const cacheDir = path.join(scratch, 'cache');
afterAll(() => fs.rmSync(scratch, { recursive: true, force: true }));

const files = 300;
const oldText = (i: number): string => `old ${i}\n`.repeat(50);
const newText = (i: number): string => `new ${i}\n`.repeat(5000);

/** A layer as overlayfs would leave it, made by hand: half of the files are there already. */
async function layerOf(name: string): Promise<Layer> {
  const workspace = path.join(scratch, name, 'workspace');
  const upper = path.join(scratch, name, 'session', 'upper');
  for (const dir of ['a', 'b/c']) {
    fs.mkdirSync(path.join(upper, dir), { recursive: true });
    fs.mkdirSync(path.join(workspace, dir), { recursive: true });
  }
  for (let i = 0; i < files; i += 2) fs.writeFileSync(path.join(workspace, place(i)), oldText(i));
  await new Promise((resolve) => setTimeout(resolve, 20));
  writeManifest(upper, workspace);
  await new Promise((resolve) => setTimeout(resolve, 20));
  for (let i = 0; i < files; i++) fs.writeFileSync(path.join(upper, place(i)), newText(i), { mode: i % 3 ? 0o644 : 0o755 });
  const layer = readLayer(path.dirname(upper));
  if (!layer) throw new Error('no layer');
  return layer;
}

const place = (i: number): string => (i % 3 ? `a/${i}` : `b/c/${i}`);
const names = (directory: string): string[] => fs.readdirSync(directory, { recursive: true, encoding: 'utf8' });
const isWhole = (text: string, i: number): boolean => text === newText(i) || (i % 2 === 0 && text === oldText(i));

interface Step {
  readonly file: string;
  readonly before: number | undefined;
  readonly after: number | undefined;
  readonly isLink: boolean;
}

const contentOf = (value: number | undefined, isLink: boolean): string | undefined =>
  value === undefined ? undefined : isLink ? `-> to-${value}` : `content ${value}\n`.repeat(2000);

/** What a reader of the workspace gets. */
function seen(file: string): string | undefined {
  const stat = fs.lstatSync(file, { throwIfNoEntry: false });
  if (!stat) return undefined;
  return stat.isSymbolicLink() ? `-> ${fs.readlinkSync(file)}` : fs.readFileSync(file, 'utf8');
}

function put(file: string, value: number, isLink: boolean): void {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  if (isLink) fs.symlinkSync(`to-${value}`, file);
  else fs.writeFileSync(file, contentOf(value, false) ?? '');
}

/** A layer made by hand: what is gone is a whiteout. Directories stand on both sides. */
async function layerFrom(name: string, steps: readonly Step[]): Promise<Layer> {
  const workspace = path.join(scratch, name, 'workspace');
  const upper = path.join(scratch, name, 'session', 'upper');
  for (const dir of ['d/e', 'f/g']) for (const side of [workspace, upper]) fs.mkdirSync(path.join(side, dir), { recursive: true });
  for (const { file, before, isLink } of steps) if (before !== undefined) put(path.join(workspace, file), before, isLink);
  await new Promise((resolve) => setTimeout(resolve, 20));
  writeManifest(upper, workspace);
  await new Promise((resolve) => setTimeout(resolve, 20));
  for (const { file, before, after, isLink } of steps) {
    if (after !== undefined) put(path.join(upper, file), after, isLink);
    else if (before !== undefined) execFileSync('mknod', [path.join(upper, file), 'c', '0', '0']);
  }
  const layer = readLayer(path.dirname(upper));
  if (!layer) throw new Error('no layer');
  return layer;
}

/** An `apply` in a process of its own, killed with -9 in the middle of its n-th change to the workspace. */
async function killedAfter(layer: Layer, changesToCome: number): Promise<boolean> {
  const code = `import fs from 'node:fs';
    import { syncBuiltinESMExports } from 'node:module';
    let left = ${changesToCome};
    for (const name of ['renameSync', 'rmSync', 'symlinkSync', 'copyFileSync', 'writeFileSync', 'chmodSync']) {
      const real = fs[name];
      fs[name] = (...args) => {
        const concerns = args.slice(0, 2).some((one) => String(one).startsWith(${JSON.stringify(`${layer.manifest.workspace}/`)}));
        if (concerns && left-- === 0) process.kill(process.pid, 'SIGKILL');
        return real(...args);
      };
    }
    syncBuiltinESMExports();
    const { applyChanges } = await import(${JSON.stringify(path.join(import.meta.dirname, 'apply.ts'))});
    const { diffLayer } = await import(${JSON.stringify(path.join(import.meta.dirname, 'diff.ts'))});
    const { readLayer } = await import(${JSON.stringify(path.join(import.meta.dirname, 'manifest.ts'))});
    const layer = readLayer(${JSON.stringify(layer.directory)});
    applyChanges(layer, diffLayer(layer, ${JSON.stringify(cacheDir)}), { withSensitive: true, cacheDir: ${JSON.stringify(cacheDir)} });`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: 'ignore' });
  return await new Promise((resolve) => child.once('exit', (_code, signal) => resolve(signal === 'SIGKILL')));
}

describe('apply', () => {
  it.each([5, 20, 40, 60, 90])('killed after %i ms of work leaves every file old or new, and is finished by the next', async (delayMs) => {
    const layer = await layerOf(`kill-${delayMs}`);
    const { workspace } = layer.manifest;
    const code = `import { applyChanges } from ${JSON.stringify(path.join(import.meta.dirname, 'apply.ts'))};
      import { diffLayer } from ${JSON.stringify(path.join(import.meta.dirname, 'diff.ts'))};
      import { readLayer } from ${JSON.stringify(path.join(import.meta.dirname, 'manifest.ts'))};
      const layer = readLayer(${JSON.stringify(layer.directory)});
      const changes = diffLayer(layer, ${JSON.stringify(cacheDir)});
      process.stdout.write('begun');
      applyChanges(layer, changes, { withSensitive: true, cacheDir: ${JSON.stringify(cacheDir)} });`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'ignore'] });
    await new Promise((resolve) => child.stdout.once('data', resolve));
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    child.kill('SIGKILL');
    await new Promise((resolve) =>
      child.exitCode === null && child.signalCode === null ? child.once('exit', resolve) : resolve(undefined),
    );

    const present = names(workspace).filter((name) => /\/\d+$/.test(name));
    for (const name of present)
      expect([name, isWhole(fs.readFileSync(path.join(workspace, name), 'utf8'), Number(path.basename(name)))]).toEqual([name, true]);
    for (let i = 0; i < files; i += 2) expect(present).toContain(place(i));

    const outcome = applyChanges(layer, diffLayer(layer, cacheDir), { withSensitive: true, cacheDir });
    expect(outcome.conflicts).toEqual([]);
    for (let i = 0; i < files; i++) expect(fs.readFileSync(path.join(workspace, place(i)), 'utf8')).toBe(newText(i));
    expect(fs.statSync(path.join(workspace, place(0))).mode & 0o777).toBe(0o755);
    expect(names(workspace).filter((name) => name.includes('.intramur-'))).toEqual([]);
    expect(diffLayer(layer, cacheDir)).toEqual([]);
  });

  it('killed again and again at any point, with what it had to do chosen at random, ends as if it had never been', async () => {
    const name = fc.constantFrom('a', 'b', 'd/a', 'd/e/b', 'f/g/h');
    const step = fc.record({
      file: name,
      before: fc.option(fc.nat(3), { nil: undefined }),
      after: fc.option(fc.nat(3), { nil: undefined }),
      isLink: fc.boolean(),
    });
    let run = 0;
    let killed = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(step, { selector: ({ file }) => file, minLength: 3 }),
        fc.array(fc.nat(8), { minLength: 1, maxLength: 3 }),
        async (steps, kills) => {
          const layer = await layerFrom(`random-${run++}`, steps);
          const { workspace } = layer.manifest;
          for (const writes of kills) {
            if (await killedAfter(layer, writes)) killed += 1;
            for (const { file, before, after, isLink } of steps) {
              const allowed = [contentOf(before, isLink), contentOf(after, isLink)];
              expect(allowed).toContain(seen(path.join(workspace, file)));
            }
          }
          const { conflicts, refused } = applyChanges(layer, diffLayer(layer, cacheDir), { withSensitive: true, cacheDir });
          expect([conflicts, refused]).toEqual([[], []]);
          for (const { file, after, isLink } of steps) expect(seen(path.join(workspace, file))).toBe(contentOf(after, isLink));
          expect(names(workspace).filter((at) => at.includes('.intramur-'))).toEqual([]);
        },
      ),
      { numRuns: 6 },
    );
    expect(killed).toBeGreaterThan(0);
  }, 60_000);

  it('does not bring back what was applied and then changed by its user', async () => {
    const layer = await layerOf('again');
    applyChanges(layer, diffLayer(layer, cacheDir), { withSensitive: true, cacheDir });
    fs.writeFileSync(path.join(layer.manifest.workspace, place(1)), 'mine now');
    expect(diffLayer(layer, cacheDir)).toEqual([]);
  });

  it('writes nothing through a parent that became a link', async () => {
    const layer = await layerOf('link');
    const { workspace } = layer.manifest;
    const changes = diffLayer(layer, cacheDir);
    fs.renameSync(path.join(workspace, 'a'), path.join(scratch, 'outside'));
    fs.symlinkSync(path.join(scratch, 'outside'), path.join(workspace, 'a'));
    const before = names(path.join(scratch, 'outside')).sort();
    const { conflicts } = applyChanges(layer, changes, { withSensitive: true, cacheDir });
    expect(conflicts.length).toBe(files - files / 3);
    expect(names(path.join(scratch, 'outside')).sort()).toEqual(before);
    expect(fs.readFileSync(path.join(scratch, 'outside', '2'), 'utf8')).toBe(oldText(2));
  });

  it('removes only leftovers of its own, whatever the journal says', async () => {
    const layer = await layerOf('journal');
    const { workspace } = layer.manifest;
    fs.writeFileSync(path.join(scratch, 'precious'), 'x');
    fs.writeFileSync(path.join(workspace, 'kept'), 'x');
    fs.writeFileSync(path.join(workspace, '.intramur-session-7'), 'left over');
    const lines = ['../../precious', 'kept', '.intramur-session-7', '../.intramur-x', 7, null].map((line) => JSON.stringify(line));
    fs.writeFileSync(path.join(layer.directory, 'journal.jsonl'), `${lines.join('\n')}\n{"cut`);
    applyChanges(layer, [], { withSensitive: true, cacheDir });
    expect([
      fs.existsSync(path.join(scratch, 'precious')),
      fs.existsSync(path.join(workspace, 'kept')),
      fs.existsSync(path.join(workspace, '.intramur-session-7')),
    ]).toEqual([true, true, false]);
  });
});
