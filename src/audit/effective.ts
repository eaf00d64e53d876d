// What every agent may really do in every workspace: rules brought to their effect, and the answer in plain words.

import type { CatalogueEntry } from './catalogue/index.ts';
import { secretFiles } from './catalogue/secret-files.ts';
import type { Facts } from './facts.ts';
import { type Doc, isThere, join } from './load.ts';
import { type Action, type Answer, actions, answer, dialectOf, type Grant, type Question, type Situation } from './permissions/index.ts';
import { display } from './read/display.ts';
import type { EffectiveRow, SummaryRow } from './report/json.ts';
import { isBelow } from './scan.ts';

/** Stands for any directory without settings of its own. */
const anywhere = '*';

/** A question that no rule of anybody's is written for. */
function probes(workspace: string): Readonly<Record<Action, string>> {
  return {
    shell: 'make-anything --now',
    read: join(workspace, 'src/main.c'),
    write: join(workspace, 'src/main.c'),
    network: 'https://unknown.example/',
    mcp: 'unknown-server/any-tool',
  };
}

/** Agents that also read settings in the directories above, up to the top of the repository. */
const looksUpwards: ReadonlySet<string> = new Set(['opencode', 'codex', 'cursor']);

export function situationFor(facts: Facts, agent: CatalogueEntry, workspace: string): Situation {
  const home = facts.homes.find((one) => workspace.startsWith(`${one}/`)) ?? facts.homes[0] ?? '/root';
  const top = looksUpwards.has(agent.dialect) ? topOf(facts, workspace) : workspace;
  const counts = ({ workspace: place, home: owner }: Doc): boolean =>
    place === undefined
      ? owner === undefined || owner === home
      : place.path === workspace || (isBelow(workspace, place.path) && isBelow(place.path, top));
  const docs = facts.loaded
    .filter((doc) => doc.agent.id === agent.id && doc.fault === undefined && counts(doc))
    // Nearer directories come later, and later ones are stronger.
    .sort((a, b) => (a.workspace?.path.length ?? 0) - (b.workspace?.path.length ?? 0));
  const version = facts.agents.find((found) => found.entry.id === agent.id && found.version !== undefined)?.version;
  return { agent, version, workspace, home, docs, tree: facts.tree };
}

/** The nearest repository at or above a directory; the directory itself when there is none. */
function topOf({ walk }: Facts, workspace: string): string {
  const above = walk.workspaces.filter(({ path, isGit }) => isGit && isBelow(workspace, path)).map(({ path }) => path);
  return above.sort((a, b) => b.length - a.length)[0] ?? workspace;
}

export function decide(situation: Situation, question: Question): Answer {
  const dialect = dialectOf(situation.agent.dialect);
  if (dialect === undefined) return answer('ask');
  return dialect.decide(situation, question);
}

/** By its reading tool, or by a command that it takes for harmless: some agents run `cat` on any file without a question. */
export function readsUnasked(situation: Situation, file: string): boolean {
  const can = (action: Action, target: string): boolean => ['allow', 'sandboxed'].includes(decide(situation, { action, target }).mode);
  return can('read', file) || can('shell', `cat ${file}`);
}

interface Pair {
  readonly agent: CatalogueEntry;
  readonly workspace: string;
}

/** Each agent that is here, in each workspace that has something to say to it, and everywhere else. */
function pairs(facts: Facts): readonly Pair[] {
  const out: Pair[] = [];
  for (const id of facts.present) {
    const agent = facts.agents.find(({ entry }) => entry.id === id)?.entry;
    if (agent === undefined || agent.kind !== 'agent') continue;
    out.push({ agent, workspace: anywhere });
    const own = new Set<string>();
    for (const doc of facts.docs) {
      if (
        doc.agent.id === id &&
        doc.workspace !== undefined &&
        !doc.workspace.isSample &&
        ['settings', 'mcp', 'hooks'].includes(doc.file.role) &&
        dialectOf(agent.dialect) !== undefined
      )
        own.add(doc.workspace.path);
    }
    for (const grant of facts.grants) if (grant.agent === id && grant.workspace !== undefined && !grant.isSample) own.add(grant.workspace);
    for (const workspace of [...own].sort()) out.push({ agent, workspace });
  }
  return out;
}

