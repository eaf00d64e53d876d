// What a workspace is and how sensitive: its paths, its git remotes (read as text, git is never run) and the class that follows.
import { constants, open, realpath } from 'node:fs/promises';
import path from 'node:path';
import { type Classification, canonicalHost, highestClassification } from '../core/index.ts';
import type { Config } from './config.ts';
import { matchGlob } from './wildcard.ts';

export interface Repository {
  /** Where it lies, also by its real path, by its main work tree and by the local path it was cloned from. */
  readonly paths: readonly string[];
  /** `host/path` of every remote. */
  readonly remotes: readonly string[];
}

/** The class of data whose repository no rule knows. */
const unmatched: Classification = 'internal';

/**
 * The highest class of all rules that match; `internal` when none does. A workspace that contains a place which a rule names is
 * at least of that rule's class, because an agent in it can read that place.
 */
export function classificationOf(config: Config, { paths, remotes }: Repository): Classification {
  let matched: Classification | undefined;
  let contained: Classification = 'public';
  for (const { match, classification } of config.repositories) {
    const isHit = match.startsWith('/') ? paths.some((p) => matchesUpwards(match, p)) : matchesRemoteOrAny(match, paths, remotes);
    if (isHit) matched = highestClassification(matched ?? 'public', classification);
    else if (match.startsWith('/') && paths.some((p) => isBelow(literalPrefix(match), p)))
      contained = highestClassification(contained, classification);
  }
  return highestClassification(matched ?? unmatched, contained);
}

/** A directory below a matched repository belongs to it. */
function matchesUpwards(glob: string, directory: string): boolean {
  for (let at = directory; ; at = path.dirname(at)) {
    if (matchGlob(glob, at)) return true;
    if (at === path.dirname(at)) return false;
  }
}

function matchesRemoteOrAny(glob: string, paths: readonly string[], remotes: readonly string[]): boolean {
  // Hosting services do not tell upper from lower case in paths, so `Core/` must not be a way around a rule for `core/`.
  if (remotes.some((remote) => matchGlob(glob.toLowerCase(), remote.toLowerCase()))) return true;
  return glob.startsWith('**') && paths.some((p) => matchesUpwards(glob, p));
}

function literalPrefix(glob: string): string {
  const wild = glob.search(/[*?]/);
  return wild < 0 ? glob : glob.slice(0, glob.lastIndexOf('/', wild) + 1);
}

function isBelow(inner: string, outer: string): boolean {
  const relative = path.relative(outer, inner);
  return !relative.startsWith('..') && !path.isAbsolute(relative);
}

/** Reads what there is to know about `directory`. What cannot be read is left out: then no rule matches and the default class holds. */
export async function readRepository(directory: string): Promise<Repository> {
  const real = await realpath(directory).catch(() => path.resolve(directory));
  const paths = new Set([path.resolve(directory), real]);
  const remotes = new Set<string>();
  const git = await findGit(real);
  if (git) {
    paths.add(git.top);
    // The git directory of a work tree is `MAIN/.git/worktrees/NAME`, its common directory `MAIN/.git`.
    if (path.basename(git.common) === '.git') paths.add(path.dirname(git.common));
    for (const url of remoteUrls((await readText(path.join(git.common, 'config'))) ?? '')) {
      const remote = parseRemote(url);
      if (remote?.kind === 'host') remotes.add(remote.name);
      if (remote?.kind === 'path') paths.add(path.resolve(git.top, remote.name));
    }
  }
  return { paths: [...paths], remotes: [...remotes] };
}

