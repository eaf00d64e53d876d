// Codex CLI: an approval policy, a sandbox of its own that is on by default, and command rules of which the strictest match wins.
// requirements.toml narrows what the other layers may choose. Read in codex 0.169.0.
import type { Doc } from '../load.ts';
import { at, entriesOf, flag, type Node, text, texts } from '../read/node.ts';
import { type Answer, answer, byDefault, type Dialect, mcpTarget, type Question, type Situation, sourceOf } from './dialect.ts';
import type { Grant, Mode, Source } from './grant.ts';
import { absolute, isInside } from './paths.ts';
import { bareCommand, isReadOnly, splitShell, wordsOf } from './shell.ts';

export const codex: Dialect = { grants, decide };

interface PrefixRule {
  /** One list of alternatives per word. */
  readonly words: readonly (readonly string[])[];
  readonly decision: 'allow' | 'prompt' | 'forbidden';
  readonly source: Source;
  readonly raw: string;
}

const ruleShape = /prefix_rule\s*\(/g;
const decisions = { allow: 'allow', prompt: 'ask', forbidden: 'deny' } as const;

/** `prefix_rule(pattern = ["git", ["push", "pull"]], decision = "allow")`; the files are Starlark, of which only this is read. */
export function prefixRules(doc: Doc): readonly PrefixRule[] {
  if (!doc.path.endsWith('.rules')) return managedRules(doc);
  const out: PrefixRule[] = [];
  const source = doc.text.replace(/#[^\n"']*$/gm, (comment) => ' '.repeat(comment.length));
  for (const match of source.matchAll(ruleShape)) {
    const body = balanced(source, match.index + match[0].length);
    const pattern =
      /pattern\s*=\s*(\[[\s\S]*?\])\s*(?:,\s*\w+\s*=|,?\s*$)/.exec(body)?.[1] ?? /^\s*(\[[\s\S]*?\])\s*(?:,|$)/.exec(body)?.[1];
    const decision = /decision\s*=\s*["'](allow|prompt|forbidden)["']/.exec(body)?.[1] ?? 'allow';
    const words = pattern === undefined ? undefined : wordLists(pattern);
    if (words === undefined || (decision !== 'allow' && decision !== 'prompt' && decision !== 'forbidden')) continue;
    const line = source.slice(0, match.index).split('\n').length;
    out.push({ words, decision, source: sourceOf(doc, line), raw: words.map((one) => one.join('|')).join(' ') });
  }
  return out;
}

function balanced(source: string, from: number): string {
  let depth = 1;
  let quote = '';
  for (let i = from; i < source.length; i++) {
    const char = source[i] ?? '';
    if (quote !== '') {
      if (char === '\\') i++;
      else if (char === quote) quote = '';
    } else if (char === '"' || char === "'") quote = char;
    else if (char === '(') depth++;
    else if (char === ')' && --depth === 0) return source.slice(from, i);
  }
  return source.slice(from);
}

function wordLists(pattern: string): readonly (readonly string[])[] | undefined {
  try {
    const value: unknown = JSON.parse(pattern.replace(/'((?:[^'\\]|\\.)*)'/g, '"$1"').replace(/,\s*\]/g, ']'));
    if (!Array.isArray(value)) return undefined;
    return value.map((one: unknown) =>
      Array.isArray(one) ? one.filter((word): word is string => typeof word === 'string') : [String(one)],
    );
  } catch {
    return undefined;
  }
}

function managedRules(doc: Doc): readonly PrefixRule[] {
  const list = at(doc.root, 'rules', 'prefix_rules');
  return (list?.kind === 'list' ? list.items : []).flatMap((node) => {
    const pattern = at(node, 'pattern');
    const words = (pattern?.kind === 'list' ? pattern.items : []).map((word) =>
      (word.kind === 'table' ? [...texts(at(word, 'token')), ...texts(at(word, 'any_of'))] : texts(word)).map(({ value }) => value),
    );
    const decision = text(at(node, 'decision'));
    if (decision !== 'prompt' && decision !== 'forbidden' && decision !== 'allow') return [];
    return [{ words, decision, source: sourceOf(doc, node.line), raw: words.map((one) => one.join('|')).join(' ') }];
  });
}

function matches({ words }: PrefixRule, command: string): boolean {
  const given = wordsOf(bareCommand(command));
  return words.length > 0 && words.every((alternatives, index) => alternatives.includes(given[index] ?? '\0'));
}

function grants(doc: Doc): readonly Grant[] {
  const shared = {
    agent: doc.agent.id,
    dialect: doc.agent.dialect,
    workspace: doc.workspace?.path,
    isSample: doc.workspace?.isSample ?? false,
    priority: 0,
  } as const;
  return prefixRules(doc).map(({ raw, decision, source }) => ({
    ...shared,
    mode: decisions[decision],
    action: 'shell',
    pattern: raw.includes(' ') ? `${raw} *` : `${raw}:*`,
    raw,
    tool: 'prefix_rule',
    source,
  }));
}

interface Setting<T> {
  readonly value: T;
  readonly source: Source;
}

/** Layers, weakest first: system configuration, user, project (trusted ones only), managed configuration. */
function layers({ docs }: Situation, trusted: boolean): readonly Doc[] {
  const rank = (doc: Doc): number =>
    doc.path.endsWith('/etc/codex/config.toml') ? 0 : { user: 1, state: 1, project: 2, local: 2, managed: 3 }[doc.scope];
  return docs
    .filter((doc) => doc.path.endsWith('.toml') && !doc.path.endsWith('requirements.toml') && (trusted || doc.scope !== 'project'))
    .sort((a, b) => rank(a) - rank(b));
}

function latest(docs: readonly Doc[], ...keys: readonly string[]): { readonly node: Node; readonly source: Source } | undefined {
  let found: { node: Node; source: Source } | undefined;
  for (const doc of docs) {
    const node = at(doc.root, ...keys);
    if (node !== undefined) found = { node, source: sourceOf(doc, node.line) };
  }
  return found;
}

export function trustOf({ docs, workspace }: Situation): Setting<boolean> | undefined {
  for (const doc of docs.filter(({ scope, path }) => scope === 'user' && path.endsWith('config.toml'))) {
    for (const { key, node, line } of entriesOf(at(doc.root, 'projects'))) {
      const level = text(at(node, 'trust_level'));
      if (isInside(workspace, key) && level !== undefined)
        return { value: level === 'trusted', source: sourceOf(doc, at(node, 'trust_level')?.line ?? line) };
    }
  }
  return undefined;
}

interface Posture {
  readonly approval: Setting<string>;
  readonly sandbox: Setting<string>;
  readonly docs: readonly Doc[];
}

export function postureOf(situation: Situation): Posture {
  const trust = trustOf(situation);
  const docs = layers(situation, trust?.value === true);
  const profile = text(latest(docs, 'profile')?.node);
  const pick = (key: string, otherwise: string): Setting<string> => {
    const found = (profile === undefined ? undefined : latest(docs, 'profiles', profile, key)) ?? latest(docs, key);
    const value = text(found?.node);
    if (found !== undefined && value !== undefined) return { value, source: found.source };
    // `[approval_policy.granular]` and the like: questions of some kinds remain.
    if (found?.node.kind === 'table') return { value: 'on-request', source: found.source };
    return { value: otherwise, source: trust?.source ?? byDefault };
  };
  const isUntrusted = trust?.value !== true;
  const approval = clamp(
    situation,
    'allowed_approval_policies',
    pick('approval_policy', trust?.value === false ? 'untrusted' : 'on-request'),
  );
  const sandbox = clamp(situation, 'allowed_sandbox_modes', pick('sandbox_mode', isUntrusted ? 'read-only' : 'workspace-write'));
  return { approval, sandbox, docs };
}

/** requirements.toml: what is not in its list is replaced by the first that is. */
function clamp({ docs }: Situation, key: string, chosen: Setting<string>): Setting<string> {
  for (const doc of docs.filter(({ path }) => path.endsWith('requirements.toml'))) {
    const allowed = texts(at(doc.root, key));
    const [first] = allowed;
    if (first !== undefined && !allowed.some(({ value }) => value === chosen.value))
      return { value: first.value, source: sourceOf(doc, first.line) };
  }
  return chosen;
}

function decide(situation: Situation, question: Question): Answer {
  const { approval, sandbox, docs } = postureOf(situation);
  const canAsk = approval.value !== 'never';
  const refuse = (source: Source): Answer => answer(canAsk ? 'ask' : 'deny', canAsk ? source : approval.source);
  const isOpen = sandbox.value === 'danger-full-access';
  switch (question.action) {
    case 'shell':
      return shell(situation, question.target, { approval, sandbox, docs }, refuse);
    case 'read': {
      const denied = situation.docs
        .filter(({ path }) => path.endsWith('requirements.toml'))
        .flatMap((doc) =>
          texts(at(doc.root, 'permissions', 'filesystem', 'deny_read')).map(({ value, line }) => ({ value, source: sourceOf(doc, line) })),
        );
      const hit = denied.find(({ value }) => isInside(absolute(question.target, situation), absolute(value, situation)));
      return hit === undefined ? answer(isOpen ? 'allow' : 'sandboxed', sandbox.source) : answer('deny', hit.source);
    }
    case 'write': {
      if (isOpen) return answer('allow', sandbox.source);
      if (sandbox.value === 'workspace-write' && isWritable(situation, question.target, docs))
        return approval.value === 'untrusted' ? answer('ask', approval.source) : answer('sandboxed', sandbox.source);
      return refuse(sandbox.source);
    }
    case 'network': {
      if (isOpen) return answer('allow', sandbox.source);
      const open = latest(docs, 'sandbox_workspace_write', 'network_access');
      if (sandbox.value === 'workspace-write' && open !== undefined && flag(open.node) === true) return answer('sandboxed', open.source);
      return refuse(sandbox.source);
    }
    case 'mcp':
      return mcp(question.target, docs, approval, isOpen);
  }
}

function shell(situation: Situation, line: string, { approval, sandbox }: Posture, refuse: (source: Source) => Answer): Answer {
  const trusted = trustOf(situation)?.value === true;
  const rules = situation.docs.filter((doc) => trusted || doc.scope !== 'project').flatMap(prefixRules);
  const { commands, hasSubstitution } = splitShell(line);
  const strictness = { allow: 0, prompt: 1, forbidden: 2 } as const;
  const found = (commands.length === 0 ? [line] : commands).map((command) =>
    rules
      .filter((rule) => matches(rule, command))
      .reduce<PrefixRule | undefined>(
        (worst, rule) => (worst === undefined || strictness[rule.decision] > strictness[worst.decision] ? rule : worst),
        undefined,
      ),
  );
  const forbidden = found.find((rule) => rule?.decision === 'forbidden');
  if (forbidden !== undefined) return answer('deny', forbidden.source);
  const prompt = found.find((rule) => rule?.decision === 'prompt');
  if (prompt !== undefined) return refuse(prompt.source);
  const [first] = found;
  // A command that a rule allows runs outside the sandbox.
  if (!hasSubstitution && first !== undefined && found.every((rule) => rule !== undefined)) return answer('allow', first.source);
  const mode: Mode = sandbox.value === 'danger-full-access' ? 'allow' : 'sandboxed';
  if (approval.value === 'untrusted')
    return !hasSubstitution && commands.every(isReadOnly) ? answer(mode, sandbox.source) : answer('ask', approval.source);
  return answer(mode, sandbox.source);
}

/** The workspace, /tmp and the writable roots, except what would steer Codex or git. */
function isWritable(situation: Situation, target: string, docs: readonly Doc[]): boolean {
  const file = absolute(target, situation);
  const roots = texts(latest(docs, 'sandbox_workspace_write', 'writable_roots')?.node).map(({ value }) => absolute(value, situation));
  const excludesTmp = flag(latest(docs, 'sandbox_workspace_write', 'exclude_slash_tmp')?.node) === true;
  const root = [situation.workspace, ...roots, ...(excludesTmp ? [] : ['/tmp'])].find((dir) => isInside(file, dir));
  return root !== undefined && !/^\/(\.git|\.codex|\.agents)(\/|$)/.test(file.slice(root.length));
}

function mcp(target: string, docs: readonly Doc[], approval: Setting<string>, isOpen: boolean): Answer {
  const { server, tool } = mcpTarget(target);
  for (const doc of [...docs].reverse()) {
    const node = at(doc.root, 'mcp_servers', server);
    if (node === undefined) continue;
    const here = (found: Node | undefined): Source => sourceOf(doc, found?.line ?? node.line);
    if (flag(at(node, 'enabled')) === false) return answer('deny', here(at(node, 'enabled')));
    const disabled = texts(at(node, 'disabled_tools')).find(({ value }) => value === tool);
    if (disabled !== undefined) return answer('deny', sourceOf(doc, disabled.line));
    const enabled = at(node, 'enabled_tools');
    if (enabled !== undefined && tool !== '*' && !texts(enabled).some(({ value }) => value === tool)) return answer('deny', here(enabled));
    const mode = at(node, 'tools', tool, 'approval_mode') ?? at(node, 'default_tools_approval_mode');
    if (text(mode) === 'approve') return answer('allow', here(mode));
    if (text(mode) === 'prompt') return approval.value === 'never' ? answer('deny', approval.source) : answer('ask', here(mode));
    return approval.value === 'never' && isOpen ? answer('allow', approval.source) : answer('ask', here(undefined));
  }
  return answer('deny');
}
