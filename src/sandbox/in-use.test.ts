// `apply` against a running direct session: a program inside could swap a directory for a link under the writer's hands.
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { claimWorkspace } from './in-use.ts';
import { applyChanges } from './overlay/apply.ts';
import { diffLayer } from './overlay/diff.ts';
import { readLayer, writeManifest } from './overlay/manifest.ts';

let scratch = '';
let cacheDir = '';
let workspace = '';
beforeEach(() => {
  scratch = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'intramur-in-use-')));
  cacheDir = path.join(scratch, 'cache');
  workspace = path.join(scratch, 'ws');
  fs.mkdirSync(path.join(workspace, 'sub'), { recursive: true });
});
afterEach(() => fs.rmSync(scratch, { recursive: true, force: true }));

const claims = (): string[] => fs.readdirSync(path.join(cacheDir, 'in-use'));

describe('a workspace in use', () => {
  it.each(['ws', 'ws/sub', '.'])('apply gives way to a direct session in %s, and the reverse', (where) => {
    const place = path.join(scratch, where);
    const release = claimWorkspace(cacheDir, place, 'direct');
    expect(() => claimWorkspace(cacheDir, workspace, 'apply')).toThrow(`a session in direct mode is running in ${place}`);
    release();
    const applied = claimWorkspace(cacheDir, workspace, 'apply');
    expect(() => claimWorkspace(cacheDir, place, 'direct')).toThrow('changes are being applied in');
    applied();
    expect(claims()).toEqual([]);
  });

  it('direct sessions share a workspace, two applies do not, and a neighbour is not concerned', () => {
    const releases = [claimWorkspace(cacheDir, workspace, 'direct'), claimWorkspace(cacheDir, workspace, 'direct')];
    claimWorkspace(cacheDir, `${workspace}-2`, 'apply')();
    for (const release of releases) release();
    const release = claimWorkspace(cacheDir, workspace, 'apply');
    expect(() => claimWorkspace(cacheDir, workspace, 'apply')).toThrow('being applied');
    release();
  });

  it('nothing is applied while it runs: no file, no link followed', () => {
    const upper = path.join(scratch, 'session', 'upper');
    fs.mkdirSync(upper, { recursive: true });
    writeManifest(upper, workspace);
    fs.writeFileSync(path.join(upper, 'new'), 'x');
    const layer = readLayer(path.dirname(upper));
    if (!layer) throw new Error('no layer');
    const changes = diffLayer(layer, cacheDir);
    const release = claimWorkspace(cacheDir, workspace, 'direct');
    expect(() => applyChanges(layer, changes, { withSensitive: true, cacheDir })).toThrow('direct mode');
    expect(fs.existsSync(path.join(workspace, 'new'))).toBe(false);
    release();
    expect(applyChanges(layer, changes, { withSensitive: true, cacheDir }).applied).toEqual(['new']);
    expect(claims()).toEqual([]);
  });

  it('a claim of a process that was killed, or that nobody can read, counts for nothing', async () => {
    const child = spawn('sleep', ['60']);
    await new Promise((resolve) => child.once('spawn', resolve));
    fs.mkdirSync(path.join(cacheDir, 'in-use'), { recursive: true });
    const of = (start: string): string => JSON.stringify({ use: 'direct', workspace, pid: child.pid, start });
    // The right number, but another process's start.
    fs.writeFileSync(path.join(cacheDir, 'in-use', '1.json'), of('12345'));
    fs.writeFileSync(path.join(cacheDir, 'in-use', '2.json'), '{"use":"dir');
    claimWorkspace(cacheDir, workspace, 'apply')();
    expect(claims()).toEqual([]);
    const start = spawnSync('sh', ['-c', `sed 's/.*) //' /proc/${child.pid}/stat | cut -d' ' -f20`], { encoding: 'utf8' }).stdout.trim();
    fs.writeFileSync(path.join(cacheDir, 'in-use', '3.json'), of(start));
    expect(() => claimWorkspace(cacheDir, workspace, 'apply')).toThrow(String(child.pid));
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('exit', resolve));
    claimWorkspace(cacheDir, workspace, 'apply')();
  });
});
