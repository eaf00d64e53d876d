// Which agents are on this machine: by program, package, extension, application and by the directories that they leave. Everything is
// read; nothing that is found is started.
import path from 'node:path';
import { type CatalogueEntry, type Confidence, catalogue } from './catalogue/index.ts';
import { bundleSignatures } from './catalogue/signatures.ts';
import { expand, join } from './load.ts';
import type { Tree } from './read/tree.ts';

export type Presence = 'program' | 'package' | 'extension' | 'application' | 'traces';

export interface FoundAgent {
  readonly entry: CatalogueEntry;
  readonly presence: Presence;
  readonly version: string | undefined;
  readonly path: string;
  readonly sha256: string | undefined;
  /** Unix milliseconds of the last change. */
  readonly modifiedMs: number | undefined;
  readonly confidence: Confidence;
  /** Ids of bundle signatures that were found in the program. */
  readonly signatures: readonly string[];
  readonly home: string | undefined;
}

const programDirectories = [
  ...['/usr/local/bin', '/usr/bin', '/bin', '/opt/homebrew/bin', '/home/linuxbrew/.linuxbrew/bin', '/snap/bin', '/usr/games'],
  ...['~/.local/bin', '~/bin', '~/.npm-global/bin', '~/.bun/bin', '~/.cargo/bin', '~/go/bin', '~/.claude/local', '~/.opencode/bin'],
  ...[
    '~/.deno/bin',
    '~/.volta/bin',
    '~/.local/share/pnpm',
    '~/.nvm/versions/node/*/bin',
    '~/.local/share/fnm/node-versions/*/installation/bin',
  ],
];
const packageDirectories = [
  ...['/usr/lib/node_modules', '/usr/local/lib/node_modules', '/opt/homebrew/lib/node_modules'],
  ...['~/.npm-global/lib/node_modules', '~/.local/lib/node_modules', '~/.bun/install/global/node_modules', '~/.claude/local/node_modules'],
  ...['~/.nvm/versions/node/*/lib/node_modules', '~/.local/share/pnpm/global/*/node_modules', '~/.config/yarn/global/node_modules'],
  ...['~/.volta/tools/image/packages/*/lib/node_modules', '~/.local/share/fnm/node-versions/*/installation/lib/node_modules'],
];
const pythonDirectories = [
  ...['~/.local/lib/python3*/site-packages', '/usr/lib/python3/dist-packages', '/usr/local/lib/python3*/dist-packages'],
  ...['~/.local/share/pipx/venvs/*/lib/python3*/site-packages', '~/.local/share/uv/tools/*/lib/python3*/site-packages'],
  '~/.local/pipx/venvs/*/lib/python3*/site-packages',
];
const extensionDirectories = [
  '.vscode',
  '.vscode-insiders',
  '.vscode-server',
  '.vscode-oss',
  '.cursor',
  '.windsurf',
  '.kiro',
  '.trae',
  '.qoder',
].map((dir) => `~/${dir}/extensions`);
const jetbrainsDirectories = [
  '~/.local/share/JetBrains/*',
  '~/Library/Application Support/JetBrains/*/plugins',
  '~/AppData/Roaming/JetBrains/*/plugins',
];
const brewDirectories = ['/opt/homebrew/Cellar', '/usr/local/Cellar', '/home/linuxbrew/.linuxbrew/Cellar'];
const applicationDirectories = ['/Applications', '~/Applications', '/opt', '/usr/share'];
/** Programs up to this size are hashed; the largest agents are about 250 MB. */
const hashLimit = 600 << 20;

interface Candidate {
  readonly presence: Presence;
  readonly path: string;
  readonly version: string | undefined;
  readonly home: string | undefined;
}

/** @param extraPath directories of the caller's PATH; empty when another machine's files are audited */
export function discover(
  tree: Tree,
  homes: readonly string[],
  extraPath: readonly string[],
  touched: ReadonlySet<string>,
  onAgent: (name: string, index: number) => void = () => {},
): readonly FoundAgent[] {
  const places = new Places(tree, homes, extraPath);
  const found: FoundAgent[] = [];
  for (const [index, entry] of catalogue.entries()) {
    onAgent(entry.name, index);
    const candidates = [
      ...programs(places, entry),
      ...packages(places, entry),
      ...extensions(places, entry),
      ...applications(places, entry),
    ];
    if (candidates.length === 0) candidates.push(...traces(places, entry, touched));
    const seen = new Set<string>();
    for (const candidate of candidates) {
      const real = tree.resolve(candidate.path) ?? candidate.path;
      // A package whose program is already listed is the same installation.
      if (seen.has(real) || [...seen].some((one) => one.startsWith(`${real}/`))) continue;
      seen.add(real);
      found.push(describe(tree, entry, candidate, real));
    }
  }
  return found;
}

