// Permission lists of agents in terminals: where the rules stand, in which order they count, what happens without one.
import type { DialectId } from '../catalogue/index.ts';
import type { Doc } from '../load.ts';
import { allAt, at, entriesOf, flag, text, texts } from '../read/node.ts';
import { answer, byDefault, sourceOf } from './dialect.ts';
import type { Source } from './grant.ts';
import {
  askAll,
  everyAction,
  flagAt,
  insideAllowed,
  type ListDialect,
  listOf,
  modeWord,
  type RawRule,
  switchMode,
  tableRules,
  wordAt,
} from './list-rules.ts';

export const terminalDialects: Partial<Record<DialectId, ListDialect>> = {
  devin: {
    order: 'strict',
    rules: (doc) => (['deny', 'ask', 'allow'] as const).flatMap((mode) => listOf(doc, ['permissions', mode], mode, { by: 'tool-rule' })),
    otherwise: askAll,
  },
  grok: {
    order: 'strict',
    rules: (doc) =>
      (['deny', 'ask', 'allow'] as const).flatMap((mode) => [
        ...listOf(doc, ['permission', mode], mode, { by: 'tool-rule' }),
        ...listOf(doc, ['permissions', mode], mode, { by: 'tool-rule' }),
      ]),
    // A repository cannot set the mode.
    mode: (docs) =>
      wordAt(['always-approve', 'always_approve', 'yolo'], 'ui', 'permission_mode')(docs.filter(({ scope }) => scope !== 'project')) ??
      flagAt('ui', 'yolo')(docs.filter(({ scope }) => scope !== 'project')),
    otherwise: askAll,
  },
  aider: {
    order: 'strict',
    rules: () => [],
    mode: (docs) => {
      const on = (key: string): ReturnType<NonNullable<ListDialect['mode']>> => flagAt(key)(docs);
      return on('yes-always') ?? on('yes');
    },
    otherwise: insideAllowed({ read: 'allow', write: 'allow' }),
  },
  goose: {
    order: 'strict',
    rules: (doc) =>
      doc.path.endsWith('permission.yaml')
        ? (['user', 'smart_approve'] as const).flatMap((part) =>
            (['never_allow', 'ask_before', 'always_allow'] as const).flatMap((key) => listOf(doc, [part, key], modeWord(key) ?? 'ask')),
          )
        : [],
    mode: (docs) => {
      const found = docs
        .flatMap((doc) => {
          const node = at(doc.root, 'GOOSE_MODE');
          return node === undefined ? [] : [{ value: text(node) ?? '', source: sourceOf(doc, node.line) }];
        })
        .at(-1);
      if (found === undefined) return { effect: 'allow', actions: everyAction, source: byDefault };
      if (found.value === 'auto') return { effect: 'allow', actions: everyAction, source: found.source };
      return found.value === 'chat' ? { effect: 'deny', actions: everyAction, source: found.source } : undefined;
    },
    otherwise: (question) => answer(question.action === 'read' ? 'allow' : 'ask'),
  },
  amp: {
    order: 'first',
    rules: (doc) =>
      tableRules(doc, ['amp.permissions'], (node) => {
        const mode = modeWord(text(at(node, 'action')));
        const tool = text(at(node, 'tool'));
        const pattern = text(at(node, 'matches', 'cmd')) ?? text(at(node, 'matches', 'path')) ?? text(at(node, 'matches', 'url'));
        return mode === undefined || tool === undefined
          ? undefined
          : { mode, tool, ...(pattern === undefined ? {} : { pattern }), by: 'stars' };
      }),
    mode: flagAt('amp.dangerouslyAllowAll'),
    otherwise: () => answer('allow'),
  },
  auggie: {
    order: 'first',
    rules: (doc) =>
      tableRules(doc, ['toolPermissions'], (node) => {
        const mode = modeWord(text(at(node, 'permission', 'type')));
        const tool = text(at(node, 'toolName')) ?? text(at(node, 'tool-name'));
        const pattern = text(at(node, 'shellInputRegex')) ?? text(at(node, 'shell-input-regex'));
        return mode === undefined || tool === undefined
          ? undefined
          : { mode, tool, ...(pattern === undefined ? {} : { pattern }), by: 'regex', group: doc.path };
      }),
    otherwise: () => answer('allow'),
  },
  droid: {
    order: 'strict',
    rules: (doc) => [
      ...listOf(doc, ['commandDenylist'], 'ask', { tool: 'shell', by: 'prefix' }),
      ...listOf(doc, ['commandBlocklist'], 'deny', { tool: 'shell', by: 'prefix' }),
      ...listOf(doc, ['commandAllowlist'], 'allow', { tool: 'shell', by: 'prefix' }),
    ],
    mode: (docs) => {
      const level = autonomy(docs);
      if (level === undefined || level.rank < 1) return undefined;
      if (level.rank === 1) return { effect: 'allow', actions: ['write'], source: level.source };
      return { effect: 'allow', actions: level.rank === 2 ? ['write', 'shell'] : everyAction, source: level.source };
    },
    otherwise: askAll,
  },
  crush: {
    order: 'strict',
    rules: (doc) => [...listOf(doc, ['options', 'disabled_tools'], 'deny'), ...listOf(doc, ['permissions', 'allowed_tools'], 'allow')],
    otherwise: (question, situation) => (question.action === 'read' ? askAll(question, situation) : answer('ask')),
  },
  pi: { order: 'strict', rules: () => [], otherwise: () => answer('allow') },
  vibe: {
    order: 'strict',
    rules: (doc) =>
      entriesOf(at(doc.root, 'tools')).flatMap(({ key, node }) => {
        const permission = at(node, 'permission');
        const mode = modeWord(text(permission));
        return [
          ...texts(at(node, 'denylist')).map(
            ({ value, line }): RawRule => ({ mode: 'deny', tool: key, pattern: value, line, by: 'prefix' }),
          ),
          ...texts(at(node, 'allowlist')).map(
            ({ value, line }): RawRule => ({ mode: 'allow', tool: key, pattern: value, line, by: 'prefix' }),
          ),
          ...(mode === 'deny' && permission !== undefined ? [{ mode, tool: key, line: permission.line } as const] : []),
        ];
      }),
    mode: flagAt('auto_approve'),
    otherwise: (question, situation, docs) => {
      const names = { shell: ['bash'], write: ['write_file', 'search_replace'], read: ['read_file'], network: ['web_fetch'], mcp: [] }[
        question.action
      ];
      for (const doc of [...docs].reverse()) {
        for (const name of names) {
          const node = at(doc.root, 'tools', name, 'permission');
          const mode = modeWord(text(node));
          if (mode !== undefined && node !== undefined) return answer(mode, sourceOf(doc, node.line));
        }
      }
      return askAll(question, situation);
    },
  },
  rovo: {
    order: 'first',
    rules: (doc) => [
      ...tableRules(doc, ['toolPermissions', 'bash', 'commands'], (node) => {
        const mode = modeWord(text(at(node, 'permission')));
        const pattern = text(at(node, 'command'));
        return mode === undefined || pattern === undefined ? undefined : { mode, tool: 'bash', pattern: `^(?:${pattern})$`, by: 'regex' };
      }),
      ...[at(doc.root, 'toolPermissions', 'bash', 'default')].flatMap((node): RawRule[] => {
        const mode = modeWord(text(node));
        return mode === undefined || node === undefined ? [] : [{ mode, tool: 'bash', line: node.line }];
      }),
      ...entriesOf(at(doc.root, 'toolPermissions', 'tools')).flatMap(({ key, node, line }): RawRule[] => {
        const mode = modeWord(text(node));
        return mode === undefined ? [] : [{ mode, tool: rovoTool(key), line }];
      }),
    ],
    mode: (docs) => wordAt(['allow'], 'toolPermissions', 'default')(docs) ?? flagAt('toolPermissions', 'allowAll')(docs),
    otherwise: askAll,
  },
  kimi: { order: 'strict', rules: () => [], mode: flagAt('default_yolo'), otherwise: askAll },
  openhands: {
    order: 'strict',
    rules: () => [],
    mode: switchMode((doc) => {
      const node = at(doc.root, 'security', 'confirmation_mode') ?? at(doc.root, 'confirmation_mode');
      if (node === undefined) return undefined;
      return { on: flag(node) === false || text(node) === 'always-approve', line: node.line };
    }),
    otherwise: () => answer('ask'),
  },
  warp: {
    order: 'strict',
    rules: (doc) => [
      ...allAt(doc.root, ['agents', 'execution_profiles', '*', 'command_denylist']).flatMap(({ node }) =>
        texts(node).map(({ value, line }): RawRule => ({ mode: 'ask', tool: 'shell', pattern: `^(?:${value})$`, line, by: 'regex' })),
      ),
      ...allAt(doc.root, ['agents', 'execution_profiles', '*', 'command_allowlist']).flatMap(({ node }) =>
        texts(node).map(({ value, line }): RawRule => ({ mode: 'allow', tool: 'shell', pattern: `^(?:${value})$`, line, by: 'regex' })),
      ),
      ...(
        [
          ['execute_commands', 'shell'],
          ['apply_code_diffs', 'write'],
          ['mcp_permissions', 'mcp'],
        ] as const
      ).flatMap(([key, action]) =>
        allAt(doc.root, ['agents', 'execution_profiles', '*', key]).flatMap(({ node }): RawRule[] =>
          text(node) === 'always_allow' ? [{ mode: 'allow', tool: key, line: node.line, action }] : [],
        ),
      ),
    ],
    otherwise: askAll,
  },
  openclaw: {
    order: 'strict',
    rules: () => [],
    mode: (docs) => {
      const found = docs
        .flatMap((doc) =>
          [at(doc.root, 'tools', 'exec', 'mode'), at(doc.root, 'tools', 'exec', 'security')].flatMap((node) =>
            node === undefined ? [] : [{ value: text(node), source: sourceOf(doc, node.line) }],
          ),
        )
        .at(0);
      if (found === undefined || found.value === 'full' || found.value === 'auto')
        return { effect: 'allow', actions: everyAction, source: found?.source ?? byDefault };
      return found.value === 'deny' ? { effect: 'deny', actions: ['shell'], source: found.source } : undefined;
    },
    otherwise: () => answer('ask'),
  },
};