/** An example that a rule covers, to ask what really happens to it. */
function exampleOf(
  { action, pattern }: Grant,
  fallback: Readonly<Record<Action, string>>,
): { readonly action: Action; readonly target: string } | undefined {
  if (action === 'any') return undefined;
  if (pattern === '*') return { action, target: fallback[action] };
  const plain = pattern
    .replace(/^\^?(?:\(\?:)?|\)?\$?$/g, '')
    .replace(/^domain:/, '')
    .replace(/:\*$/, ' x')
    .replace(/\.\*|\*\*\/?\*?|\*/g, 'x')
    .replace(/\\(.)/g, '$1');
  return { action, target: action === 'network' && !plain.includes('://') ? `https://${plain}/` : plain };
}

/** Longer than a path can be and than a command that somebody writes a rule for; asking about it would only take time. */
const longestExample = 4096;

/** Of a rule that is not understood: it may allow what it says, and is not known to forbid it. */
function unclear({ mode, source }: Grant): Answer {
  return answer(mode === 'allow' ? 'allow' : 'ask', source);
}

export function effectiveRows(facts: Facts): readonly EffectiveRow[] {
  const rows: EffectiveRow[] = [];
  for (const { agent, workspace } of pairs(facts)) {
    const directory = workspace === anywhere ? nowhere(facts) : workspace;
    const situation = situationFor(facts, agent, directory);
    const general = probes(directory);
    const seen = new Set<string>();
    const add = (action: Action, target: string, { mode, source }: Answer): void => {
      const key = `${action}\0${target}`;
      if (seen.has(key)) return;
      seen.add(key);
      const file = source.file === null ? null : display(source.file);
      rows.push({ agent: agent.id, workspace: display(workspace), action, target: display(target), mode, source: { ...source, file } });
    };
    for (const action of actions) add(action, '*', decide(situation, { action, target: general[action] }));
    for (const grant of facts.grants) {
      if (grant.agent !== agent.id || grant.isSample || (grant.workspace !== undefined && grant.workspace !== workspace)) continue;
      const example = exampleOf(grant, general);
      if (example !== undefined && grant.pattern !== '*')
        add(
          example.action,
          grant.action === 'mcp' ? grant.raw : grant.pattern,
          example.target.length > longestExample ? unclear(grant) : decide(situation, example),
        );
    }
  }
  return rows;
}

/** A directory that no settings speak of. */
function nowhere(facts: Facts): string {
  return join(facts.homes[0] ?? '/root', 'any-directory');
}

export function summaryRows(facts: Facts, effective: readonly EffectiveRow[]): readonly SummaryRow[] {
  const secrets = new Map(
    facts.homes.map((home) => [home, secretFiles.filter(({ path }) => isThere(facts.tree, join(home, path))).map(({ path }) => path)]),
  );
  return pairs(facts).map(({ agent, workspace }) => {
    const directory = workspace === anywhere ? nowhere(facts) : workspace;
    const situation = situationFor(facts, agent, directory);
    const ask = (action: Action, target: string): Answer['mode'] => decide(situation, { action, target }).mode;
    const general = probes(directory);
    const shell = ask('shell', general.shell);
    const inside = ask('write', general.write);
    const outside = ask('write', join(situation.home, 'elsewhere/file'));
    const network = ask('network', general.network);
    const own = effective.filter((row) => row.agent === agent.id && row.workspace === display(workspace));
    const known = dialectOf(agent.dialect) !== undefined;
    return {
      agent: agent.id,
      workspace: display(workspace),
      shell: known ? shellWords(shell, own) : 'not known; its settings stand in no file that can be read',
      write: known ? writeWords(shell, inside, outside) : 'not known',
      network: known ? networkWords(agent, shell, network, situation) : 'not known',
      secrets: secretWords(
        secrets.get(situation.home) ?? [],
        (file) => shell === 'allow' || shell === 'sandboxed' || readsUnasked(situation, join(situation.home, file)),
        known,
      ),
      modelHost: modelWords(facts, agent, workspace),
      unattended: known && (shell === 'allow' || shell === 'sandboxed'),
    };
  });
}

