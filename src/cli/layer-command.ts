// What `diff`, `apply` and `discard` have in common: which session, which paths, and how a change is shown. Every name was chosen by
// the agent: control characters are escaped, so that none can forge a line or drive the terminal.
import fs from 'node:fs';
import path from 'node:path';
import { IntramurError, placesFrom } from '../core/index.ts';
import { type Change, chooseLayer, type Layer } from '../sandbox/index.ts';
import type { CliIo } from './io.ts';
import { jsonOption, type Options, unknownOption } from './options.ts';

export const layerOptions = {
  ...jsonOption,
  only: { type: 'string', multiple: true, value: 'PATH…', does: 'these, and what lies below them' },
} as const satisfies Options;
export const applyOptions = {
  ...layerOptions,
  'yes-sensitive': { type: 'boolean', does: 'what can run or steer something later, too' },
} as const satisfies Options;

export interface LayerCommand {
  readonly layer: Layer;
  readonly session: string;
  /** The changes that were asked for. */
  readonly changes: readonly Change[];
  /** The others. */
  readonly rest: readonly Change[];
  /** True when `--only` named some. */
  readonly isPart: boolean;
  readonly isJson: boolean;
  readonly withSensitive: boolean;
  readonly cacheDir: string;
}

/** @param options `wholeUnseen`: without `--only` the command does its work on a layer that cannot be compared, too */
export function layerCommand(args: readonly string[], io: CliIo, options: { sensitive: boolean; wholeUnseen?: boolean }): LayerCommand {
  const { session, only, isJson, withSensitive } = parsed(args, options.sensitive);
  const places = placesFrom(io.env, io.home);
  const cwd = fs.realpathSync(io.cwd);
  const { layer, changes, others } = chooseLayer(places.sessions, session, cwd, {
    cacheDir: places.cache,
    isNeeded: only.length > 0 || options.wholeUnseen !== true,
  });
  if (others.length > 0) io.stderr.write(waiting(others));
  const wanted = only.map((one) => relative(one, cwd, layer.manifest.workspace, changes));
  const chosen = wanted.length === 0 ? changes : changes.filter((change) => wanted.some((one) => isAtOrBelow(change.path, one)));
  const asked = new Set(chosen);
  const missing = wanted.find((one) => !changes.some((change) => isAtOrBelow(change.path, one)));
  if (missing !== undefined) throw new IntramurError('USAGE', `nothing changed at ${shown(missing)}`, { hint: 'intramur diff' });
  return {
    layer,
    session: layer.manifest.session,
    changes: chosen,
    rest: changes.filter((change) => !asked.has(change)),
    isPart: wanted.length > 0,
    isJson,
    withSensitive,
    cacheDir: places.cache,
  };
}

/** What nobody looked at is not to be forgotten because another session began later. */
function waiting(sessions: readonly string[]): string {
  const more = sessions.length > maxNamed ? ` and ${sessions.length - maxNamed} more` : '';
  const them = `${sessions.length === 1 ? 'session' : 'sessions'} ${sessions.slice(0, maxNamed).map(shown).join(', ')}${more}`;
  return `older changes of this workspace wait in ${them}; to look at one: intramur diff ${shown(sessions[0] ?? '')}\n`;
}

const maxNamed = 8;

function parsed(args: readonly string[], takesSensitive: boolean) {
  const only: string[] = [];
  let session: string | undefined;
  let isJson = false;
  let withSensitive = false;
  let isOnly = false;
  let areNames = false;
  for (const arg of args) {
    if (areNames) only.push(arg);
    else if (arg === '--' && isOnly) areNames = true;
    else if (arg === '--json') isJson = true;
    else if (arg === '--yes-sensitive' && takesSensitive) withSensitive = true;
    else if (arg === '--only') isOnly = true;
    else if (arg.startsWith('--only=')) only.push(arg.slice('--only='.length));
    else if (arg.startsWith('-')) throw unknownOption(shown(arg), Object.keys(takesSensitive ? applyOptions : layerOptions));
    else if (isOnly) only.push(arg);
    else if (session === undefined) session = arg;
    else throw new IntramurError('USAGE', `unexpected ${shown(arg)}; paths follow --only`);
  }
  // An empty path would mean the whole workspace, which is what whoever wrote `--only` did not mean.
  if ((isOnly && only.length === 0) || only.includes('')) throw new IntramurError('USAGE', '--only needs a path');
  return { session, only, isJson, withSensitive };
}

/** A path as the user names it: from where they stand, or from the top of the workspace. A git directory may lie outside. */
function relative(name: string, cwd: string, workspace: string, changes: readonly Change[]): string {
  const here = path.relative(workspace, path.resolve(cwd, name));
  const isOutside = here === '..' || here.startsWith('../');
  return isOutside && !changes.some((change) => isAtOrBelow(change.path, here)) ? path.normalize(name) : here;
}

function isAtOrBelow(file: string, place: string): boolean {
  const at = place.replace(/\/$/, '');
  if (at === '' || at === '.') return !file.startsWith('../');
  return file === at || file.startsWith(`${at}/`);
}

/** A name as one line of printable text. */
export function shown(name: string): string {
  return name.replaceAll(/[\p{C}\p{Zl}\p{Zp}\\]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return character === '\\' ? '\\\\' : code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
  });
}

const signs = { added: 'A', modified: 'M', deleted: 'D', mode: 'm' } as const;

export function line(change: Change): string {
  const name = `${shown(change.path)}${change.node === 'directory' ? '/' : ''}`;
  const why = change.class === 'code' ? '' : `  [${change.class}: ${change.why}]`;
  return `${signs[change.change]} ${name}${why}${change.conflict === undefined ? '' : `  [conflict: ${change.conflict}]`}\n`;
}
