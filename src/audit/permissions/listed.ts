// The agents whose permissions are lists: each says where its rules stand, how a rule compares, in which order rules count, and what
// happens without one. One table row per agent; the evaluation is shared.
import type { DialectId } from '../catalogue/index.ts';
import type { Doc } from '../load.ts';
import { allAt, at, entriesOf, flag, type Node, text, texts } from '../read/node.ts';
import { type Answer, answer, byDefault, type Dialect, mcpTarget, type Question, type Situation, sourceOf } from './dialect.ts';
import { type Action, actionOf, type Grant, type Mode, parseToolRule, type Source } from './grant.ts';
import { absolute, globToRegExp, isInside, matchesHost, matchesRule } from './paths.ts';
import { matchesStars, safeRegExp, splitShell, startsWithWords } from './shell.ts';

type RuleMode = Grant['mode'];

interface RawRule {
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

interface ListDialect {
  readonly rules: (doc: Doc) => readonly RawRule[];
  /** `strict`: deny, then ask, then allow. `first`/`last`: by position. `longest`: the longest matching prefix. */
  readonly order: 'strict' | 'first' | 'last' | 'longest';
  /** Scope ranks for `first` and `last`, and for scalars. */
  readonly mode?: (
    docs: readonly Doc[],
  ) => { readonly effect: Mode; readonly actions: readonly Action[]; readonly source: Source } | undefined;
  readonly otherwise: (question: Question, situation: Situation, docs: readonly Doc[]) => Answer;
}

function listOf(
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
function tableRules(doc: Doc, keys: readonly string[], read: (node: Node) => Omit<RawRule, 'line'> | undefined): readonly RawRule[] {
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

function modeWord(value: string | undefined): RuleMode | undefined {
  const key = value?.toLowerCase();
  return key !== undefined && Object.hasOwn(words, key) ? words[key] : undefined;
}

function insideAllowed(mode: { readonly read: Mode; readonly write: Mode }): (question: Question, situation: Situation) => Answer {
  return (question, situation) => {
    if (question.action !== 'read' && question.action !== 'write') return answer('ask');
    return answer(isInside(absolute(question.target, situation), situation.workspace) ? mode[question.action] : 'ask');
  };
}

const askAll = insideAllowed({ read: 'allow', write: 'ask' });
const everyAction: readonly Action[] = ['shell', 'read', 'write', 'network', 'mcp'];

/** A switch that turns the questions off: the strongest document that has it decides. */
function switchMode(
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

function flagAt(...keys: readonly string[]): NonNullable<ListDialect['mode']> {
  return switchMode((doc) => {
    const node = at(doc.root, ...keys);
    return node === undefined || flag(node) === undefined ? undefined : { on: flag(node) === true, line: node.line };
  });
}

function wordAt(on: readonly string[], ...keys: readonly string[]): NonNullable<ListDialect['mode']> {
  return switchMode((doc) => {
    const node = at(doc.root, ...keys);
    const value = text(node)?.toLowerCase();
    return node === undefined || value === undefined ? undefined : { on: on.includes(value), line: node.line };
  });
}

const dialects: Partial<Record<DialectId, ListDialect>> = {
  cursor: {
    order: 'strict',
    rules: (doc) => [
      ...listOf(doc, ['permissions', 'deny'], 'deny', { by: 'tool-rule' }),
      ...listOf(doc, ['permissions', 'allow'], 'allow', { by: 'tool-rule' }),
      ...listOf(doc, ['terminalAllowlist'], 'allow', { tool: 'Shell', by: 'prefix' }),
      ...listOf(doc, ['mcpAllowlist'], 'allow', { tool: 'Mcp', by: 'stars', action: 'mcp' }),
    ],
    otherwise: insideAllowed({ read: 'allow', write: 'allow' }),
  },
  devin: {
    order: 'strict',
    rules: (doc) => (['deny', 'ask', 'allow'] as const).flatMap((mode) => listOf(doc, ['permissions', mode], mode, { by: 'tool-rule' })),
    otherwise: askAll,
  },
  antigravity: {
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
  'copilot-vscode': {
    order: 'strict',
    rules: (doc) => [
      ...entriesOf(at(doc.root, 'chat.tools.terminal.autoApprove')).flatMap(({ key, node, line }): RawRule[] => {
        const value = flag(node) ?? flag(at(node, 'approve'));
        if (value === undefined) return [];
        const isRegex = key.startsWith('/');
        const source = key.replace(/^\/(.*)\/\w*$/s, '$1');
        return [
          {
            mode: value ? 'allow' : 'ask',
            tool: 'terminal',
            pattern: isRegex && /^(\.\*|\^?\.\*\$?|\^)$/.test(source) ? '*' : isRegex ? source : key,
            line,
            by: isRegex ? 'regex' : 'prefix',
          },
        ];
      }),
      ...entriesOf(at(doc.root, 'chat.tools.edits.autoApprove')).flatMap(({ key, node, line }): RawRule[] =>
        flag(node) === undefined ? [] : [{ mode: flag(node) === true ? 'allow' : 'ask', tool: 'edit', pattern: key, line, by: 'glob' }],
      ),
      ...entriesOf(at(doc.root, 'chat.tools.urls.autoApprove')).flatMap(({ key, node, line }): RawRule[] =>
        flag(node) === undefined ? [] : [{ mode: flag(node) === true ? 'allow' : 'ask', tool: 'fetch', pattern: key, line, by: 'stars' }],
      ),
    ],
    mode: (docs) =>
      flagAt('chat.tools.global.autoApprove')(docs) ??
      flagAt('chat.tools.autoApprove')(docs) ??
      wordAt(['bypassapprovals', 'autopilot', 'bypass', 'allow'], 'chat.permissions.default')(docs),
    otherwise: insideAllowed({ read: 'allow', write: 'allow' }),
  },
  'copilot-cli': {
    order: 'strict',
    rules: (doc) => [
      ...(['deny', 'ask', 'allow'] as const).flatMap((mode) => listOf(doc, ['permissions', mode], mode, { by: 'tool-rule' })),
      ...listOf(doc, ['allowedUrls'], 'allow', { tool: 'url', by: 'stars' }),
      ...listOf(doc, ['deniedUrls'], 'deny', { tool: 'url', by: 'stars' }),
      ...listOf(doc, ['locations', '*', 'allowedTools'], 'allow', { by: 'tool-rule' }),
    ],
    otherwise: askAll,
  },
  roo: {
    order: 'longest',
    rules: (doc) => {
      const prefixes: readonly (readonly string[])[] = [[], ['globalSettings']];
      return prefixes
        .flatMap((at) => [
          ...listOf(doc, [...at, 'allowedCommands'], 'allow', { tool: 'shell', by: 'prefix' }),
          ...listOf(doc, [...at, 'deniedCommands'], 'deny', { tool: 'shell', by: 'prefix' }),
          ...rooFlags(doc, at),
        ])
        .concat(
          listOf(doc, ['roo-cline.allowedCommands'], 'allow', { tool: 'shell', by: 'prefix' }),
          listOf(doc, ['roo-cline.deniedCommands'], 'deny', { tool: 'shell', by: 'prefix' }),
        );
    },
    otherwise: askAll,
  },
  cline: {
    order: 'strict',
    rules: (doc) =>
      (
        [
          ['executeAllCommands', 'shell'],
          ['editFiles', 'write'],
          ['readFiles', 'read'],
          ['useBrowser', 'network'],
          ['useMcp', 'mcp'],
        ] as const
      ).flatMap(([key, action]): RawRule[] => {
        const node = at(doc.root, 'autoApprovalSettings', 'actions', key);
        return node !== undefined && flag(node) === true ? [{ mode: 'allow', tool: key, line: node.line, action }] : [];
      }),
    mode: flagAt('yoloModeToggled'),
    otherwise: insideAllowed({ read: 'ask', write: 'ask' }),
  },
  continue: {
    order: 'first',
    rules: (doc) =>
      doc.path.endsWith('permissions.yaml')
        ? entriesOf(doc.root).flatMap(({ key, node }) => {
            const mode = modeWord(key);
            return mode === undefined
              ? []
              : texts(node).map(({ value, line }): RawRule => {
                  const parsed = parseToolRule(value);
                  return {
                    mode,
                    tool: parsed?.tool ?? value,
                    ...(parsed?.argument === undefined ? {} : { pattern: parsed.argument }),
                    line,
                    by: 'stars',
                  };
                });
          })
        : [],
    otherwise: (question) => answer(question.action === 'read' || question.action === 'network' ? 'allow' : 'ask'),
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
  junie: {
    order: 'first',
    rules: (doc) =>
      (
        [
          ['executables', 'shell'],
          ['fileEditing', 'write'],
          ['mcpTools', 'mcp'],
          ['readOutsideProject', 'read'],
        ] as const
      ).flatMap(([key, action]) => [
        ...tableRules(doc, ['rules', key, 'rules'], (node) => {
          const mode = modeWord(text(at(node, 'action')));
          const pattern = text(at(node, 'prefix')) ?? text(at(node, 'pattern'));
          return mode === undefined
            ? undefined
            : {
                mode,
                tool: key,
                action,
                ...(pattern === undefined ? {} : { pattern }),
                by: text(at(node, 'prefix')) === undefined ? 'stars' : 'prefix',
              };
        }),
        ...[at(doc.root, 'rules', key, 'default')].flatMap((node): RawRule[] => {
          const mode = modeWord(text(node));
          return mode === undefined || node === undefined ? [] : [{ mode, tool: key, action, line: node.line }];
        }),
      ]),
    mode: (docs) => wordAt(['allow'], 'defaultBehavior')(docs) ?? flagAt('braveMode')(docs),
    otherwise: askAll,
  },
  kiro: {
    order: 'strict',
    rules: (doc) => [
      ...tableRules(doc, ['rules'], kiroRule).concat(
        doc.root?.kind === 'list'
          ? doc.root.items.flatMap((node) => {
              const one = kiroRule(node);
              return one === undefined ? [] : [{ ...one, line: node.line }];
            })
          : [],
      ),
      ...kiroLists(doc),
      ...listOf(doc, ['kiroAgent.trustedCommands'], 'allow', { tool: 'shell', by: 'stars' }),
    ],
    otherwise: insideAllowed({ read: 'allow', write: 'ask' }),
  },
  'amazon-q': {
    order: 'strict',
    rules: (doc) => kiroLists(doc),
    otherwise: (question) => answer(question.action === 'read' ? 'allow' : 'ask'),
  },
  zed: {
    order: 'strict',
    rules: (doc) =>
      entriesOf(at(doc.root, 'agent', 'tool_permissions', 'tools')).flatMap(({ key, node }) => [
        ...(['always_deny', 'always_confirm', 'always_allow'] as const).flatMap((list) => {
          const rules = at(node, list);
          return (rules?.kind === 'list' ? rules.items : []).map(
            (one): RawRule => ({
              mode: modeWord(list) ?? 'ask',
              tool: key,
              pattern: text(at(one, 'pattern')) ?? text(one) ?? '*',
              line: one.line,
              by: 'regex',
            }),
          );
        }),
      ]),
    mode: (docs) => flagAt('agent', 'always_allow_tool_actions')(docs) ?? wordAt(['allow'], 'agent', 'tool_permissions', 'default')(docs),
    otherwise: (question, _situation, docs) => {
      const tool = { shell: 'terminal', write: 'edit_file', read: 'read_file', network: 'fetch', mcp: '' }[question.action];
      for (const doc of [...docs].reverse()) {
        const node = at(doc.root, 'agent', 'tool_permissions', 'tools', tool, 'default');
        const mode = modeWord(text(node));
        if (mode !== undefined && node !== undefined) return answer(mode, sourceOf(doc, node.line));
      }
      return answer(question.action === 'read' ? 'allow' : 'ask');
    },
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
  windsurf: {
    order: 'strict',
    rules: (doc) => [
      ...listOf(doc, ['windsurf.cascadeCommandsDenyList'], 'ask', { tool: 'shell', by: 'prefix' }),
      ...listOf(doc, ['windsurf.cascadeCommandsAllowList'], 'allow', { tool: 'shell', by: 'prefix' }),
    ],
    otherwise: insideAllowed({ read: 'allow', write: 'allow' }),
  },
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

function rooFlags(doc: Doc, prefix: readonly string[]): readonly RawRule[] {
  if (flag(at(doc.root, ...prefix, 'autoApprovalEnabled')) === false) return [];
  const rows = [
    ['alwaysAllowWrite', 'write'],
    ['alwaysAllowReadOnly', 'read'],
    ['alwaysAllowMcp', 'mcp'],
    ['alwaysAllowBrowser', 'network'],
  ] as const;
  return rows.flatMap(([key, action]): RawRule[] => {
    const node = at(doc.root, ...prefix, key);
    return node !== undefined && flag(node) === true ? [{ mode: 'allow', tool: key, line: node.line, action }] : [];
  });
}

function kiroRule(node: Node): Omit<RawRule, 'line'> | undefined {
  const mode = modeWord(text(at(node, 'effect')));
  const capability = text(at(node, 'capability'));
  if (mode === undefined || capability === undefined) return undefined;
  const pattern = texts(at(node, 'match')).map(({ value }) => value);
  const tool =
    {
      shell: 'shell',
      fs_read: 'read',
      fs_write: 'write',
      read: 'read',
      write: 'write',
      web: 'fetch',
      web_fetch: 'fetch',
      network: 'fetch',
      mcp: 'mcp',
    }[capability] ?? capability;
  return {
    mode,
    tool,
    ...(tool === 'mcp' ? { action: 'mcp' as const } : {}),
    ...(pattern.length === 0 ? {} : { pattern: pattern.length === 1 ? (pattern[0] ?? '*') : `{${pattern.join(',')}}` }),
    by: 'stars',
  };
}

/** Agent files of Amazon Q and Kiro CLI 2: trusted tools, and patterns per tool. */
function kiroLists(doc: Doc): readonly RawRule[] {
  const out: RawRule[] = [];
  for (const { value, line } of texts(at(doc.root, 'allowedTools'))) {
    const isBuiltIn = value === '@builtin';
    out.push({
      mode: 'allow',
      tool: isBuiltIn ? '*' : value,
      line,
      ...(value.startsWith('@') && !isBuiltIn ? { action: 'mcp' as const } : {}),
    });
  }
  for (const tool of ['execute_bash', 'shell', 'execute_cmd']) {
    for (const { value, line } of texts(at(doc.root, 'toolsSettings', tool, 'deniedCommands')))
      out.push({ mode: 'deny', tool, pattern: `^(?:${value})$`, line, by: 'regex' });
    for (const { value, line } of texts(at(doc.root, 'toolsSettings', tool, 'allowedCommands')))
      out.push({ mode: 'allow', tool, pattern: value === '*' ? '*' : `^(?:${value})$`, line, by: 'regex' });
  }
  for (const tool of ['fs_write', 'write'])
    for (const { value, line } of texts(at(doc.root, 'toolsSettings', tool, 'allowedPaths')))
      out.push({ mode: 'allow', tool, pattern: value, line, by: 'glob' });
  return out;
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

export function listDialect(id: DialectId): Dialect | undefined {
  const dialect = dialects[id];
  if (dialect === undefined) return undefined;
  return {
    grants: (doc) => (doc.root === undefined ? [] : dialect.rules(doc).map((raw) => grantOf(doc, raw))),
    decide: (situation, question) => decide(dialect, situation, question),
  };
}

function grantOf(doc: Doc, raw: RawRule): Grant {
  const pattern = raw.pattern ?? '*';
  return {
    agent: doc.agent.id,
    dialect: doc.agent.dialect,
    workspace: doc.workspace?.path,
    isSample: doc.workspace?.isSample ?? false,
    mode: raw.mode,
    action: raw.action ?? actionOf(raw.tool) ?? 'any',
    pattern: /^(\*\*|\.\*|\*:\*|)$/.test(pattern) ? '*' : pattern,
    raw: raw.pattern === undefined ? raw.tool : `${raw.tool}(${raw.pattern})`,
    tool: raw.tool,
    source: sourceOf(doc, raw.line),
    priority: 0,
  };
}

const weights: Readonly<Record<Doc['scope'], number>> = { user: 1, state: 1, project: 2, local: 3, managed: 4 };

function decide(dialect: ListDialect, situation: Situation, question: Question): Answer {
  const docs = [...situation.docs].sort((a, b) => weights[a.scope] - weights[b.scope]);
  const rules = docs.flatMap((doc) => (doc.root === undefined ? [] : dialect.rules(doc).map((raw) => ({ raw, doc }))));
  const hit = (target: string): { raw: RawRule; doc: Doc } | undefined =>
    pick(
      dialect.order,
      rules.filter(({ raw }) => applies(raw, { ...question, target }, situation)),
    );
  const mode = dialect.mode?.(docs);
  const isOn = mode?.actions.includes(question.action) === true;
  const parts = question.action === 'shell' ? splitShell(question.target).commands : [question.target];
  const found = (parts.length === 0 ? [question.target] : parts).map(hit);
  const worst = found.reduce((a, b) => (rank(b?.raw.mode) > rank(a?.raw.mode) ? b : a));
  if (worst?.raw.mode === 'deny') return answer('deny', sourceOf(worst.doc, worst.raw.line));
  if (isOn && mode !== undefined && (mode.effect !== 'allow' || worst?.raw.mode !== 'ask')) return answer(mode.effect, mode.source);
  if (worst !== undefined && !found.includes(undefined)) return answer(worst.raw.mode, sourceOf(worst.doc, worst.raw.line));
  const open = dialect.otherwise(question, situation, docs);
  // A command line of which only a part is covered by rules falls back to the default for the rest.
  return worst?.raw.mode === 'ask' ? answer('ask', sourceOf(worst.doc, worst.raw.line)) : open;
}

function rank(mode: RuleMode | undefined): number {
  return mode === undefined ? 0.5 : { allow: 0, ask: 1, deny: 2 }[mode];
}

type Placed = { readonly raw: RawRule; readonly doc: Doc };

function pick(order: ListDialect['order'], matching: readonly Placed[]): Placed | undefined {
  switch (order) {
    case 'first': {
      const groups = new Map<string, Placed>();
      for (const one of matching) if (!groups.has(one.raw.group ?? '')) groups.set(one.raw.group ?? '', one);
      return [...groups.values()].reduce<Placed | undefined>(
        (a, b) => (a === undefined || rank(b.raw.mode) > rank(a.raw.mode) ? b : a),
        undefined,
      );
    }
    case 'last':
      return matching.at(-1);
    case 'longest':
      return matching.reduce<Placed | undefined>(
        (a, b) => (a === undefined || length(b) > length(a) || (length(b) === length(a) && b.raw.mode === 'deny') ? b : a),
        undefined,
      );
    case 'strict':
      return matching.reduce<Placed | undefined>((a, b) => (a === undefined || rank(b.raw.mode) > rank(a.raw.mode) ? b : a), undefined);
  }
}

function length({ raw }: Placed): number {
  return raw.pattern === undefined || raw.pattern === '*' ? 0 : raw.pattern.length;
}

function applies(raw: RawRule, { action, target }: Question, situation: Situation): boolean {
  const of = raw.action ?? actionOf(raw.tool) ?? 'any';
  if (of === 'any') return raw.tool === '*' || raw.tool === '**';
  if (of !== action) return false;
  const pattern = raw.pattern ?? '*';
  if (pattern === '' || pattern === '*' || pattern === '**' || pattern === '.*')
    return action !== 'mcp' || raw.by !== undefined || coversMcp(raw.tool, target);
  switch (action) {
    case 'shell':
      return matchesShell(raw.by, pattern, target);
    case 'read':
    case 'write':
      return raw.by === 'regex' ? (safeRegExp(pattern)?.test(target) ?? false) : coversFile(pattern, target, situation);
    case 'network':
      return raw.by === 'regex'
        ? (safeRegExp(pattern)?.test(target) ?? false)
        : matchesStars(pattern, target) || matchesHost(pattern, target, false);
    case 'mcp': {
      const { server, tool } = mcpTarget(target);
      const [wantedServer = '*', wantedTool = '*'] = pattern.split(/[:/]/, 2);
      return matchesStars(wantedServer, server) && (wantedTool === '*' || matchesStars(wantedTool, tool));
    }
  }
}

function coversMcp(rule: string, target: string): boolean {
  if (!/^(@|mcp__)/.test(rule)) return true;
  const wanted = mcpTarget(rule);
  const asked = mcpTarget(target);
  return matchesStars(wanted.server, asked.server) && (wanted.tool === '*' || matchesStars(wanted.tool, asked.tool));
}

function matchesShell(by: RawRule['by'], pattern: string, command: string): boolean {
  switch (by) {
    case 'regex':
      return safeRegExp(pattern)?.test(command) ?? false;
    case 'prefix':
      return matchesStars(pattern, command) || startsWithWords(command, pattern.replace(/\s*\*$/, ''));
    default: {
      const alternatives = /^\{.*\}$/s.test(pattern) ? pattern.slice(1, -1).split(',') : [pattern];
      return alternatives.some((one) => {
        const bare = one.trim().replace(/:\*$/, ' *');
        return matchesStars(bare, command) || startsWithWords(command, bare.replace(/\s\*$/, ''));
      });
    }
  }
}

function coversFile(pattern: string, target: string, situation: Situation): boolean {
  const file = absolute(target, situation);
  if (matchesRule(pattern, file, situation.workspace, situation)) return true;
  const relative = isInside(file, situation.workspace) ? file.slice(situation.workspace.length + 1) : file;
  return globToRegExp(pattern.replace(/^~(?=\/)/, situation.home)).test(file) || globToRegExp(pattern).test(relative);
}
