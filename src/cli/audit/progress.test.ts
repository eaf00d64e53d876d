import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { audit, type Progress } from '../../audit/index.ts';
import { progressBar } from './progress.ts';

function terminal(columns: number | undefined, isTTY = true) {
  const written: string[] = [];
  const stderr = { isTTY, columns, write: (text: string) => written.push(text) > 0 };
  let at = 0;
  const bar = progressBar({ stderr: stderr as unknown as NodeJS.WritableStream, home: '/home/dev' }, () => at);
  return { written, bar, later: (ms: number) => (at += ms) };
}

const half: Progress = { fraction: 0.5, files: 24_120, place: '/home/dev/work/api' };

describe('progress of an audit', () => {
  it('is one line with a bar, a percentage, a count and a place, and is gone at the end', () => {
    const { written, bar, later } = terminal(80);
    later(300);
    bar?.show(half);
    bar?.end();
    expect(written).toEqual(['\r[##########----------]  50 %   24,120 files  ~/work/api\u001b[K', '\r\u001b[K']);
  });

  it('is nothing without a terminal', () => {
    expect(terminal(80, false).bar).toBeUndefined();
  });

  it('does not show for a short audit and is drawn ten times a second at most', () => {
    const { written, bar, later } = terminal(80);
    bar?.show(half);
    bar?.end();
    expect(written).toEqual([]);
    later(250);
    for (let i = 0; i < 100; i++) {
      bar?.show(half);
      later(10);
    }
    expect(written).toHaveLength(10);
  });

  it.each([80, 60, 40, 24, 10, undefined])('fits %s columns, and no name on the disk reaches the terminal as it is', (columns) => {
    const { written, bar, later } = terminal(columns);
    later(300);
    bar?.show({ ...half, place: `/home/dev/\u001b]0;x\u0007\u202e${'deep/'.repeat(40)}end` });
    const [line = ''] = written;
    const shown = line.slice(1, -'\u001b[K'.length);
    expect(shown.length).toBeLessThan(columns ?? 80);
    expect(shown).not.toMatch(/[\u0000-\u001f\u202e]/);
    if ((columns ?? 80) >= 80) expect(shown).toMatch(/…[\w/]*end$/);
  });

  it('goes from the first directory to the last agent and never back', () => {
    const home = fs.mkdtempSync(path.join(os.tmpdir(), 'progress-'));
    for (let i = 0; i < 700; i++) fs.mkdirSync(path.join(home, `work/team${i % 7}/part${i}/inner`), { recursive: true });
    const seen: Progress[] = [];
    audit({ home, dirs: [], userHome: home, cwd: '/', env: {}, tools: {}, onProgress: (progress) => seen.push(progress) });
    fs.rmSync(home, { recursive: true });
    const fractions = seen.map(({ fraction }) => fraction);
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
    expect(fractions.at(-1)).toBeGreaterThan(0.95);
    expect(fractions.at(-1)).toBeLessThanOrEqual(1);
    expect(seen.filter(({ place }) => place.startsWith(`${home}/work/`)).length).toBeGreaterThan(10);
    expect(seen.some(({ place }) => place === 'Claude Code')).toBe(true);
  });
});
