// Paths in permission rules: gitignore-like patterns (Claude Code and its relatives) and plain globs.
import path from 'node:path';
import { endsOf, type Pattern } from './match.ts';

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

const inSegment: Pattern = { kind: 'one', accepts: (char) => char !== '/' };
const slash = letter('/');
const anyInSegment = anyNumberOf(inSegment);
const segments = anyNumberOf({ kind: 'sequence', parts: [anyInSegment, slash] });
const anything = anyNumberOf({ kind: 'one', accepts: (char) => !/[\n\r\u2028\u2029]/.test(char) });

function letter(wanted: string): Pattern {
  return { kind: 'one', accepts: (char) => char === wanted };
}

function anyNumberOf(body: Pattern): Pattern {
  return { kind: 'repeat', body, least: 0, most: Infinity };
}

/** `**` crosses directories, `*` and `?` do not. Alternatives are kept as such, never multiplied out. */
function globPattern(glob: string): Pattern {
  const parts: Pattern[] = [];
  // Without a closing brace from here on there is none further on either.
  const lastBrace = glob.lastIndexOf('}');
  for (let i = 0; i < glob.length; i++) {
    const char = glob[i] ?? '';
    if (char === '*') {
      if (glob[i + 1] === '*') {
        const isSegment = (i === 0 || glob[i - 1] === '/') && glob[i + 2] === '/';
        parts.push(isSegment ? segments : anything);
        i += isSegment ? 2 : 1;
      } else parts.push(anyInSegment);
    } else if (char === '?') parts.push(inSegment);
    else if (char === '{' && i < lastBrace) {
      const end = glob.indexOf('}', i);
      parts.push({
        kind: 'choice',
        parts: glob
          .slice(i + 1, end)
          .split(',')
          .map(globPattern),
      });
      i = end;
    } else parts.push(letter(char));
  }
  return { kind: 'sequence', parts };
}

/** Lengths of the beginnings of `text` that the glob matches; `undefined` when it is not understood: longer than any path, or too costly. */
function beginnings(glob: string, text: string): ReadonlySet<number> | undefined {
  return glob.length > longestPath ? undefined : endsOf(globPattern(glob), text, [0]);
}

/** Of Linux; a rule that is longer names no file, except with alternatives. */
const longestPath = 4096;

export function matchesGlob(glob: string, text: string): boolean | undefined {
  return beginnings(glob, text)?.has(text.length);
}

/**
 * A gitignore-like rule: `//abs`, `~/home`, `/from the settings' root`, `./here` and `here`. A pattern without a slash matches at any
 * depth; a pattern that names a directory covers what is below it. `undefined`: the pattern is not understood.
 * @param root what a leading single slash stands for
 */
export function matchesRule(pattern: string, file: string, root: string, base: Base): boolean | undefined {
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

function matchesBelow(glob: string, file: string): boolean | undefined {
  const normal = glob.replace(/\/{2,}/g, '/').replace(/(?<=.)\/$/, '');
  if (normal === '/') return true;
  const lengths = beginnings(normal, file);
  if (lengths === undefined) return undefined;
  if (lengths.has(file.length)) return true;
  for (let dir = path.posix.dirname(file); dir !== '/' && dir !== '.'; dir = path.posix.dirname(dir))
    if (lengths.has(dir.length)) return true;
  return false;
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
