// A machine of its own for each program that is asked: a directory whose `etc` and `home` lie over those of this machine, in a mount and
// network namespace with nothing but loopback. The audit reads the same directory with `--root`, so both see the same paths.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { ask, managedFor, parseQuestions } from '../../../src/audit/index.ts';

export const home = '/home/dev';
export const workspace = '/home/dev/repo';
/** Who the programs run as. */
const nobody = 65534;

export type Question = readonly [action: 'shell' | 'read' | 'write' | 'network' | 'mcp', target: string];

/** Contents by name: `~/x` in the home, `/etc/x` of the system, else in the workspace. A value that is no text is written as JSON. */
export type Files = Readonly<Record<string, unknown>>;

export interface Case {
  readonly name: string;
  readonly files: Files;
  readonly questions: readonly Question[];
  /** Where it is asked, when not in `workspace`. */
  readonly at?: string;
}

/** Absolute paths and the texts that are written there. */
export function placed(files: Files, at = workspace): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(files).map(([name, content]) => [
      name.startsWith('~/') ? `${home}/${name.slice(2)}` : name.startsWith('/') ? name : `${at}/${name}`,
      typeof content === 'string' ? content : JSON.stringify(content),
    ]),
  );
}

export function inImage<T>(files: Files, work: (root: string) => T, at = workspace): T {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'oracle-'));
  let isLater = false;
  try {
    fs.chmodSync(root, 0o755);
    fs.mkdirSync(root + at, { recursive: true });
    fs.mkdirSync(path.join(root, 'etc'));
    fs.writeFileSync(path.join(root, 'etc/passwd'), `root:x:0:0::/root:/bin/sh\ndev:x:${nobody}:${nobody}::${home}:/bin/sh\n`);
    for (const [name, content] of Object.entries(placed(files, at))) {
      fs.mkdirSync(path.dirname(root + name), { recursive: true });
      fs.writeFileSync(root + name, content);
    }
    const made = work(root);
    if (!(made instanceof Promise)) return made;
    isLater = true;
    return made.finally(() => fs.rmSync(root, { recursive: true, force: true })) as T;
  } finally {
    if (!isLater) fs.rmSync(root, { recursive: true, force: true });
  }
}

const within = `set -e
mount --bind "$1/etc" /etc
mount --bind "$1/home" /home
ip link set lo up
cd ${home}
shift
exec "$@"`;

/** How to start a command as an ordinary user inside the image. */
export function commandInside(root: string, command: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const isRoot = process.getuid?.() === 0;
  if (isRoot) spawnSync('chown', ['-R', `${nobody}:${nobody}`, root + home]);
  const drop = isRoot ? ['setpriv', `--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups', '--'] : [];
  const own = isRoot ? [] : ['--user', '--map-root-user'];
  return {
    command: 'unshare',
    args: [...own, '--net', '--mount', '--', 'sh', '-c', within, 'sh', root, ...drop, ...command],
    env: { HOME: home, PATH: process.env['PATH'] ?? '/usr/bin:/bin', TERM: 'dumb', ...env },
  };
}

export function inside(root: string, command: readonly string[]) {
  const how = commandInside(root, command);
  return spawnSync(how.command, how.args, { encoding: 'utf8', timeout: 150_000, maxBuffer: 1 << 26, env: how.env });
}

export function canIsolate(): boolean {
  return process.platform === 'linux' && inImage({}, (root) => inside(root, ['true']).status === 0);
}

/** What the audit says, for the same files on a machine of their own. */
export function ours(agent: string, { files, questions, at = workspace }: Case, installed: Files): readonly string[] {
  const text = questions.map(([action, target]) => JSON.stringify({ agent, workspace: at, action, target })).join('\n');
  const answered = (root: string) => ask({ root, home, dirs: [], userHome: home, cwd: '/', env: {}, tools: {} }, parseQuestions(text));
  return inImage({ ...files, ...installed }, answered, at).answers.map(({ mode }) => mode);
}

/** The package manifest by which the audit knows the installed version. */
export function installedAs(name: string): Files {
  const file = path.resolve('test/agents/node_modules', name, 'package.json');
  return fs.existsSync(file) ? { [`/usr/lib/node_modules/${name}/package.json`]: fs.readFileSync(file, 'utf8') } : {};
}

/** One line for each question that is answered differently. */
export function differences(one: Case, theirs: readonly string[], mine: readonly string[]): readonly string[] {
  return one.questions.flatMap(([action, target], index) =>
    mine[index] === theirs[index]
      ? []
      : [`${one.name}: ${action} ${target}: it says ${theirs[index] ?? 'nothing'}, the audit ${mine[index] ?? 'nothing'}`],
  );
}

/** The files that `managed emit` writes for an agent. */
export function emitted(agent: string): Files {
  const files = managedFor(agent, { status: 'vetted', versions: undefined }) ?? [];
  return Object.fromEntries(files.map(({ path: name, text }) => [name, text]));
}

/**
 * Runs one of the programs beside this file inside an image, once for all cases: what it answers to each question of each case.
 * @param system files of the administrator, the same for all cases
 */
export function askedInside(driver: string, program: string, cases: readonly Case[], system: Files = {}): readonly (readonly string[])[] {
  const input = cases.map(({ files, questions, at = workspace }) => ({ files: placed(files, at), workspace: at, questions }));
  return inImage({ ...system, '/etc/cases.json': input }, (root) => {
    const child = inside(root, [process.execPath, path.resolve('test/e2e/oracle', driver), program, '/etc/cases.json']);
    if (child.status !== 0) throw new Error(`${driver}: ${child.stderr.slice(0, 2000)}`);
    return JSON.parse(child.stdout.trim().split('\n').at(-1) ?? '[]');
  });
}
