// The audit from one end to the other: walk, read, find agents and servers, bring permissions into one form, apply the rules. It starts
// nothing that it finds, connects nowhere and writes nothing.
import path from 'node:path';
import type { Register } from '../config/index.ts';
import { broughtFaults, type CheckBrought } from './brought.ts';
import { catalogue } from './catalogue/index.ts';
import { discover, type FoundAgent } from './discover.ts';
import { effectiveRows, summaryRows } from './effective.ts';
import { extras } from './extras.ts';
import { type Drifted, type Facts, signalsIn, type Tools } from './facts.ts';
import { type GitPlace, gitFaults, gitPlace, topOf } from './git.ts';
import { hooksIn } from './hooks.ts';
import { type Doc, load, parse, relocations } from './load.ts';
import { mcpServers } from './mcp.ts';
import { dialectOf } from './permissions/index.ts';
import { type Pin, pinsOf } from './pins.ts';
import { type LookedAt, type Places, placesOf, withParents } from './places.ts';
import { listeners } from './processes.ts';
import { at, entriesOf } from './read/node.ts';
import { diskTree, type Tree } from './read/tree.ts';
import { recentProjects } from './recent.ts';
import type { EffectiveRow, SummaryRow } from './report/json.ts';
import { type Finding, runRules } from './rules/run-rules.ts';
import { isBelow, named, type Walk, walk } from './scan.ts';

export interface AuditOptions {
  /** Another file-system root, audited as if it were this machine's. */
  readonly root?: string | undefined;
  /** Another home. */
  readonly home?: string | undefined;
  /** Directories beside the home that are searched for projects. */
  readonly dirs: readonly string[];
  readonly userHome: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly tools: Tools;
  readonly register?: Register;
  readonly checkBrought?: CheckBrought;
  /** Compares the pins of what was looked at; asked once, with its directories. */
  readonly checkPins?: ((dirs: readonly string[]) => readonly Drifted[]) | undefined;
  readonly forbiddenJurisdictions?: readonly string[];
  /** The class of a workspace by its path and the repository around it. */
  readonly classify?: ((workspace: string, git: Pick<GitPlace, 'trees' | 'urls'>) => string | undefined) | undefined;
  /** From a baseline: file -> SHA-256. */
  readonly pins?: ReadonlyMap<string, string> | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** Directories that are walked after all others, so that who fills them cannot use up the limits of the walk. */
  readonly last?: readonly string[];
  /** Look at these workspaces only, and do not walk the disk. */
  readonly only?: readonly string[];
  /** For tests. */
  readonly tree?: Tree;
}

/** How far an audit is. */
export interface Progress {
  /** 0 to 1, never less than before. */
  readonly fraction: number;
  /** Seen so far on the walk. */
  readonly files: number;
  /** The directory that is walked, or the agent whose files are read. */
  readonly place: string;
}

/** Where the walk ends and the reading of settings ends, as fractions of the whole; the rest looks for programs. */
const stages = { walked: 0.6, loaded: 0.75 } as const;

export interface Audit {
  readonly facts: Facts;
  readonly effective: readonly EffectiveRow[];
  readonly summary: readonly SummaryRow[];
  readonly pins: readonly Pin[];
  readonly findings: readonly Finding[];
  readonly ms: number;
}

export function gather(options: AuditOptions): Facts {
  const tree = options.tree ?? diskTree(options.root === undefined ? '/' : path.resolve(options.cwd, options.root));
  const places = placesOf(options, tree);
  const { homes, dirs } = places;
  const isThisUser = options.root === undefined && options.home === undefined;
  const walked =
    options.only === undefined
      ? everywhere(tree, places, options)
      : named(
          tree,
          withParents(tree, options.only).filter((dir) => !homes.includes(dir)),
        );
  const [ownHome] = homes;
  const moved =
    isThisUser && ownHome !== undefined
      ? relocations.flatMap(([variable, from]) =>
          options.env[variable]?.startsWith('/') ? [{ from, to: options.env[variable] ?? from }] : [],
        )
      : [];
  const stage = (from: number, to: number) => (place: string, index: number) =>
    options.onProgress?.({ fraction: from + ((to - from) * index) / catalogue.length, files: walked.files, place });
  const loaded = load(tree, homes, walked.workspaces, moved, stage(stages.walked, stages.loaded));
  const touched = new Set(loaded.filter(isOwnTrace).map((doc) => `${doc.agent.id}\0${doc.path}`));
  const extraPath = isThisUser ? (options.env['PATH'] ?? '').split(':').filter((dir) => dir.startsWith('/')) : [];
  const agents = discover(tree, homes, [...new Set(extraPath)], touched, stage(stages.loaded, 1));
  const present = new Set(agents.map(({ entry }) => entry.id));
  const docs = attribute(loaded, present);
  return {
    tree,
    homes,
    lookedAt: lookedAt([...homes, ...dirs], walked),
    owners: new Map(homes.map((home) => [home, tree.stat(home)?.uid ?? -1])),
    walk: { ...walked, faults: [...walked.faults, ...gitFaults(tree, walked.workspaces)] },
    docs,
    loaded,
    agents,
    present,
    servers: mcpServers(docs),
    signals: signalsIn(docs),
    grants: docs.flatMap((doc) => (doc.fault === undefined ? (dialectOf(doc.agent.dialect)?.grants(doc) ?? []) : [])),
    hooks: hooksIn(docs),
    brought:
      options.checkBrought === undefined
        ? []
        : broughtFaults(
            tree,
            [...walked.workspaces.map(({ path: dir }) => dir), ...(options.root === undefined ? [options.cwd] : [])],
            options.checkBrought,
          ),
    drifted: options.checkPins?.(walked.workspaces.map(({ path: dir }) => dir)) ?? [],
    extras: options.only === undefined ? extras(tree, homes, walked.workspaces) : [],
    listeners: isThisUser ? listeners(tree) : [],
    tools: options.tools,
    register: options.register ?? [],
    forbiddenJurisdictions: options.forbiddenJurisdictions ?? [],
    pins: options.pins ?? new Map(),
    probed: undefined,
    classify: (workspace) => options.classify?.(workspace, gitAround(tree, workspace)),
  };
}

