// A program that fills the disk, with bytes or with files: the session is ended with its reason while there is something left, and the
// record says which limits were in force.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Entry } from '../../src/core/index.ts';
import { createRig, type Rig } from './rig.ts';

let rig: Rig;
let disk: string;
let isMounted = false;

beforeAll(async () => {
  rig = await createRig();
  disk = path.join(rig.dir, 'disk');
  fs.mkdirSync(disk);
});
afterAll(async () => {
  if (isMounted) spawnSync('umount', ['-l', disk]);
  await rig.close();
});

/** A small disk of its own, which only root can have. */
const canMount = process.getuid?.() === 0 && spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0;

async function run(script: string) {
  const file = path.join(rig.dir, 'summary.json');
  const outcome = await rig.intramur(['run', '--mode', 'direct', '--workspace', disk, '--summary-json', file, '--', 'bash', '-c', script], {
    cwd: disk,
  });
  const summary = JSON.parse(fs.readFileSync(file, 'utf8')) as { session: string; halted?: string; limits: string[] };
  const { stdout } = await rig.intramur(['ledger', 'show', '--session', summary.session, '--json']);
  const closing = (JSON.parse(stdout) as { entries: Entry[] }).entries.find(({ action }) => action === 'session.close');
  return { ...outcome, summary, closing };
}

describe('limits of a session', () => {
  it('are named in the summary and in the ledger', async () => {
    const { summary, closing } = await run('true');
    expect(summary.limits.join('\n')).toMatch(/one file: \d+ bytes\n/);
    expect(closing?.detail?.['limits']).toEqual(summary.limits);
    expect(summary.halted).toBeUndefined();
  });

  it.skipIf(!canMount).each([
    ['bytes', 'head -c 40M /dev/zero > big; sleep 60', /no space/],
    ['files', 'i=0; while [ $i -lt 1500 ]; do : > f$i; i=$((i+1)); done; sleep 60', /no room for files/],
  ])(`a disk full of %s ends it${canMount ? '' : ', skipped: only root can have a small disk'}`, async (_name, script, reason) => {
    spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64m,nr_inodes=2000', 'none', disk]);
    isMounted = true;
    const { code, stderr, summary, closing } = await run(script);
    spawnSync('umount', ['-l', disk]);
    isMounted = false;
    expect([code, summary.halted, closing?.detail?.['halted']]).toEqual([137, expect.stringMatching(reason), summary.halted]);
    expect(stderr).toMatch(reason);
  });
});
