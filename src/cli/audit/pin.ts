// `audit --pin`: somebody has looked at what a repository brings along, and from now on `run` refuses to start where it is not that.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { repositoryFiles } from '../../audit/index.ts';
import { IntramurError, placesFrom } from '../../core/index.ts';
import { withDaemon } from '../daemon-at-hand.ts';
import type { CliIo } from '../io.ts';
import { printable } from '../run/status-line.ts';
import { digestOf, driftFrom, readPin, writePin } from '../workspace-pin.ts';

interface Pinned {
  readonly workspace: string;
  /** Ledger entry that says who. */
  readonly entry: number;
  readonly files: readonly { readonly path: string; readonly sha256: string }[];
  /** Since it was pinned before. */
  readonly changes: readonly { readonly path: string; readonly what: 'added' | 'changed' | 'removed' }[];
}

export async function pin(dirs: readonly string[], asJson: boolean, io: CliIo): Promise<number> {
  const places = placesFrom(io.env, io.home);
  const pins: Pinned[] = [];
  for (const dir of dirs.length === 0 ? [io.cwd] : dirs) {
    const workspace = fs.realpathSync(path.resolve(io.cwd, dir));
    if (workspace === '/' || workspace === fs.realpathSync(io.home))
      throw new IntramurError('USAGE', `${workspace} is no repository: what it brings changes all the time`);
    const files = repositoryFiles(workspace);
    const before = readPin(places.state, workspace);
    const drift = before === undefined || before.workspace !== workspace ? undefined : driftFrom(before, files);
    const changes = drift?.changes ?? [];
    for (const { path: name, what, diff } of asJson ? [] : changes)
      io.stdout.write(diff === undefined ? `${what} ${printable(name)}\n` : shown(diff));
    const { client, answer } = await withDaemon(places, io.env, (daemon) =>
      daemon.pinned({ workspace, files: files.length, digest: digestOf(files) }),
    );
    client.release();
    writePin(places.state, { workspace, by: os.userInfo().username, at: new Date().toISOString(), files });
    pins.push({
      workspace,
      entry: answer.entry,
      files: files.map(({ path: name, sha256 }) => ({ path: name, sha256 })),
      changes: changes.map(({ path: name, what }) => ({ path: name, what })),
    });
    if (asJson) continue;
    io.stdout.write(`pinned what ${printable(workspace)} brings for agents; ledger entry ${answer.entry}\n`);
    for (const { path: name, sha256 } of files) io.stdout.write(`  ${sha256.slice(0, 12)}  ${printable(name)}\n`);
    if (files.length === 0) io.stdout.write('  nothing: whatever comes is a change\n');
  }
  if (asJson) io.stdout.write(`${JSON.stringify({ schema: 'intramur/audit-pin/1', pins }, undefined, 2)}\n`);
  return 0;
}

function shown(diff: string): string {
  return diff.split('\n').map(printable).join('\n');
}
