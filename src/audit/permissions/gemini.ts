// Gemini CLI: every rule has a priority of tier.number, the highest match decides. Tiers: built-in 1, extension 2, user 4, administrator
// 5; settings become user rules at fixed priorities. After docs/reference/policy-engine.md and policies/*.toml in the package 0.61.0.
import type { Doc } from '../load.ts';
import { at, entriesOf, flag, type Node, text, texts } from '../read/node.ts';
import {
  type Answer,
  answer,
  byDefault,
  compareVersions,
  type Dialect,
  mcpTarget,
  type Question,
  type Situation,
  sourceOf,
} from './dialect.ts';
import { actionOf, type Grant, parseToolRule, type Source } from './grant.ts';
import { absolute, isInside } from './paths.ts';
import { isTrustedFolder } from './qwen.ts';
import { escapeRegExp, matchesStars, safeRegExp, splitShell } from './shell.ts';

export const gemini: Dialect = { grants, decide };

interface Rule {
  readonly tools: readonly string[];
  readonly mode: Grant['mode'];
  readonly priority: number;
  readonly source: Source;
  /** Tests the arguments as the engine writes them; left out: any arguments. */
  readonly matches?: (target: string) => boolean;
  readonly modes: readonly string[];
  readonly allowsRedirection: boolean;
  readonly raw: string;
  readonly pattern: string;
}

const decisions: Readonly<Record<string, Grant['mode']>> = { allow: 'allow', deny: 'deny', ask_user: 'ask' };
const questionTools: Readonly<Record<Question['action'], readonly string[]>> = {
  shell: ['run_shell_command'],
  read: ['read_file'],
  write: ['write_file'],
  network: ['web_fetch'],
  mcp: [],
};
const builtIn: readonly Rule[] = [
  ...rulesFor('allow', 1.05, ['glob', 'grep_search', 'list_directory', 'read_file', 'google_web_search']),
  ...rulesFor('ask', 1.01, ['replace', 'run_shell_command', 'write_file', 'activate_skill', 'web_fetch']),
  ...rulesFor('allow', 1.015, ['replace', 'write_file', 'web_fetch'], ['autoEdit']),
  ...rulesFor('deny', 1.06, ['*'], ['plan']),
  ...rulesFor('allow', 1.07, ['glob', 'grep_search', 'list_directory', 'read_file', 'google_web_search'], ['plan']),
];

function rulesFor(mode: Grant['mode'], priority: number, tools: readonly string[], modes: readonly string[] = []): readonly Rule[] {
  return [{ tools, mode, priority, source: byDefault, modes, allowsRedirection: false, raw: tools.join(', '), pattern: '*' }];
}

/** An administrator's directory counts only when root owns it and nobody else may write. */
function isIgnored(doc: Doc): boolean {
  return doc.scope === 'managed' && doc.path.endsWith('.toml') && (doc.stat.uid !== 0 || (doc.stat.mode & 0o022) !== 0);
}

/** @param isMeasured as 0.61.0 behaves: a policy file with a rule without `toolName` is rejected whole, exclusions with an argument match nothing */
function rulesOf(doc: Doc, isMeasured: boolean): readonly Rule[] {
  if (doc.path.endsWith('.toml')) return isIgnored(doc) || (isMeasured && rulesWithoutTool(doc).length > 0) ? [] : policyRules(doc);
  const out: Rule[] = [];
  const setting = (mode: Grant['mode'], priority: number, keys: readonly string[]): void => {
    for (const { value, line } of texts(at(doc.root, ...keys))) {
      const parsed = parseToolRule(value);
      const tool = canonical(parsed?.tool ?? value);
      const argument = parsed?.argument?.trim();
      if (isMeasured && mode === 'deny' && argument !== undefined) continue;
      const isWhole = argument === undefined || argument === '' || argument === '*';
      out.push({
        tools: [tool],
        mode,
        priority,
        source: sourceOf(doc, line),
        ...(isWhole ? {} : { matches: (target: string) => startsLike(target, argument) }),
        modes: [],
        allowsRedirection: false,
        raw: value,
        pattern: isWhole ? '*' : argument,
      });
    }
  };
  setting('deny', 4.4, ['tools', 'exclude']);
  setting('allow', 4.3, ['tools', 'allowed']);
  setting('deny', 4.4, ['excludeTools']);
  setting('allow', 4.3, ['allowedTools']);
  const server = (mode: Grant['mode'], priority: number, name: string, line: number): void => {
    out.push({
      tools: [`mcp_${name}_*`],
      mode,
      priority,
      source: sourceOf(doc, line),
      modes: [],
      allowsRedirection: false,
      raw: `mcp_${name}_*`,
      pattern: '*',
    });
  };
  for (const { value, line } of texts(at(doc.root, 'mcp', 'excluded'))) server('deny', 4.9, value, line);
  for (const { value, line } of texts(at(doc.root, 'mcp', 'allowed'))) server('allow', 4.1, value, line);
  for (const { key, node } of entriesOf(at(doc.root, 'mcpServers'))) {
    const trust = at(node, 'trust');
    if (trust !== undefined && flag(trust) === true) server('allow', 4.2, key, trust.line);
  }
  return out;
}