function describe(tree: Tree, entry: CatalogueEntry, candidate: Candidate, real: string): FoundAgent {
  const stat = tree.stat(real);
  const signatures = bundleSignatures.filter((signature) => signature.agent === entry.id);
  const texts = signatures.map(({ text }) => text);
  const examined = stat?.kind === 'file' ? tree.examine(real, hashLimit, texts) : undefined;
  const native = new Set(
    texts.length === 0 ? [] : nativePrograms(tree, entry, real).flatMap((file) => tree.examine(file, hashLimit, texts)?.found ?? []),
  );
  return {
    entry,
    presence: candidate.presence,
    version: candidate.version ?? versionOf(tree, real),
    path: candidate.path,
    sha256: examined?.sha256,
    modifiedMs: stat?.modifiedMs,
    confidence: candidate.presence === 'traces' && entry.confidence === 'verified' ? 'docs' : entry.confidence,
    signatures: signatures.filter(({ text }) => examined?.found.includes(text) === true || native.has(text)).map(({ id }) => id),
    home: candidate.home,
  };
}

/** What an npm package starts may lie in a package of its own for each platform, beside it or inside it. */
function nativePrograms(tree: Tree, entry: CatalogueEntry, real: string): readonly string[] {
  const match = /^(.*\/node_modules)\/((?:@[^/]+\/)?[^/]+)(?:\/|$)/.exec(real);
  if (match?.[1] === undefined || match[2] === undefined) return [];
  const places = [match[1], `${match[1]}/${match[2]}/node_modules`];
  return places.flatMap((place) =>
    (entry.detect.npm ?? []).flatMap((name) => (entry.detect.bin ?? []).flatMap((bin) => expand(tree, `${place}/${name}-*/${bin}`))),
  );
}

/** Expanded directory patterns with their names, each read once. */
class Places {
  readonly tree: Tree;
  readonly homes: readonly string[];
  readonly extraPath: readonly string[];
  private readonly listings = new Map<string, ReadonlySet<string>>();
  private readonly expanded = new Map<string, readonly { dir: string; home: string | undefined }[]>();

  constructor(tree: Tree, homes: readonly string[], extraPath: readonly string[]) {
    this.tree = tree;
    this.homes = homes;
    this.extraPath = extraPath;
  }

  directories(patterns: readonly string[]): readonly { dir: string; home: string | undefined }[] {
    return patterns.flatMap((pattern) => {
      const known = this.expanded.get(pattern);
      if (known !== undefined) return known;
      const dirs = pattern.startsWith('~/')
        ? this.homes.flatMap((home) => this.below(join(home, pattern.slice(2))).map((dir) => ({ dir, home })))
        : this.below(pattern).map((dir) => ({ dir, home: undefined }));
      this.expanded.set(pattern, dirs);
      return dirs;
    });
  }

  private below(pattern: string): readonly string[] {
    if (!pattern.includes('*')) return this.names(pattern).size > 0 ? [pattern] : [];
    // `expand` yields files only; directories with a star in the middle are found segment by segment.
    let dirs = ['/'];
    for (const segment of pattern.split('/').slice(1)) {
      const shape = new RegExp(
        `^${segment
          .split('*')
          .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
          .join('.*')}$`,
      );
      dirs = segment.includes('*')
        ? dirs.flatMap((dir) => [...this.names(dir)].filter((name) => shape.test(name)).map((name) => join(dir, name)))
        : dirs.map((dir) => join(dir, segment));
      if (dirs.length > 200) dirs = dirs.slice(0, 200);
    }
    return dirs.filter((dir) => this.names(dir).size > 0);
  }

  names(dir: string): ReadonlySet<string> {
    const known = this.listings.get(dir);
    if (known !== undefined) return known;
    const entries = this.tree.list(dir);
    const names = new Set(typeof entries === 'string' ? [] : entries.map(({ name }) => name));
    this.listings.set(dir, names);
    return names;
  }
}

function programs(places: Places, entry: CatalogueEntry): Candidate[] {
  const dirs = [...places.extraPath.map((dir) => ({ dir, home: undefined })), ...places.directories(programDirectories)];
  return dirs.flatMap(({ dir, home }) => {
    const names = places.names(dir);
    return (entry.detect.bin ?? [])
      .filter((name) => names.has(name) && isProgram(places.tree, join(dir, name), entry))
      .map((name): Candidate => ({ presence: 'program', path: join(dir, name), version: undefined, home }));
  });
}

