// opencode and Kilo Code: one list of rules over all files in order of precedence, the LAST match decides, and the built-in list begins
// with "everything is allowed". Read in opencode 1.18.33 and Kilo CLI 7.8.1.
import type { Doc } from '../load.ts';
import { at, entriesOf, flag, type Node, text } from '../read/node.ts';
import { type Answer, answer, byDefault, type Dialect, mcpTarget, type Question, type Situation, sourceOf } from './dialect.ts';
import { actionOf, type Grant, type Source } from './grant.ts';
import { absolute, isInside } from './paths.ts';
import { matchesStars, pathsIn, splitShell, substituted } from './shell.ts';

export const opencode: Dialect = { grants, decide };

interface Rule {
  readonly permission: string;
  readonly pattern: string;
  readonly mode: Grant['mode'];
  readonly source: Source;
  /** `bash: deny`, not an entry of a table. */
  readonly isWord?: boolean;
}

const builtIn: readonly Rule[] = [
  { permission: '*', pattern: '*', mode: 'allow', source: byDefault },
  { permission: 'doom_loop', pattern: '*', mode: 'ask', source: byDefault },
  { permission: 'external_directory', pattern: '*', mode: 'ask', source: byDefault },
  { permission: 'read', pattern: '*', mode: 'allow', source: byDefault },
  { permission: 'read', pattern: '*.env', mode: 'ask', source: byDefault },
  { permission: 'read', pattern: '*.env.*', mode: 'ask', source: byDefault },
  { permission: 'read', pattern: '*.env.example', mode: 'allow', source: byDefault },
];

function rulesOf(doc: Doc): readonly Rule[] {
  const out: Rule[] = [];
  for (const { key, node, line } of entriesOf(at(doc.root, 'tools'))) {
    // The older form: `tools: { bash: false }`.
    if (flag(node) !== undefined)
      out.push({
        permission: /^(write|patch|multiedit)$/.test(key) ? 'edit' : key,
        pattern: '*',
        mode: flag(node) === true ? 'allow' : 'deny',
        source: sourceOf(doc, line),
      });
  }
  out.push(...permissionRules(doc, at(doc.root, 'permission')));
  return out;
}

function permissionRules(doc: Doc, node: Node | undefined): readonly Rule[] {
  const whole = modeOf(text(node));
  if (whole !== undefined && node !== undefined) return [{ permission: '*', pattern: '*', mode: whole, source: sourceOf(doc, node.line) }];
  return entriesOf(node).flatMap(({ key, node: value, line }) => {
    const mode = modeOf(text(value));
    if (mode !== undefined) return [{ permission: key, pattern: '*', mode, source: sourceOf(doc, line), isWord: true }];
    return entriesOf(value).flatMap(({ key: pattern, node: one, line: at }) => {
      const ruled = modeOf(text(one));
      return ruled === undefined ? [] : [{ permission: key, pattern, mode: ruled, source: sourceOf(doc, at) }];
    });
  });
}

function modeOf(value: string | undefined): Grant['mode'] | undefined {
  return value === 'allow' || value === 'ask' || value === 'deny' ? value : undefined;
}

function grants(doc: Doc): readonly Grant[] {
  return rulesOf(doc).map(({ permission, pattern, mode, source }) => ({
    agent: doc.agent.id,
    dialect: doc.agent.dialect,
    workspace: doc.workspace?.path,
    isSample: doc.workspace?.isSample ?? false,
    mode,
    action: permission === 'edit' ? 'write' : (actionOf(permission) ?? (permission === 'external_directory' ? 'write' : 'mcp')),
    pattern,
    raw: pattern === '*' ? permission : `${permission}: ${pattern}`,
    tool: permission,
    source,
    priority: source.line ?? 0,
  }));
}

