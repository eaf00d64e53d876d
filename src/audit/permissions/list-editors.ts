// Permission lists of agents in editors: where the rules stand, in which order they count, what happens without one.
import type { DialectId } from '../catalogue/index.ts';
import type { Doc } from '../load.ts';
import { at, entriesOf, flag, type Node, text, texts } from '../read/node.ts';
import { answer, sourceOf } from './dialect.ts';
import { parseToolRule } from './grant.ts';
import { askAll, flagAt, insideAllowed, type ListDialect, listOf, modeWord, type RawRule, tableRules, wordAt } from './list-rules.ts';

export const editorDialects: Partial<Record<DialectId, ListDialect>> = {
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
    mode: (docs) => {
      const closed = (policy: string): Doc | undefined =>
        docs.find(({ scope, root }) => scope === 'managed' && flag(at(root, policy)) === false);
      const terminal = closed('ChatToolsTerminalEnableAutoApprove');
      if (closed('ChatToolsAutoApprove') !== undefined)
        return terminal === undefined
          ? undefined
          : {
              effect: 'ask',
              actions: ['shell', 'network', 'mcp'],
              source: sourceOf(terminal, at(terminal.root, 'ChatToolsTerminalEnableAutoApprove')?.line ?? 1),
            };
      return (
        flagAt('chat.tools.global.autoApprove')(docs) ??
        flagAt('chat.tools.autoApprove')(docs) ??
        wordAt(['bypassapprovals', 'autopilot', 'bypass', 'allow'], 'chat.permissions.default')(docs)
      );
    },
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
  windsurf: {
    order: 'strict',
    rules: (doc) => [
      ...listOf(doc, ['windsurf.cascadeCommandsDenyList'], 'ask', { tool: 'shell', by: 'prefix' }),
      ...listOf(doc, ['windsurf.cascadeCommandsAllowList'], 'allow', { tool: 'shell', by: 'prefix' }),
    ],
    otherwise: insideAllowed({ read: 'allow', write: 'allow' }),
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
  antigravity: {
    order: 'strict',
    rules: (doc) => (['deny', 'ask', 'allow'] as const).flatMap((mode) => listOf(doc, ['permissions', mode], mode, { by: 'tool-rule' })),
    otherwise: askAll,
  },
};

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