function shellWords(mode: Answer['mode'], rows: readonly EffectiveRow[]): string {
  const free = rows.filter((row) => row.action === 'shell' && row.target !== '*' && row.mode === 'allow').map(({ target }) => target);
  const some =
    free.length === 0 ? '' : `; without asking: ${free.slice(0, 4).join(', ')}${free.length > 4 ? ` and ${free.length - 4} more` : ''}`;
  switch (mode) {
    case 'allow':
      return 'any command, without asking';
    case 'sandboxed':
      return `any command, in its own sandbox${free.length === 0 ? '' : `; outside it: ${free.slice(0, 4).join(', ')}`}`;
    case 'ask':
      return `asks${some}`;
    case 'deny':
      return `refused${some}`;
  }
}

function writeWords(shell: Answer['mode'], inside: Answer['mode'], outside: Answer['mode']): string {
  if (shell === 'allow' || outside === 'allow') return 'anywhere this user may write';
  if (inside === 'allow') return 'in the workspace';
  if (inside === 'sandboxed') return 'in the workspace, by its own sandbox';
  return inside === 'deny' ? 'refused' : 'asks';
}

function networkWords(agent: CatalogueEntry, shell: Answer['mode'], network: Answer['mode'], { docs }: Situation): string {
  if (shell === 'allow') return 'any host, through the shell';
  if (network === 'allow') return 'any host';
  if (network === 'sandboxed') return 'any host, from its own sandbox';
  const vendor =
    agent.telemetry === undefined || docs.length === 0
      ? ''
      : `; its vendor's ${agent.telemetry.hosts.length === 1 ? 'telemetry host' : 'telemetry hosts'} unless switched off`;
  return network === 'deny' ? `refused${vendor}` : `asks${vendor}`;
}

function secretWords(files: readonly string[], canRead: (file: string) => boolean, known: boolean): string {
  if (files.length === 0) return 'no secret files found';
  const readable = known ? files.filter(canRead) : [];
  if (readable.length === 0) return `asks before reading any of ${files.length}`;
  return `can read ${readable.length} of ${files.length} without asking (~/${readable.slice(0, 3).join(', ~/')}${readable.length > 3 ? ', …' : ''})`;
}

/** Where the model is, as configured, and whether that is inside. */
function modelWords(facts: Facts, agent: CatalogueEntry, workspace: string): string {
  const found = facts.signals
    .filter(
      ({ doc, means }) =>
        means === 'base-url' && doc.agent.id === agent.id && (doc.workspace === undefined || doc.workspace.path === workspace),
    )
    .at(-1);
  if (found !== undefined) {
    const host = URL.canParse(found.value) ? new URL(found.value).host : found.value;
    return `${display(host)} (${isInsideHost(host) ? 'inside' : 'configured, outside'})`;
  }
  const [vendor] = agent.modelHosts ?? [];
  if (vendor === undefined) return agent.vendorOnly === true ? `the vendor's servers (${agent.jurisdiction})` : 'not set in any file';
  return `${vendor} (outside, ${agent.jurisdiction})`;
}

export function isInsideHost(host: string): boolean {
  const name = host
    .replace(/:\d+$/, '')
    .replace(/^\[|\]$/g, '')
    .toLowerCase();
  if (name === 'localhost' || name === '::1' || /\.(local|internal|lan|corp|intranet|home\.arpa)$/.test(name) || !name.includes('.'))
    return true;
  return (
    /^(127\.|10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|169\.254\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.)/.test(name) ||
    /^f[cd][0-9a-f]{2}:/.test(name)
  );
}
