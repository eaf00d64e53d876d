// The places that the runs need on disk: the workspace under each of its names, directories of extra programs, and a layer for each run.
// INVARIANT: whatever does not vary is exactly the same in every run, paths included.
import fs from 'node:fs';
import path from 'node:path';
import { type Assignment, type Factor, factors, levelOf, levels } from '../../attest/index.ts';
import { discardLayer, readLayer } from '../../sandbox/index.ts';

export interface Stage {
  /** The workspace for this assignment; the same path for the same directory name. */
  workspace(assignment: Assignment): string;
  /** A fresh layer over the workspace, with the git configuration of this assignment in it. */
  openLayer(assignment: Assignment): { readonly upper: string; readonly work: string; close(): void };
  tools(assignment: Assignment): string;
  /** Places outside that links in the workspace lead to; to be shown read-only. */
  readonly linked: readonly string[];
  /** What a program may openly state in such a run. */
  stated(assignment: Assignment): Readonly<Record<Factor, readonly string[]>>;
  close(): void;
}

/** Dependencies can be gigabytes: linked to where they are instead of copied. */
const notCopied = new Set(['node_modules', '.venv', 'target']);

/** @param root an empty directory of our own, on a disk that can hold overlay layers */
export function prepareStage(root: string, source: string): Stage {
  let layers = 0;
  const nameOf = (assignment: Assignment): string => levelOf('directory', assignment).id;
  for (const { id } of [levels.directory.base, ...levels.directory.others]) copyWorkspace(source, path.join(root, id));
  for (const assignment of [{}, { tools: levels.tools.others[0]?.id ?? '' }]) {
    const directory = toolsIn(root, assignment);
    fs.mkdirSync(directory, { recursive: true });
    for (const name of levelOf('tools', assignment).stated)
      fs.writeFileSync(path.join(directory, name), '#!/bin/sh\nexit 0\n', { mode: 0o755 });
  }
  const stage: Stage = {
    linked: dependenciesIn(source),
    workspace: (assignment) => path.join(root, nameOf(assignment)),
    tools: (assignment) => toolsIn(root, assignment),
    openLayer(assignment) {
      layers += 1;
      const directory = path.join(root, 'layers', String(layers));
      const upper = path.join(directory, 'upper');
      fs.mkdirSync(path.join(upper, '.git'), { recursive: true, mode: 0o700 });
      fs.writeFileSync(path.join(upper, '.git', 'config'), gitConfig(stage.workspace(assignment), assignment));
      return {
        upper,
        work: path.join(directory, 'work'),
        close() {
          const layer = readLayer(directory);
          if (layer) discardLayer(layer);
        },
      };
    },
    stated(assignment) {
      const own: Partial<Record<Factor, readonly string[]>> = {
        directory: [stage.workspace(assignment), nameOf(assignment)],
        tools: [...levelOf('tools', assignment).stated, toolsIn(root, assignment)],
      };
      return statedBy((factor) => own[factor] ?? levelOf(factor, assignment).stated);
    },
    close() {
      fs.rmSync(root, { recursive: true, force: true });
    },
  };
  return stage;
}

function statedBy(of: (factor: Factor) => readonly string[]): Record<Factor, readonly string[]> {
  const [timezone, locale, hostname, user] = [of('timezone'), of('locale'), of('hostname'), of('user')];
  const rest = { 'base-url': of('base-url'), 'git-remote': of('git-remote'), 'git-author': of('git-author'), directory: of('directory') };
  return { timezone, locale, hostname, user, ...rest, proxy: of('proxy'), tools: of('tools'), date: of('date'), login: of('login') };
}

function toolsIn(root: string, assignment: Assignment): string {
  return path.join(root, assignment.tools === undefined ? 'programs-a' : 'programs-b');
}

function dependenciesIn(source: string): string[] {
  const real = fs.realpathSync(source);
  return [...notCopied]
    .map((name) => path.join(real, name))
    .filter((place) => fs.lstatSync(place, { throwIfNoEntry: false })?.isDirectory());
}

function copyWorkspace(source: string, target: string): void {
  fs.cpSync(source, target, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (file) => !notCopied.has(path.basename(file)) && !fs.lstatSync(file).isSocket() && !fs.lstatSync(file).isFIFO(),
  });
  for (const place of dependenciesIn(source)) fs.symlinkSync(place, path.join(target, path.basename(place)));
  const git = path.join(target, '.git');
  if (fs.existsSync(path.join(git, 'HEAD'))) return;
  // A worktree's `.git` is a file that leads outside: replaced.
  fs.rmSync(git, { recursive: true, force: true });
  for (const directory of ['objects', 'refs/heads']) fs.mkdirSync(path.join(git, directory), { recursive: true });
  fs.writeFileSync(path.join(git, 'HEAD'), 'ref: refs/heads/main\n');
  fs.writeFileSync(path.join(git, 'config'), '[core]\n\trepositoryformatversion = 0\n');
}

/** The workspace's own settings without its remotes and people, then ours. */
function gitConfig(workspace: string, assignment: Assignment): string {
  const file = path.join(workspace, '.git', 'config');
  // Git does without one, too.
  const own = fs.statSync(file, { throwIfNoEntry: false })?.isFile() ? fs.readFileSync(file, 'utf8') : '';
  const kept = own.split(/^(?=\[)/m).filter((section) => !/^\[\s*(?:remote|user|include|includeif|credential|url)\b/i.test(section));
  const [, name = '', email = ''] = /^(.*) <(.*)>$/.exec(levelOf('git-author', assignment).id) ?? [];
  const remote = levelOf('git-remote', assignment).id;
  return `${kept.join('')}\n[remote "origin"]\n\turl = ${remote}\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n[user]\n\tname = ${name}\n\temail = ${email}\n`;
}

/** Every word of `--vary`, checked. */
export function parseVary(text: string): readonly Factor[] | { readonly unknown: string } {
  const chosen: Factor[] = [];
  for (const word of text.split(',').map((part) => part.trim())) {
    const factor = factors.find((known) => known === word);
    if (factor === undefined) return { unknown: word };
    chosen.push(factor);
  }
  return chosen;
}