function canonical(tool: string): string {
  return (
    {
      ShellTool: 'run_shell_command',
      Bash: 'run_shell_command',
      Shell: 'run_shell_command',
      ReadFileTool: 'read_file',
      WriteFileTool: 'write_file',
      EditTool: 'replace',
      WebFetchTool: 'web_fetch',
    }[tool] ?? tool
  );
}

/** Lines of rules that name no tool and no server. */
export function rulesWithoutTool(doc: Doc): readonly number[] {
  const list = at(doc.root, 'rule');
  return (list?.kind === 'list' ? list.items : []).flatMap((node) =>
    at(node, 'toolName') === undefined && at(node, 'mcpName') === undefined ? [node.line] : [],
  );
}

function policyRules(doc: Doc): readonly Rule[] {
  const tier = doc.scope === 'managed' ? 5 : 4;
  const list = at(doc.root, 'rule');
  const out: Rule[] = [];
  for (const node of list?.kind === 'list' ? list.items : []) {
    const mode = decisions[text(at(node, 'decision')) ?? ''];
    if (mode === undefined) continue;
    const server = text(at(node, 'mcpName'));
    const prefixes = texts(at(node, 'commandPrefix')).map(({ value }) => value);
    const regex = text(at(node, 'commandRegex'));
    const args = text(at(node, 'argsPattern'));
    const named = texts(at(node, 'toolName')).map(({ value }) => value);
    const tools =
      server !== undefined
        ? (named.length === 0 ? ['*'] : named).map((tool) => `mcp_${server}_${tool}`)
        : prefixes.length > 0 || regex !== undefined
          ? ['run_shell_command']
          : named.map(canonical);
    const number = at(node, 'priority');
    const matches = matcher(prefixes, regex, args);
    out.push({
      tools: tools.length === 0 ? ['*'] : tools,
      mode,
      priority: tier + (number?.kind === 'scalar' && typeof number.value === 'number' ? number.value : 0) / 1000,
      source: sourceOf(doc, node.line),
      ...(matches === undefined ? {} : { matches }),
      modes: texts(at(node, 'modes')).map(({ value }) => value),
      allowsRedirection: flag(at(node, 'allowRedirection')) === true,
      raw: describe(node),
      pattern: prefixes[0] ?? regex ?? args ?? '*',
    });
  }
  return out;
}

function describe(node: Node): string {
  return ['toolName', 'mcpName', 'commandPrefix', 'commandRegex', 'argsPattern']
    .flatMap((key) => {
      const values = texts(at(node, key)).map(({ value }) => value);
      return values.length === 0 ? [] : [`${key}=${values.join(',')}`];
    })
    .join(' ');
}

function matcher(
  prefixes: readonly string[],
  regex: string | undefined,
  args: string | undefined,
): ((target: string) => boolean) | undefined {
  if (prefixes.length > 0) return (target) => prefixes.some((prefix) => startsLike(target, prefix));
  if (regex !== undefined) {
    const compiled = safeRegExp(`"command":"${regex}`);
    return (target) => compiled?.test(JSON.stringify({ command: target })) ?? false;
  }
  if (args === undefined) return undefined;
  const compiled = safeRegExp(args);
  return (target) =>
    compiled?.test(target.startsWith('{') ? target : JSON.stringify({ command: target, file_path: target, url: target, prompt: target })) ??
    false;
}

