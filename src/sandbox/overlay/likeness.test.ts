// Which of many texts are alike: quickly, and where it would take too long, rather one too many than one too few.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { applyChanges } from './apply.ts';
import { diffLayer } from './diff.ts';
import { alike, type Text } from './likeness.ts';
import { readLayer, writeManifest } from './manifest.ts';

const scratch = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'intramur-likeness-')));
afterAll(() => fs.rmSync(scratch, { recursive: true, force: true }));

function text(name: string, content: string): Text {
  const file = path.join(scratch, name);
  fs.writeFileSync(file, content);
  return { path: name, file, bytes: content.length };
}

const lines = (from: number, to: number, what = 'line'): string =>
  Array.from({ length: to - from }, (_, i) => `${what} ${from + i}\n`).join('');

describe('alike', () => {
  const old = text('old', lines(100, 200));

  it.each<[string, string, boolean]>([
    ['the same', lines(100, 200), true],
    ['half of it', lines(150, 250), true],
    ['less than half', lines(151, 251), false],
    ['other lines', lines(100, 200, 'else'), false],
    ['one line again and again', 'line 100\n'.repeat(100), false],
    ['a part that is too short', lines(100, 149), false],
    ['without the last end', lines(100, 200).slice(0, -1), true],
  ])('%s', (name, content, expected) => {
    const found = alike([old], [text('unlike', lines(0, 99, 'other one')), text(name, content)]);
    expect(found.get('old')).toEqual(expected ? { path: name, isCompared: true } : undefined);
  });

  it.each([{ bytes: 0 }, { bytes: old.bytes }, { steps: 0 }, { steps: 90 }])('beyond its budget (%o) it says no no', (less) => {
    const [near, short] = [text('near', lines(100, 200, 'else')), text('short', 'x\n')];
    const found = alike([old, short], [near], { bytes: 1e6, steps: 1e6, ...less });
    expect([...found]).toEqual([['old', { path: 'near', isCompared: false }]]);
  });

  it('what cannot be read may be like what has its size', () => {
    const gone = { path: 'gone', file: path.join(scratch, 'gone'), bytes: old.bytes };
    expect(alike([old], [gone]).get('old')).toEqual({ path: 'gone', isCompared: false });
    expect(alike([gone], [old]).get('gone')).toEqual({ path: 'old', isCompared: false });
  });

  it('takes no longer for many than to read them', async () => {
    const [workspace, upper] = [path.join(scratch, 'many', 'workspace'), path.join(scratch, 'many', 'first', 'upper')];
    for (const directory of [path.join(workspace, 'd'), path.join(upper, '.claude')]) fs.mkdirSync(directory, { recursive: true });
    for (let i = 0; i < 300; i++)
      fs.writeFileSync(path.join(workspace, 'd', String(i)), lines(10_000, 15_400 + i, `a line of ${i} in the old text, of some length:`));
    await new Promise((resolve) => setTimeout(resolve, 20));
    writeManifest(upper, workspace);
    // A file in place of the directory: all that was in it is deleted.
    fs.writeFileSync(path.join(upper, 'd'), '');
    for (let i = 0; i < 300; i++)
      fs.writeFileSync(
        path.join(upper, '.claude', String(i)),
        lines(10_000, 15_400 + i, `a line of ${i} in the new text, of some length:`),
      );
    const layer = readLayer(path.dirname(upper));
    if (!layer) throw new Error('no layer');
    const changes = diffLayer(layer, path.join(scratch, 'cache'));
    const begin = performance.now();
    const outcome = applyChanges(layer, changes, { withSensitive: false, cacheDir: path.join(scratch, 'cache') });
    expect(performance.now() - begin).toBeLessThan(10_000);
    expect([outcome.applied.length, outcome.refused.length, outcome.conflicts]).toEqual([301, 300, []]);
  }, 60_000);
});
