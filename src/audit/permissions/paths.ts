// Paths in permission rules: gitignore-like patterns (Claude Code and its relatives) and plain globs.
import path from 'node:path';
import { escapeRegExp } from './shell.ts';

export interface Base {
  readonly workspace: string;
  readonly home: string;
}

/** Absolute path of what a question or command names. */
export function absolute(target: string, { workspace, home }: Base): string {
  if (target === '~' || target.startsWith('~/')) return path.posix.normalize(home + target.slice(1));
  return path.posix.resolve(workspace, target.replace(/^file:\/\//, ''));
}

export function isInside(file: string, dir: string): boolean {
  return file === dir || dir === '/' || file.startsWith(`${dir}/`);
}

/** A glob as an expression: `**` crosses directories, `*` and `?` do not. */
export function globToRegExp(glob: string): RegExp {
  let source = '';
  for (let i = 0; i < glob.length; i++) {
    const char = glob[i] ?? '';
    if (char === '*') {
      if (glob[i + 1] === '*') {
        const isSegment = (i === 0 || glob[i - 1] === '/') && glob[i + 2] === '/';
        source += isSegment ? '(?:[^/]*/)*' : '.*';
        i += isSegment ? 2 : 1;
      } else source += '[^/]*';
    } else if (char === '?') source += '[^/]';
    else if (char === '{') {
      const end = glob.indexOf('}', i);
      if (end < 0) source += '\\{';
      else {
        source += `(?:${glob
          .slice(i + 1, end)
          .split(',')
          .map((one) => globToRegExp(one).source.slice(1, -1))
          .join('|')})`;
        i = end;
      }
    } else source += escapeRegExp(char);
  }
  return new RegExp(`^${source}$`);
}

/**
 * A gitignore-like rule: `//abs`, `~/home`, `/from the settings' root`, `./here` and `here`. A pattern without a slash matches at any
 * depth; a pattern that names a directory covers what is below it.
 * @param root what a leading single slash stands for
 */
export function matchesRule(pattern: string, file: string, root: string, base: Base): boolean {
  const bare = pattern.trim();
  if (bare === '') return false;
  if (bare === '*' || bare === '**' || bare === '**/*') return bare.startsWith('**') || isInside(file, base.workspace);
  if (bare.startsWith('//')) return matchesBelow(bare.slice(1), file);
  if (bare === '~' || bare.startsWith('~/')) return matchesBelow(base.home + bare.slice(1), file);
  if (bare.startsWith('/')) return matchesBelow(root + bare, file);
  const relative = bare.replace(/^(\.\/)+/, '');
  if (relative.startsWith('../')) return matchesBelow(path.posix.resolve(base.workspace, relative), file);
  const isAnchored = relative.replace(/\/$/, '').includes('/') || bare.startsWith('./');
  if (!isInside(file, base.workspace)) return false;
  return matchesBelow(isAnchored ? `${base.workspace}/${relative}` : `${base.workspace}/**/${relative}`, file);
}

function matchesBelow(glob: string, file: string): boolean {
  const normal = glob.replace(/\/{2,}/g, '/').replace(/(?<=.)\/$/, '');
  if (globToRegExp(normal).test(file)) return true;
  for (let dir = path.posix.dirname(file); dir !== '/' && dir !== '.'; dir = path.posix.dirname(dir))
    if (globToRegExp(normal).test(dir)) return true;
  return normal === '/';
}

/** Host of a URL or of a bare `host[:port][/path]`. */
export function hostOf(target: string): string {
  const url = /^[a-z][\w+.-]*:\/\//i.test(target) ? target : `https://${target}`;
  return URL.canParse(url) ? new URL(url).hostname.toLowerCase() : target.toLowerCase();
}

/** `example.com`, `*.example.com`, `*`. */
export function matchesHost(pattern: string, target: string, coversSubdomains: boolean): boolean {
  const host = hostOf(target);
  const wanted = pattern
    .toLowerCase()
    .replace(/^[a-z]+:\/\//, '')
    .replace(/[/:].*$/, '');
  if (wanted === '*' || wanted === '**') return true;
  if (wanted.startsWith('*.')) return host.endsWith(wanted.slice(1));
  return host === wanted || (coversSubdomains && host.endsWith(`.${wanted}`));
}
