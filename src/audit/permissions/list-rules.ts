// How a settings file of an agent with permission lists is read: rules with their lines, words for modes, switches.
import type { Doc } from '../load.ts';
import { allAt, at, flag, type Node, text, texts } from '../read/node.ts';
import { type Answer, answer, type Question, type Situation, sourceOf } from './dialect.ts';
import { type Action, type Grant, type Mode, parseToolRule, type Source } from './grant.ts';
import { absolute, isInside } from './paths.ts';

export type RuleMode = Grant['mode'];

export interface RawRule {
  readonly mode: RuleMode;
  readonly tool: string;
  /** Left out: everything of this tool. */
  readonly pattern?: string;
  readonly line: number;
  /** How `pattern` compares. */
  readonly by?: 'prefix' | 'stars' | 'regex' | 'glob' | 'tool-rule';
  readonly action?: Grant['action'];
  /** Rules of different groups are combined by the strictest. */
  readonly group?: string;
}

export interface ListDialect {
  readonly rules: (doc: Doc) => readonly RawRule[];
  /** `strict`: deny, then ask, then allow. `first`/`last`: by position. `longest`: the longest matching prefix. */
  readonly order: 'strict' | 'first' | 'last' | 'longest';
  /** Scope ranks for `first` and `last`, and for scalars. */
  readonly mode?: (
    docs: readonly Doc[],
  ) => { readonly effect: Mode; readonly actions: readonly Action[]; readonly source: Source } | undefined;
  readonly otherwise: (question: Question, situation: Situation, docs: readonly Doc[]) => Answer;
}

export function listOf(
  doc: Doc,
  keys: readonly string[],
  mode: RuleMode,
  more: Partial<RawRule> & { readonly toolOf?: (value: string) => string } = {},
): readonly RawRule[] {
  const { toolOf, ...rest } = more;
  return allAt(doc.root, keys).flatMap(({ node }) =>
    texts(node).map(({ value, line }): RawRule => {
      if (rest.by === 'tool-rule' || rest.tool === undefined) {
        const parsed = parseToolRule(value);
        return {
          mode,
          tool: toolOf?.(value) ?? parsed?.tool ?? value,
          ...(parsed?.argument === undefined ? {} : { pattern: parsed.argument }),
          line,
          ...rest,
        };
      }
      return { mode, line, pattern: value, ...rest, tool: rest.tool };
    }),
  );
}

/** Rules of the form `{tool, matches, action}` in a list. */
export function tableRules(doc: Doc, keys: readonly string[], read: (node: Node) => Omit<RawRule, 'line'> | undefined): readonly RawRule[] {
  const list = at(doc.root, ...keys);
  return (list?.kind === 'list' ? list.items : []).flatMap((node) => {
    const rule = read(node);
    return rule === undefined ? [] : [{ ...rule, line: node.line }];
  });
}

const words: Readonly<Record<string, RuleMode>> = {
  ...{ allow: 'allow', always: 'allow', always_allow: 'allow', alwaysallow: 'allow', auto: 'allow', approve: 'allow', true: 'allow' },
  ...{
    ask: 'ask',
    confirm: 'ask',
    prompt: 'ask',
    'ask-user': 'ask',
    ask_user: 'ask',
    always_confirm: 'ask',
    ask_before: 'ask',
    false: 'ask',
    delegate: 'ask',
    'webhook-policy': 'ask',
    'script-policy': 'ask',
    agent_decides: 'allow',
  },
  ...{ deny: 'deny', reject: 'deny', never: 'deny', never_allow: 'deny', always_deny: 'deny', exclude: 'deny', block: 'deny' },
};

export function modeWord(value: string | undefined): RuleMode | undefined {
  const key = value?.toLowerCase();
  return key !== undefined && Object.hasOwn(words, key) ? words[key] : undefined;
}

export function insideAllowed(mode: { readonly read: Mode; readonly write: Mode }): (question: Question, situation: Situation) => Answer {
  return (question, situation) => {
    if (question.action !== 'read' && question.action !== 'write') return answer('ask');
    return answer(isInside(absolute(question.target, situation), situation.workspace) ? mode[question.action] : 'ask');
  };
}

export const askAll = insideAllowed({ read: 'allow', write: 'ask' });
export const everyAction: readonly Action[] = ['shell', 'read', 'write', 'network', 'mcp'];

/** A switch that turns the questions off: the strongest document that has it decides. */
export function switchMode(
  read: (
    doc: Doc,
  ) => { readonly on: boolean; readonly line: number; readonly actions?: readonly Action[]; readonly effect?: Mode } | undefined,
): NonNullable<ListDialect['mode']> {
  return (docs) => {
    const found = docs.flatMap((doc) => {
      const one = read(doc);
      return one === undefined ? [] : [{ ...one, source: sourceOf(doc, one.line) }];
    });
    const last = found.at(-1);
    return last?.on === true ? { effect: last.effect ?? 'allow', actions: last.actions ?? everyAction, source: last.source } : undefined;
  };
}

export function flagAt(...keys: readonly string[]): NonNullable<ListDialect['mode']> {
  return switchMode((doc) => {
    const node = at(doc.root, ...keys);
    return node === undefined || flag(node) === undefined ? undefined : { on: flag(node) === true, line: node.line };
  });
}

export function wordAt(on: readonly string[], ...keys: readonly string[]): NonNullable<ListDialect['mode']> {
  return switchMode((doc) => {
    const node = at(doc.root, ...keys);
    const value = text(node)?.toLowerCase();
    return node === undefined || value === undefined ? undefined : { on: on.includes(value), line: node.line };
  });
}
