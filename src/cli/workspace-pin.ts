// The pin of a workspace: what its repository brought along that steers agents when a person looked at it, and how it differs now. One
// file for each workspace in the state directory, out of every sandbox's reach.
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import type { RepositoryFile } from '../audit/index.ts';
import { IntramurError } from '../core/index.ts';
import { lineDiff } from './line-diff.ts';

export interface WorkspacePin {
  /** Real path. */
  readonly workspace: string;
  readonly by: string;
  /** RFC 3339, UTC. */
  readonly at: string;
  readonly files: readonly RepositoryFile[];
}

export interface Drift {
  readonly pin: WorkspacePin;
  readonly changes: readonly { readonly path: string; readonly what: 'added' | 'changed' | 'removed'; readonly diff: string | undefined }[];
}

/** Whether anything was ever pinned. */
export function hasPins(state: string): boolean {
  return fs.existsSync(path.join(state, 'pins'));
}

function fileFor(state: string, workspace: string): string {
  return path.join(state, 'pins', `${crypto.hash('sha256', workspace).slice(0, 40)}.json`);
}

/** The pin of a workspace or of the nearest directory above it. @throws IntramurError CONFIG_INVALID when it does not read */
export function readPin(state: string, workspace: string): WorkspacePin | undefined {
  const dir = pinnedDirectory(state, workspace);
  return dir === undefined ? undefined : pinFor(state, dir);
}

/** The nearest directory, itself or above, that has a pin. */
export function pinnedDirectory(state: string, workspace: string): string | undefined {
  for (let dir = workspace; ; dir = path.dirname(dir)) {
    if (fs.existsSync(fileFor(state, dir))) return dir;
    if (dir === path.dirname(dir)) return undefined;
  }
}

/** Of this very directory. @throws IntramurError CONFIG_INVALID */
export function pinFor(state: string, dir: string): WorkspacePin | undefined {
  const file = fileFor(state, dir);
  return fs.existsSync(file) ? parsePin(file, dir) : undefined;
}

function parsePin(file: string, workspace: string): WorkspacePin {
  try {
    const value = JSON.parse(fs.readFileSync(file, 'utf8')) as Partial<WorkspacePin>;
    const files = value.files?.map(({ path: name, sha256, text }) => ({ path: String(name), sha256: String(sha256), text: text ?? null }));
    if (value.workspace !== workspace || files === undefined) throw new Error('of another form');
    return { workspace, by: String(value.by), at: String(value.at), files };
  } catch (cause) {
    throw new IntramurError('CONFIG_INVALID', `${file}: the pin of ${workspace} does not read`, { cause });
  }
}

export function writePin(state: string, pin: WorkspacePin): void {
  const file = fileFor(state, pin.workspace);
  fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  const part = `${file}.${process.pid}.part`;
  fs.rmSync(part, { force: true });
  fs.writeFileSync(part, `${JSON.stringify({ schema: 'intramur/workspace-pin/1', ...pin }, undefined, 2)}\n`, { mode: 0o600, flag: 'wx' });
  fs.renameSync(part, file);
}

/** One hash for all of it, for the ledger. */
export function digestOf(files: readonly RepositoryFile[]): string {
  return crypto.hash('sha256', JSON.stringify(files.map(({ path: name, sha256 }) => [name, sha256])));
}

/** @returns `undefined` when nothing changed */
export function driftFrom(pin: WorkspacePin, now: readonly RepositoryFile[]): Drift | undefined {
  const before = new Map(pin.files.map((one) => [one.path, one]));
  const after = new Map(now.map((one) => [one.path, one]));
  const changes = [...new Set([...before.keys(), ...after.keys()])].sort().flatMap((name): Drift['changes'] => {
    const [old, fresh] = [before.get(name), after.get(name)];
    if (old?.sha256 === fresh?.sha256) return [];
    const isShown = (old === undefined || old.text !== null) && (fresh === undefined || fresh.text !== null);
    const diff = isShown ? lineDiff({ name, text: old?.text ?? '' }, { name: 'now', text: fresh?.text ?? '' }) : undefined;
    return [{ path: name, what: old === undefined ? 'added' : fresh === undefined ? 'removed' : 'changed', diff }];
  });
  return changes.length === 0 ? undefined : { pin, changes };
}