function rovoTool(tool: string): string {
  return (
    {
      open_files: 'read_file',
      expand_code_chunks: 'read_file',
      grep: 'grep',
      create_file: 'write_file',
      find_and_replace_code: 'edit',
      delete_file: 'write_file',
    }[tool] ?? tool
  );
}

function autonomy(docs: readonly Doc[]): { readonly rank: number; readonly source: Source } | undefined {
  const ranks: Readonly<Record<string, number>> = {
    off: 0,
    normal: 0,
    low: 1,
    'auto-low': 1,
    medium: 2,
    'auto-medium': 2,
    high: 3,
    'auto-high': 3,
  };
  let chosen: { rank: number; source: Source } | undefined;
  let ceiling: { rank: number; source: Source } | undefined;
  for (const doc of docs) {
    const level = at(doc.root, 'autonomyLevel') ?? at(doc.root, 'autonomyMode') ?? at(doc.root, 'sessionDefaultSettings', 'autonomyMode');
    const rank = ranks[text(level)?.toLowerCase() ?? ''];
    if (level !== undefined && rank !== undefined) chosen = { rank, source: sourceOf(doc, level.line) };
    const top = at(doc.root, 'maxAutonomyLevel');
    const most = ranks[text(top)?.toLowerCase() ?? ''];
    if (top !== undefined && most !== undefined) ceiling = { rank: most, source: sourceOf(doc, top.line) };
  }
  return chosen !== undefined && ceiling !== undefined && ceiling.rank < chosen.rank ? ceiling : chosen;
}
