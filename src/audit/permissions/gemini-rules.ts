// Gemini CLI's rules as they stand in its settings and policy files. Priorities are tier.number: built-in 1, user 4, administrator 5;
// settings become user rules at fixed priorities. After policy/config and policy/toml-loader of the package 0.61.0.
import type { Doc } from '../load.ts';
import { at, entriesOf, flag, type Node, text, texts } from '../read/node.ts';
import { sourceOf } from './dialect.ts';
import { matchesExpression } from './expression.ts';
import { type Grant, parseToolRule, type Source } from './grant.ts';
import { escapeRegExp } from './shell.ts';

export interface Rule {
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
/** `auto-edit` is the engine's name for `auto_edit` of the settings. */
const workModes = ['default', 'autoEdit', 'yolo'] as const;
const priorities = {
  'mcp.excluded': 4.9,
  exclude: 4.4,
  confirmationRequired: 4.35,
  allowed: 4.3,
  core: 4.25,
  trust: 4.2,
  'mcp.allowed': 4.1,
} as const;

const tool = (
  mode: Grant['mode'],
  priority: number,
  source: Source,
  names: readonly string[],
  raw: string,
  more: Partial<Rule> = {},
): Rule => ({
  tools: names,
  mode,
  priority,
  source,
  modes: [],
  allowsRedirection: false,
  raw,
  pattern: '*',
  ...more,
});

/** Lists of the settings of which the strongest file's counts alone; exclusions of all files add up. */
export const replacedLists: readonly (readonly string[])[] = [
  ['tools', 'allowed'],
  ['tools', 'core'],
  ['tools', 'confirmationRequired'],
  ['mcp', 'allowed'],
  ['mcp', 'excluded'],
];

/**
 * @param isMeasured as 0.61.0 behaves: exclusions with an argument match nothing, an allowed command refuses all others
 * @param counts whether this file's list at this place is in force
 */
export function settingsRules(doc: Doc, isMeasured: boolean, counts: (list: readonly string[]) => boolean): readonly Rule[] {
  const out: Rule[] = [];
  const list = (...path: readonly string[]): readonly { readonly value: string; readonly line: number }[] =>
    counts(path) ? texts(at(doc.root, ...path)) : [];
  const named = (mode: Grant['mode'], priority: number, entries: ReturnType<typeof list>, modes: readonly string[] = []): void => {
    for (const { value, line } of entries) {
      const parsed = parseToolRule(value);
      const name = canonical(parsed?.tool ?? value);
      const argument = parsed?.argument?.trim();
      if (isMeasured && mode !== 'allow' && argument !== undefined) continue;
      // Only for the shell does an argument narrow what is allowed.
      const isWhole = argument === undefined || argument === '' || argument === '*' || (isMeasured && name !== 'run_shell_command');
      out.push(
        tool(mode, priority, sourceOf(doc, line), [name], value, {
          modes,
          ...(isWhole ? {} : { pattern: argument, matches: (target: string) => startsLike(target, argument) }),
        }),
      );
    }
  };
  // The names of the first versions are read no longer.
  const former = (name: string): ReturnType<typeof list> => (isMeasured ? [] : list(name));
  named('deny', priorities.exclude, [...list('tools', 'exclude'), ...former('excludeTools')]);
  named('ask', priorities.confirmationRequired, list('tools', 'confirmationRequired'));
  const allowed = [...list('tools', 'allowed'), ...former('allowedTools')];
  named('allow', priorities.allowed, allowed);
  const narrowed = allowed.find(({ value }) => /^(run_shell_command|ShellTool)\(.+\)$/.test(value));
  if (isMeasured && narrowed !== undefined)
    out.push(tool('deny', priorities.allowed - 0.01, sourceOf(doc, narrowed.line), ['run_shell_command'], narrowed.value));
  const core = list('tools', 'core');
  named('allow', priorities.core, core, workModes);
  const [first] = core;
  if (first !== undefined)
    out.push(tool('deny', priorities.core - 0.01, sourceOf(doc, first.line), ['*'], 'tools.core', { modes: workModes }));
  const server = (mode: Grant['mode'], priority: number, name: string, line: number, modes: readonly string[] = []): void =>
    void out.push(tool(mode, priority, sourceOf(doc, line), [name === '*' ? 'mcp_*' : `mcp_${name}_*`], `mcp_${name}_*`, { modes }));
  for (const { value, line } of list('mcp', 'excluded')) server('deny', priorities['mcp.excluded'], value, line);
  for (const { value, line } of list('mcp', 'allowed')) server('allow', priorities['mcp.allowed'], value, line, workModes);
  for (const { key, node } of entriesOf(at(doc.root, 'mcpServers'))) {
    const trust = at(node, 'trust');
    if (trust !== undefined && flag(trust) === true) server('allow', priorities.trust, key, trust.line, workModes);
  }
  return out;
}

function canonical(name: string): string {
  return (
    {
      ShellTool: 'run_shell_command',
      Bash: 'run_shell_command',
      Shell: 'run_shell_command',
      ReadFileTool: 'read_file',
      WriteFileTool: 'write_file',
      EditTool: 'replace',
      WebFetchTool: 'web_fetch',
    }[name] ?? name
  );
}

function ruleNodes(doc: Doc): readonly Node[] {
  const list = at(doc.root, 'rule');
  return list?.kind === 'list' ? list.items : [];
}

/** Lines of rules that 0.61.0 does not accept, for which it rejects the whole file, with what is wrong. */
export function faultyRules(doc: Doc): readonly { readonly line: number; readonly what: string }[] {
  return ruleNodes(doc).flatMap((node) => {
    const what = faultOf(node);
    return what === undefined ? [] : [{ line: node.line, what }];
  });
}

function faultOf(node: Node): string | undefined {
  if (at(node, 'toolName') === undefined) return 'it names no toolName';
  if (decisions[text(at(node, 'decision')) ?? ''] === undefined) return 'its decision is none of allow, deny, ask_user';
  const priority = at(node, 'priority');
  const number = priority?.kind === 'scalar' ? priority.value : undefined;
  if (typeof number !== 'number' || !Number.isInteger(number) || number < 0 || number > 999)
    return 'its priority is no whole number from 0 to 999';
  return undefined;
}

/** An administrator's directory counts only when root owns it and nobody else may write. */
function isIgnored(doc: Doc): boolean {
  return doc.scope === 'managed' && (doc.stat.uid !== 0 || (doc.stat.mode & 0o022) !== 0);
}

/** Expressions that it takes to be dangerous for its own speed: it drops the rule, a deny rule too. */
function isRefused(expression: string | undefined): boolean {
  if (expression === undefined) return false;
  return expression.length > 2048 || repeatsGroup(expression) || !isExpression(expression);
}

/** Its own test, `\([^)]*[*+?{].*\)[*+?{]`, in one pass: the expression itself would take the third power of the length. */
function repeatsGroup(expression: string): boolean {
  let isOpen = false;
  let isRepeated = false;
  for (let i = 0; i < expression.length; i++) {
    const char = expression[i] ?? '';
    if (char === ')' && isRepeated && /[*+?{]/.test(expression[i + 1] ?? '')) return true;
    if (char === '(') isOpen = true;
    else if (char === ')') isOpen = false;
    else if (isOpen && /[*+?{]/.test(char)) isRepeated = true;
    else if (/[\n\r\u2028\u2029]/.test(char)) isRepeated = false;
  }
  return false;
}

function isExpression(source: string): boolean {
  try {
    new RegExp(source);
    return true;
  } catch {
    return false;
  }
}

/** Lines of rules that 0.61.0 drops for their expression. */
export function refusedExpressions(doc: Doc): readonly { readonly line: number; readonly expression: string }[] {
  return ruleNodes(doc).flatMap((node) => {
    const expression = text(at(node, 'commandRegex')) ?? text(at(node, 'argsPattern'));
    return expression !== undefined && isRefused(expression) ? [{ line: node.line, expression }] : [];
  });
}

export function policyRules(doc: Doc, isMeasured: boolean): readonly Rule[] {
  if (isIgnored(doc) || (isMeasured && faultyRules(doc).length > 0)) return [];
  const tier = doc.scope === 'managed' ? 5 : 4;
  const out: Rule[] = [];
  for (const node of ruleNodes(doc)) {
    const mode = decisions[text(at(node, 'decision')) ?? ''];
    // Without a person, not with one.
    if (mode === undefined || flag(at(node, 'interactive')) === false) continue;
    const server = text(at(node, 'mcpName'));
    const prefixes = texts(at(node, 'commandPrefix')).map(({ value }) => value);
    const regex = text(at(node, 'commandRegex'));
    const args = text(at(node, 'argsPattern'));
    const names = texts(at(node, 'toolName')).map(({ value }) => value);
    if (isMeasured && prefixes.length === 0 && isRefused(regex ?? args)) continue;
    const isCommand = prefixes.length > 0 || regex !== undefined;
    const own = isCommand && (names.length === 0 || !isMeasured) ? ['run_shell_command'] : names.map(canonical);
    const number = at(node, 'priority');
    const matches = matcher(prefixes, regex, args, mode === 'allow');
    out.push(
      tool(
        mode,
        tier + (number?.kind === 'scalar' && typeof number.value === 'number' ? number.value : 0) / 1000,
        sourceOf(doc, node.line),
        server === undefined
          ? own.length === 0
            ? ['*']
            : own
          : (names.length === 0 ? ['*'] : names).map((name) => (server === '*' && name === '*' ? 'mcp_*' : `mcp_${server}_${name}`)),
        describe(node),
        {
          ...(matches === undefined ? {} : { matches }),
          modes: texts(at(node, 'modes')).map(({ value }) => value),
          allowsRedirection: flag(at(node, 'allowRedirection') ?? at(node, 'allow_redirection')) === true,
          pattern: prefixes[0] ?? regex ?? args ?? '*',
        },
      ),
    );
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
  /** What a match counts for that cannot be understood: it may allow everything, and is not known to forbid anything. */
  isUnclear: boolean,
): ((target: string) => boolean) | undefined {
  if (prefixes.length > 0) return (target) => prefixes.some((prefix) => startsLike(target, prefix));
  if (regex !== undefined) return (target) => matchesExpression(`"command":"${regex}`, JSON.stringify({ command: target })) ?? isUnclear;
  if (args === undefined) return undefined;
  return (target) =>
    matchesExpression(
      args,
      target.startsWith('{') ? target : JSON.stringify({ command: target, file_path: target, url: target, prompt: target }),
    ) ?? isUnclear;
}

/** A prefix ends at a space, a quote or the end. */
function startsLike(command: string, prefix: string): boolean {
  return new RegExp(`^${escapeRegExp(prefix)}(?:[\\s"]|$)`).test(command);
}
