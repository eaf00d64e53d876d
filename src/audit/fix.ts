// What the audit can mend by itself. INVARIANT: every fix takes a permission away or narrows who may read or write a file; none grants
// anything, none touches a repository or a managed file, and none changes what it does not name (comments and layout stay).
import { applyEdits, findNodeAtLocation, getNodePath, type JSONPath, type Node as JsonNode, modify, parseTree } from 'jsonc-parser';
import { secretFiles } from './catalogue/secret-files.ts';
import type { Facts } from './facts.ts';
import { type Doc, join } from './load.ts';
import { isLiveFileRule } from './permissions/claude.ts';
import type { Grant } from './permissions/index.ts';
import { isEveryCommand, isRootLike } from './rules/commands.ts';

export interface TextFix {
  readonly kind: 'text';
  readonly file: string;
  readonly before: string;
  readonly after: string;
  /** Rule id and what is done, one line each. */
  readonly does: readonly string[];
}

export interface ModeFix {
  readonly kind: 'mode';
  readonly file: string;
  readonly before: number;
  readonly after: number;
  readonly does: readonly string[];
}

export type Fix = TextFix | ModeFix;

export function fixesFor(facts: Facts): readonly Fix[] {
  const seen = new Set<string>();
  const texts = facts.docs
    .filter((doc) => isMendable(doc, facts) && !seen.has(doc.path) && seen.add(doc.path))
    .flatMap((doc) => textFix(doc, facts));
  return [...texts, ...modeFixes(facts)];
}

/** The user's own settings in JSON that reads; where an agent allows what is not written down, taking a rule out would allow more. */
function isMendable({ agent, file, workspace, scope, fault, stat, home }: Doc, { owners }: Facts): boolean {
  return (
    workspace === undefined &&
    home !== undefined &&
    (scope === 'user' || scope === 'state') &&
    file.role === 'settings' &&
    file.format.startsWith('json') &&
    fault === undefined &&
    stat.kind === 'file' &&
    stat.uid === owners.get(home) &&
    agent.byDefault === 'ask'
  );
}

interface Edit {
  readonly path: JSONPath;
  /** `undefined` takes it out. */
  readonly value: string | undefined;
  readonly does: string;
}

function textFix(doc: Doc, { grants, signals }: Facts): readonly TextFix[] {
  const root = parseTree(doc.text, [], { allowTrailingComma: true });
  if (root === undefined) return [];
  const edits = new Map<string, Edit>();
  const add = (path: JSONPath, value: string | undefined, does: string): void =>
    void edits.set(JSON.stringify(path), { path, value, does });
  for (const grant of grants) {
    if (grant.source.file !== doc.path || grant.agent !== doc.agent.id) continue;
    const mended = mendedRule(grant);
    if (mended === undefined) continue;
    for (const path of listed(root, grant)) add(path, mended.value, mended.does);
  }
  for (const { doc: of, means, key, value } of signals) {
    if (of.path !== doc.path || of.agent.id !== doc.agent.id || (means !== 'bypass' && means !== 'bypass-accepted')) continue;
    const id = means === 'bypass' ? 'PERM-010' : 'PERM-011';
    for (const path of settings(root, key, value)) add(path, undefined, `${id}: takes out ${key} = ${value}`);
  }
  if (edits.size === 0) return [];
  // From the end, so that places in lists keep their numbers.
  const ordered = [...edits.values()].sort((a, b) => offsetOf(root, b.path) - offsetOf(root, a.path));
  const after = ordered.reduce((text, { path, value }) => applyEdits(text, modify(text, path, value, {})), doc.text);
  return [{ kind: 'text', file: doc.path, before: doc.text, after, does: ordered.map(({ does }) => does).toReversed() }];
}

function mendedRule(grant: Grant): { readonly value: string | undefined; readonly does: string } | undefined {
  const { mode, raw, action, pattern, agent, tool } = grant;
  if (mode === 'allow') {
    const id = isEveryCommand(grant) ? 'PERM-001' : action === 'shell' && isRootLike(grant) !== undefined ? 'PERM-006' : undefined;
    return id === undefined ? undefined : { value: undefined, does: `${id}: takes out the allow rule "${raw}"` };
  }
  const isDead = agent === 'claude-code' && (action === 'read' || action === 'write') && !isLiveFileRule(grant) && pattern !== '*';
  if (!isDead || !raw.trim().endsWith(')') || tool.includes('(')) return undefined;
  const value = `${action === 'read' ? 'Read' : 'Edit'}(${pattern})`;
  return { value, does: `PERM-009: writes the ${mode} rule "${raw}" as "${value}", which the agent looks at` };
}

function* nodes(node: JsonNode): Generator<JsonNode> {
  yield node;
  for (const child of node.children ?? []) yield* nodes(child);
}

/** Where a rule stands in a list of its mode: `permissions.allow[3]`. */
function listed(root: JsonNode, { raw, mode }: Grant): readonly JSONPath[] {
  return [...nodes(root)]
    .filter((node) => node.type === 'string' && node.value === raw && node.parent?.type === 'array')
    .map(getNodePath)
    .filter((path) => path.some((step) => typeof step === 'string' && step.toLowerCase().includes(mode)));
}

function settings(root: JsonNode, key: string, value: string): readonly JSONPath[] {
  return [...nodes(root)]
    .filter((node) => node.children === undefined && String(node.value) === value)
    .map(getNodePath)
    .filter((path) => path.join('.') === key);
}

function offsetOf(root: JsonNode, path: JSONPath): number {
  return findNodeAtLocation(root, path)?.offset ?? 0;
}

/** Credentials for their owner alone; what steers an agent, changed by its owner alone. */
function modeFixes({ docs, homes, owners, tree }: Facts): readonly ModeFix[] {
  const fixes = new Map<string, ModeFix>();
  const add = (file: string, home: string, forbidden: number, does: (mode: string) => string): void => {
    const stat = tree.stat(file);
    if (stat?.kind !== 'file' || stat.uid !== owners.get(home)) return;
    const known = fixes.get(file);
    const after = (known?.after ?? stat.mode & 0o7777) & ~forbidden;
    if (after === (known?.after ?? stat.mode & 0o7777)) return;
    fixes.set(file, { kind: 'mode', file, before: stat.mode & 0o7777, after, does: [...(known?.does ?? []), does(after.toString(8))] });
  };
  for (const { path, file, home, workspace, text } of docs) {
    if (home === undefined || workspace !== undefined || file.role === 'transcript') continue;
    if (file.role === 'secrets' && text.trim() !== '') add(path, home, 0o077, (mode) => `CRED-004: makes the credential file ${mode}`);
    else add(path, home, 0o002, (mode) => `FS-001: makes the file ${mode}`);
  }
  for (const home of homes)
    for (const { path, what } of secretFiles)
      if (!/\.npmrc$|docker\/config|kube\/config|m2\/settings|cargo/.test(path))
        add(join(home, path), home, 0o077, (mode) => `CRED-004: makes ${what} ${mode}`);
  return [...fixes.values()];
}