/** A prefix ends at a space, a quote or the end. */
function startsLike(command: string, prefix: string): boolean {
  return new RegExp(`^${escapeRegExp(prefix)}(?:[\\s"']|$)`).test(command);
}

function grants(doc: Doc): readonly Grant[] {
  return rulesOf(doc, false).flatMap((rule) =>
    rule.tools.map((tool) => ({
      agent: doc.agent.id,
      dialect: doc.agent.dialect,
      workspace: doc.workspace?.path,
      isSample: doc.workspace?.isSample ?? false,
      mode: rule.mode,
      action: tool.startsWith('mcp_') ? ('mcp' as const) : (actionOf(tool) ?? 'any'),
      pattern: rule.pattern === '*' && tool.startsWith('mcp_') ? tool.slice(4) : rule.pattern,
      raw: rule.raw,
      tool,
      source: rule.source,
      priority: rule.priority,
    })),
  );
}

function decide(situation: Situation, question: Question): Answer {
  const trusted = isTrustedFolder(situation, true);
  const docs = situation.docs.filter((doc) => trusted || (doc.scope !== 'project' && doc.scope !== 'local'));
  const mode = approvalMode(docs);
  const isMeasured =
    situation.agent.id === 'gemini-cli' && situation.version !== undefined && compareVersions(situation.version, '0.61.0') >= 0;
  const rules = [...docs.flatMap((doc) => rulesOf(doc, isMeasured)), ...builtIn]
    .filter(({ modes }) => modes.length === 0 || modes.includes(mode))
    .sort((a, b) => b.priority - a.priority || strictness(b.mode) - strictness(a.mode));
  const tools = question.action === 'mcp' ? [mcpTool(question.target)] : questionTools[question.action];
  const find = (target: string): Rule | undefined =>
    rules.find((rule) => rule.tools.some((tool) => tools.some((one) => matchesStars(tool, one))) && (rule.matches?.(target) ?? true));
  if (question.action !== 'shell') {
    const rule = find(question.target);
    const isFile = question.action === 'read' || question.action === 'write';
    // The file tools refuse paths outside the workspace whatever the rules say.
    if (isFile && rule?.mode === 'allow' && !isInside(absolute(question.target, situation), situation.workspace)) return answer('deny');
    return rule === undefined ? answer('ask') : answer(rule.mode, rule.source);
  }
  const { commands, hasSubstitution, hasRedirection } = splitShell(question.target);
  const whole = find(question.target);
  if (whole?.mode === 'deny') return answer('deny', whole.source);
  const parts = (commands.length === 0 ? [question.target] : commands).map(find);
  const strictest = parts.reduce((worst, rule) =>
    worst === undefined || strictness(rule?.mode ?? 'ask') > strictness(worst.mode) ? rule : worst,
  );
  if (strictest === undefined) return answer('ask');
  if (strictest.mode === 'allow' && ((hasRedirection && !strictest.allowsRedirection) || (hasSubstitution && strictest.pattern !== '*')))
    return answer('ask', strictest.source);
  return answer(strictest.mode, strictest.source);
}

function strictness(mode: Grant['mode']): number {
  return { allow: 0, ask: 1, deny: 2 }[mode];
}

function mcpTool(target: string): string {
  const { server, tool } = mcpTarget(target);
  return `mcp_${server}_${tool}`;
}

function approvalMode(docs: readonly Doc[]): string {
  let mode = 'default';
  const order = { user: 1, state: 1, project: 2, local: 2, managed: 3 } as const;
  for (const doc of [...docs].sort((a, b) => order[a.scope] - order[b.scope]))
    mode = text(at(doc.root, 'general', 'defaultApprovalMode')) ?? mode;
  // `yolo` is accepted as a flag only.
  return { auto_edit: 'autoEdit', plan: 'plan' }[mode] ?? 'default';
}