/** Weakest first: user, project, directories of the project, managed. */
function inOrder(docs: readonly Doc[]): readonly Doc[] {
  const rank = ({ scope, path }: Doc): number =>
    ({ user: 0, state: 0, project: /\/\.(opencode|kilo)\//.test(path) ? 2 : 1, local: 2, managed: 3 })[scope];
  return docs
    .map((doc, index) => ({ doc, index }))
    .sort((a, b) => rank(a.doc) - rank(b.doc) || a.index - b.index)
    .map(({ doc }) => doc);
}

/** Objects of several files are merged key by key: a key keeps the place where it first stood and takes the value of the last file. */
function merged(docs: readonly Doc[]): readonly Rule[] {
  const places = new Map<string, Rule>();
  for (const doc of docs) {
    const own = rulesOf(doc);
    const scalars = new Set(own.filter(({ pattern }) => pattern === '*').map(({ permission }) => permission));
    for (const rule of own) {
      // A plain word in a later file replaces the whole table of an earlier one.
      const isScalar = scalars.has(rule.permission) && !own.some((other) => other.permission === rule.permission && other.pattern !== '*');
      if (isScalar && isPlainWord(doc, rule.permission))
        for (const key of [...places.keys()])
          if (key.startsWith(`${rule.permission}\0`) && key !== `${rule.permission}\0*`) places.delete(key);
      // A table in a later file replaces the plain word of an earlier one.
      const earlier = places.get(`${rule.permission}\0*`);
      if (earlier?.isWord === true && rule.isWord !== true && earlier.source.file !== rule.source.file)
        places.delete(`${rule.permission}\0*`);
      places.set(`${rule.permission}\0${rule.pattern}`, rule);
    }
  }
  return [...places.values()];
}

function isPlainWord(doc: Doc, permission: string): boolean {
  return text(at(doc.root, 'permission', permission)) !== undefined;
}

function decide(situation: Situation, question: Question): Answer {
  const docs = inOrder(situation.docs);
  const rules = [...builtIn, ...merged(docs)];
  const last = (permission: string, target: string): Rule =>
    rules.findLast((rule) => matchesStars(rule.permission, permission) && wild(rule.pattern, target, situation.home)) ?? {
      permission,
      pattern: '*',
      mode: 'ask',
      source: byDefault,
    };
  const strictest = (found: readonly Rule[]): Answer => {
    const worst = found.reduce((a, b) => (strictness(b.mode) > strictness(a.mode) ? b : a));
    return answer(worst.mode, worst.source);
  };
  const outside = (file: string): readonly Rule[] => (isInside(file, situation.workspace) ? [] : [last('external_directory', file)]);
  switch (question.action) {
    case 'shell': {
      const { commands } = splitShell(question.target);
      const lines = [...(commands.length === 0 ? [question.target] : commands), ...substituted(question.target)];
      const paths = lines.filter((line) => /^(cd|rm|cp|mv|mkdir|touch|chmod|chown|cat)\b/.test(line)).flatMap(pathsIn);
      return strictest([...lines.map((line) => last('bash', line)), ...paths.flatMap((word) => outside(absolute(word, situation)))]);
    }
    case 'read':
    case 'write': {
      const file = absolute(question.target, situation);
      const relative = isInside(file, situation.workspace) ? file.slice(situation.workspace.length + 1) : file;
      return strictest([last(question.action === 'read' ? 'read' : 'edit', relative), ...outside(file)]);
    }
    case 'network':
      return strictest([last('webfetch', question.target)]);
    case 'mcp': {
      const { server, tool } = mcpTarget(question.target);
      return strictest([last(`${server}_${tool === '*' ? '' : tool}`.replace(/[^\w-]/g, '_'), '*')]);
    }
  }
}

/** `git *` also covers plain `git`; `~/` is the home. */
function wild(pattern: string, target: string, home: string): boolean {
  const full = pattern.replace(/^(~|\$HOME)(?=\/|$)/, home);
  return matchesStars(full, target) || (full.endsWith(' *') && target === full.slice(0, -2));
}

function strictness(mode: Grant['mode']): number {
  return { allow: 0, ask: 1, deny: 2 }[mode];
}