/** Short names belong to many programs: `q`, `pi`, `cn`, `amp`, `vibe` count only with another trace of the agent. */
function isProgram(tree: Tree, file: string, entry: CatalogueEntry): boolean {
  const name = path.posix.basename(file);
  if (name.length > 3 && !['acli', 'hermes', 'continue', 'trae', 'agent', 'kimi', 'vibe', 'junie', 'goose', 'crush'].includes(name))
    return true;
  const real = tree.resolve(file) ?? file;
  const known = [...(entry.detect.npm ?? []), ...(entry.detect.pip ?? [])];
  return known.some((one) => real.includes(`/${one}/`)) || (name.length > 3 && tree.stat(real)?.kind === 'file');
}

function packages(places: Places, entry: CatalogueEntry): Candidate[] {
  const out: Candidate[] = [];
  for (const name of entry.detect.npm ?? []) {
    const [first = ''] = name.split('/');
    for (const { dir, home } of places.directories(packageDirectories)) {
      if (!places.names(dir).has(first)) continue;
      const version = packageVersion(places.tree, join(dir, name));
      if (version !== undefined) out.push({ presence: 'package', path: join(dir, name), version, home });
    }
  }
  for (const name of entry.detect.pip ?? []) {
    const shape = new RegExp(`^${name.replaceAll('-', '[-_.]')}-([0-9][^-]*)\\.dist-info$`, 'i');
    for (const { dir, home } of places.directories(pythonDirectories)) {
      for (const one of places.names(dir)) {
        const version = shape.exec(one)?.[1];
        if (version !== undefined) out.push({ presence: 'package', path: join(dir, one), version, home });
      }
    }
  }
  for (const name of entry.detect.brew ?? []) {
    for (const { dir } of places.directories(brewDirectories)) {
      if (!places.names(dir).has(name)) continue;
      for (const version of places.names(join(dir, name)))
        out.push({ presence: 'package', path: join(join(dir, name), version), version, home: undefined });
    }
  }
  return out;
}

function extensions(places: Places, entry: CatalogueEntry): Candidate[] {
  const out: Candidate[] = [];
  for (const id of entry.detect.vscode ?? []) {
    for (const { dir, home } of places.directories(extensionDirectories)) {
      for (const name of places.names(dir)) {
        const lower = name.toLowerCase();
        if (!lower.startsWith(`${id}-`) && lower !== id) continue;
        const version = /^\d[\w.]*/.exec(lower.slice(id.length + 1))?.[0] ?? packageVersion(places.tree, join(dir, name));
        if (lower === id || version !== undefined) out.push({ presence: 'extension', path: join(dir, name), version, home });
      }
    }
  }
  for (const id of entry.detect.jetbrains ?? []) {
    for (const { dir, home } of places.directories(jetbrainsDirectories)) {
      if (places.names(dir).has(id)) out.push({ presence: 'extension', path: join(dir, id), version: undefined, home });
    }
  }
  return out;
}

function applications(places: Places, entry: CatalogueEntry): Candidate[] {
  const out: Candidate[] = [];
  for (const name of entry.detect.app ?? []) {
    for (const { dir, home } of places.directories(applicationDirectories)) {
      if (places.names(dir).has(name)) out.push({ presence: 'application', path: join(dir, name), version: undefined, home });
    }
  }
  return out;
}

function traces(places: Places, entry: CatalogueEntry, touched: ReadonlySet<string>): Candidate[] {
  const out: Candidate[] = [];
  for (const home of places.homes) {
    const found = (entry.detect.dirs ?? []).find((dir) => {
      const [first = ''] = dir.split('/');
      return places.names(home).has(first) && places.tree.stat(join(home, dir)) !== undefined;
    });
    if (found !== undefined) out.push({ presence: 'traces', path: join(home, found), version: undefined, home });
  }
  const own = out.length === 0 ? [...touched].find((key) => key.startsWith(`${entry.id}\0`)) : undefined;
  if (own !== undefined) out.push({ presence: 'traces', path: own.slice(entry.id.length + 1), version: undefined, home: undefined });
  return out;
}

/** The version of the package that a program belongs to, or the one in its path (`…/versions/2.1.330`). */
function versionOf(tree: Tree, real: string): string | undefined {
  const inPath = /\/(?:versions|v|releases)\/v?(\d+\.\d+\.\d+[\w.-]*)(?:\/|$)/.exec(real)?.[1];
  if (inPath !== undefined) return inPath;
  const match = /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)(?:\/|$)/.exec(real);
  return match?.[1] === undefined ? undefined : packageVersion(tree, match[1]);
}

function packageVersion(tree: Tree, dir: string): string | undefined {
  const read = tree.read(join(dir, 'package.json'), 1 << 20);
  if (read.bytes === undefined) return undefined;
  return /"version"\s*:\s*"([^"\\]{1,40})"/.exec(read.bytes.toString('utf8'))?.[1];
}
