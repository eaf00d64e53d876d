import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ownerOf, requireReachable } from './owner.ts';

const root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'intramur-owner-')));
afterAll(() => fs.rmSync(root, { recursive: true, force: true }));

describe('whom the sandbox runs as', () => {
  it('leaves an ordinary user who they are', () => {
    const alice = { uid: 4711, gid: 4712 };
    expect(ownerOf(root, alice)).toEqual({ outer: alice, inner: alice, isRoot: false });
  });

  it.runIf(process.geteuid?.() === 0)('shows root as an ordinary user in a workspace of its own, and makes it the owner of another', () => {
    expect(ownerOf(root)).toEqual({ outer: { uid: 0, gid: 0 }, inner: { uid: 1000, gid: 1000 }, isRoot: true });
    const theirs = path.join(root, 'theirs');
    fs.mkdirSync(theirs);
    fs.chownSync(theirs, 4711, 4712);
    expect(ownerOf(theirs)).toEqual({ outer: { uid: 4711, gid: 4712 }, inner: { uid: 4711, gid: 4712 }, isRoot: true });
  });

  it('says what the owner of the workspace may not enter', () => {
    const closed = path.join(root, 'closed');
    fs.mkdirSync(closed, { mode: 0o700 });
    fs.chmodSync(root, 0o755);
    const other = { uid: 4711, gid: 4712 };
    const owner = { outer: other, inner: other, isRoot: true };
    expect(() => requireReachable(owner, [path.join(root, 'file'), path.join(closed, 'program')])).toThrow(`may not enter ${closed}`);
    expect(() => requireReachable(owner, [path.join(root, 'file'), '/usr/bin/env'])).not.toThrow();
    expect(() => requireReachable({ ...owner, isRoot: false }, [path.join(closed, 'program')])).not.toThrow();
  });
});