/** The homes, the directories given, and the single directories beside them that count for those or that agents remember. */
function everywhere(tree: Tree, { homes, dirs, single }: Places, { last, onProgress }: AuditOptions): Walk {
  const roots = [...homes, ...dirs];
  const walked = walk(tree, roots, homes, (at) => onProgress?.({ ...at, fraction: at.fraction * stages.walked }), last);
  const known = new Set(walked.workspaces.map(({ path: place }) => place));
  const elsewhere = named(
    tree,
    [...new Set([...single, ...remembered(tree, homes).filter((dir) => !roots.some((root) => isBelow(dir, root)))])].filter(
      (dir) => !known.has(dir),
    ),
  );
  return { ...walked, workspaces: [...walked.workspaces, ...elsewhere.workspaces] };
}

function lookedAt(whole: readonly string[], { workspaces }: Walk): readonly LookedAt[] {
  const single = workspaces.filter(({ path: dir }) => !whole.some((one) => isBelow(dir, one)));
  return [
    ...[...new Set(whole)].map((dir) => ({ path: dir, isWhole: true })),
    ...single.map(({ path: dir }) => ({ path: dir, isWhole: false })),
  ];
}

function gitAround(tree: Tree, workspace: string): Pick<GitPlace, 'trees' | 'urls'> {
  const top = topOf(tree, workspace);
  return top === undefined ? { trees: [], urls: [] } : gitPlace(tree, top);
}

/** A user file that only this agent writes shows that it was used. */
function isOwnTrace(doc: Doc): boolean {
  return (
    doc.workspace === undefined &&
    !/\/(AGENTS|CLAUDE)\.md$/.test(doc.path) &&
    doc.scope !== 'managed' &&
    !/\/(Code|VSCodium|Cursor|Windsurf|Code - Insiders|Code - OSS)\/User\/(settings|mcp)\.json$/.test(doc.path)
  );
}

/** A file that several agents read counts for those that are here. When none is, settings count for each of them, the rest once. */
function attribute(docs: readonly Doc[], present: ReadonlySet<string>): readonly Doc[] {
  const readers = new Map<string, readonly Doc[]>();
  for (const doc of docs) readers.set(doc.path, [...(readers.get(doc.path) ?? []), doc]);
  return [...readers.values()].flatMap((all) => {
    const here = all.filter((doc) => present.has(doc.agent.id));
    const [first] = all;
    return here.length > 0
      ? here
      : all.filter((doc) => doc.agent.id === first?.agent.id || (doc.file.role === 'settings' && doc.file.mcp === undefined));
  });
}

/** Directories that agents and editors remember, wherever they lie. */
function remembered(tree: Tree, homes: readonly string[]): readonly string[] {
  const opened = homes.flatMap((home) => recentProjects(tree, home).map((dir) => path.posix.normalize(dir)));
  const noted = homes.flatMap((home) =>
    (
      [
        ['.claude.json', 'json'],
        ['.codex/config.toml', 'toml'],
        ['.gemini/trustedFolders.json', 'jsonc'],
        ['.qwen/trustedFolders.json', 'jsonc'],
      ] as const
    ).flatMap(([name, format]) => {
      const read = tree.read(`${home}/${name}`, 8 << 20);
      const root = read.bytes === undefined ? undefined : parse(read.bytes.toString('utf8'), format).root;
      const table = name.endsWith('trustedFolders.json') ? root : at(root, 'projects');
      return entriesOf(table).flatMap(({ key }) => (key.startsWith('/') && key !== '/' ? [path.posix.normalize(key)] : []));
    }),
  );
  return [...noted, ...opened];
}

/** The agents that are here, without a walk through the disk. */
export function installed(options: Omit<AuditOptions, 'only' | 'dirs'>): readonly FoundAgent[] {
  return gather({ ...options, dirs: [], only: [] }).agents.filter(({ entry }) => entry.kind === 'agent');
}

export function audit(options: AuditOptions): Audit {
  const started = performance.now();
  return conclude(gather(options), started);
}

/** @param started `performance.now()` when the gathering began */
export function conclude(facts: Facts, started: number): Audit {
  const findings = runRules(facts);
  const effective = effectiveRows(facts);
  const summary = summaryRows(facts, effective);
  return { facts, effective, summary, findings, pins: pinsOf(facts), ms: Math.round(performance.now() - started) };
}

export type { FoundAgent };
