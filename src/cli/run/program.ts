// Which program is to run, what of the host it needs to start, and which agent it is. `node …/codex.js` is codex: where an
// interpreter is started with a script, the script's package is needed too.
import fs from 'node:fs';
import path from 'node:path';
import { type Adapter, agentOf } from '../../agents/index.ts';
import { IntramurError } from '../../core/index.ts';
import { type ResolvedProgram, resolveProgram } from '../../sandbox/index.ts';
import type { CliIo } from '../io.ts';

export interface Program {
  readonly resolved: ResolvedProgram;
  readonly adapter: Adapter | undefined;
  /** The adapter's id, or the program's own file name. */
  readonly tool: string;
  /** Real path of the program, or of the script that it is started with. */
  readonly file: string;
  /** From the package that the file belongs to; nothing is started to ask. */
  readonly version: string | undefined;
}

const interpreters = /^(?:node|nodejs|bun|deno|python[\d.]*|ruby|perl)$/;

/** @throws IntramurError CONFIG_NOT_FOUND */
export async function programOf(
  [command, ...args]: readonly [string, ...string[]],
  { env, cwd }: Pick<CliIo, 'env' | 'cwd'>,
): Promise<Program> {
  const found = resolveProgram(command, env, cwd);
  if (!found) throw noProgram(command, cwd);
  const script = interpreters.test(path.basename(command)) ? scriptOf(args, cwd) : undefined;
  const needed = script === undefined ? undefined : (resolveProgram(script, env, cwd) ?? { trees: [script], binDirs: [] });
  const resolved = needed
    ? { path: found.path, trees: [...found.trees, ...needed.trees], binDirs: [...found.binDirs, ...needed.binDirs] }
    : found;
  const adapter = agentOf(script ?? found.path) === undefined ? undefined : await adapterOf(script ?? found.path);
  const file = fs.realpathSync(script ?? found.path);
  return { resolved, adapter, tool: adapter?.id ?? path.basename(command), file, version: adapter && versionOf(file, adapter) };
}

function noProgram(command: string, cwd: string): IntramurError {
  const place = command.includes('/') ? path.resolve(cwd, command) : undefined;
  if (place !== undefined && fs.existsSync(place)) {
    const why = fs.statSync(place).isDirectory() ? 'is a directory' : 'is not executable';
    return new IntramurError('CONFIG_NOT_FOUND', `"${command}" ${why}, so it cannot be run`);
  }
  return new IntramurError('CONFIG_NOT_FOUND', `there is no program "${command}"`, {
    hint: 'it is searched for as a shell does, along PATH',
  });
}

/** The adapters are loaded for an agent only. */
async function adapterOf(file: string): Promise<Adapter | undefined> {
  const { adapterFor } = await import('./when-asked/adapter.ts');
  return adapterFor(file);
}

/** A self-installed agent lies under its version number; a package says its own. */
function versionOf(file: string, { npm }: Adapter): string | undefined {
  if (/^\d+\.\d+\.\d+/.test(path.basename(file))) return path.basename(file);
  for (let dir = path.dirname(file); dir !== path.dirname(dir); dir = path.dirname(dir)) {
    const declared = packageAt(dir);
    if (declared) return npm.some((name) => declared.name === name || declared.name.startsWith(`${name}-`)) ? declared.version : undefined;
  }
  return undefined;
}

function packageAt(dir: string): { name: string; version: string } | undefined {
  try {
    const { name, version } = JSON.parse(fs.readFileSync(path.join(dir, 'package.json'), 'utf8')) as Record<string, unknown>;
    return typeof name === 'string' && typeof version === 'string' ? { name, version } : undefined;
  } catch {
    return undefined;
  }
}

/** The first argument that is a file; options before it may take values, which are then no files. */
function scriptOf(args: readonly string[], cwd: string): string | undefined {
  const first = args.find((arg) => !arg.startsWith('-'));
  if (first === undefined) return undefined;
  const file = path.resolve(cwd, first);
  try {
    return fs.statSync(file, { throwIfNoEntry: false })?.isFile() ? file : undefined;
  } catch {
    // Code after `-c` or `-e`, and no name of a file at all: too long for one, or with what none may hold.
    return undefined;
  }
}