/** `https://user@git.acme.example:8443/core/api.git`, `git@git.acme.example:core/api` → `git.acme.example/core/api`. */
export function parseRemote(url: string): { readonly kind: 'host' | 'path'; readonly name: string } | undefined {
  const text = url.trim();
  if (/^[a-z][a-z0-9+.-]*::/i.test(text)) return undefined;
  const schemed = /^([a-z][a-z0-9+.-]*):\/\/(?:[^/@]*@)?(\[[^\]]*\]|[^/:]*)(?::\d*)?(\/.*)?$/i.exec(text);
  if (schemed) {
    if (schemed[1]?.toLowerCase() === 'file') return { kind: 'path', name: withoutGit(schemed[3] ?? '/') };
    return hostRemote(schemed[2], schemed[3]);
  }
  const colon = text.indexOf(':');
  const slash = text.indexOf('/');
  if (colon > 0 && (slash < 0 || colon < slash)) {
    const scp = /^(?:[^@/]*@)?(\[[^\]]*\]|[^:/]+):(.*)$/.exec(text);
    return hostRemote(scp?.[1], scp?.[2]);
  }
  return text === '' ? undefined : { kind: 'path', name: withoutGit(text) };
}

function hostRemote(host: string | undefined, rest: string | undefined): ReturnType<typeof parseRemote> {
  const name = canonicalHost(host ?? '');
  if (name === undefined) return undefined;
  const segments: string[] = [];
  for (const segment of decoded(rest ?? '').split('/')) {
    if (segment === '..') segments.pop();
    else if (segment !== '' && segment !== '.') segments.push(segment);
  }
  return { kind: 'host', name: withoutGit([name, ...segments].join('/')) };
}

function withoutGit(text: string): string {
  return text.replace(/\/+$/, '').replace(/\.git$/i, '') || '/';
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Every `url` and `pushurl` of the remotes in a git configuration (git-config(1), "Syntax"). Includes are not followed. */
export function remoteUrls(text: string): readonly string[] {
  const urls: string[] = [];
  let isRemote = false;
  for (const line of text.replace(/\\\r?\n/g, '').split(/\r?\n/)) {
    const section = /^\s*\[\s*([A-Za-z0-9.-]+)(?:\s+"(?:[^"\\]|\\.)*")?\s*\](.*)$/.exec(line);
    if (section) isRemote = /^remote(\.|$)/i.test(section[1] ?? '');
    const variable = /^\s*(?:push)?url\s*=\s*(.*)$/i.exec(section ? (section[2] ?? '') : line);
    if (isRemote && variable) urls.push(unquoted(variable[1] ?? ''));
  }
  return urls;
}

function unquoted(value: string): string {
  let text = '';
  let isQuoted = false;
  for (let i = 0; i < value.length; i++) {
    const char = value[i] ?? '';
    if (char === '\\') text += value[++i] ?? '';
    else if (char === '"') isQuoted = !isQuoted;
    else if (!isQuoted && (char === '#' || char === ';')) break;
    else text += char;
  }
  return text.trim();
}

/** The nearest git directory at or above `from`, with the directory that holds its configuration. */
async function findGit(from: string): Promise<{ top: string; common: string } | undefined> {
  for (let top = from; ; top = path.dirname(top)) {
    const dot = path.join(top, '.git');
    if ((await readText(path.join(dot, 'config'))) !== undefined) return { top, common: dot };
    const gitdir = /^gitdir:\s*(.+?)\s*$/m.exec((await readText(dot)) ?? '')?.[1];
    if (gitdir !== undefined) {
      const own = path.resolve(top, gitdir);
      const common = (await readText(path.join(own, 'commondir')))?.trim();
      return { top, common: common === undefined || common === '' ? own : path.resolve(own, common) };
    }
    if (top === path.dirname(top)) return undefined;
  }
}

const maxGitBytes = 1024 * 1024;

async function readText(file: string): Promise<string | undefined> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK).catch(() => undefined);
  if (!handle) return undefined;
  try {
    const stat = await handle.stat();
    return stat.isFile() && stat.size <= maxGitBytes ? await handle.readFile('utf8') : undefined;
  } catch {
    return undefined;
  } finally {
    await handle.close();
  }
}
