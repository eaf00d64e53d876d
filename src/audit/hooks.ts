// Commands that an agent or editor runs by itself: hooks in every shape the agents know, editor tasks and container life-cycle commands.
import type { Doc } from './load.ts';
import { at, entriesOf, type Node, text, texts } from './read/node.ts';

export interface Hook {
  readonly doc: Doc;
  /** When it runs, in the agent's own word. */
  readonly event: string;
  /** A shell command, or the address that an http hook posts to. */
  readonly command: string;
  readonly kind: 'command' | 'http' | 'file';
  readonly line: number;
}

const commandKeys = ['command', 'bash', 'powershell', 'cmd', 'script', 'run'] as const;

export function hooksIn(docs: readonly Doc[]): readonly Hook[] {
  const hooks: Hook[] = [];
  const seen = new Set<string>();
  const add = (hook: Hook): void => {
    const key = `${hook.doc.path}\0${hook.line}\0${hook.command}`;
    if (!seen.has(key)) hooks.push(hook);
    seen.add(key);
  };
  for (const doc of docs) {
    if (doc.root === undefined) {
      if (doc.file.role === 'code' && doc.fault === undefined) add({ doc, event: 'load', command: doc.path, kind: 'file', line: 1 });
      continue;
    }
    if (doc.path.endsWith('tasks.json')) for (const hook of editorTasks(doc, doc.root)) add(hook);
    else if (/devcontainer\.json$/.test(doc.path)) for (const hook of containerCommands(doc, doc.root)) add(hook);
    else if (at(doc.root, 'disableAllHooks') === undefined || text(at(doc.root, 'disableAllHooks')) === 'false') {
      const table = at(doc.root, 'hooks') ?? (doc.file.role === 'hooks' ? doc.root : undefined);
      if (table !== undefined) for (const hook of below(doc, table, '')) add(hook);
    }
  }
  return hooks;
}

function* below(doc: Doc, node: Node, event: string): Generator<Hook> {
  if (node.kind === 'list') {
    for (const item of node.items) yield* below(doc, item, event);
    return;
  }
  if (node.kind !== 'table') return;
  const named = event === '' ? (text(at(node, 'event')) ?? text(at(node, 'when', 'type')) ?? event) : event;
  for (const key of commandKeys) {
    const value = at(node, key);
    if (text(value) !== undefined && value !== undefined)
      yield { doc, event: named, command: text(value) ?? '', kind: 'command', line: value.line };
    else if (value?.kind === 'list' && texts(value).length > 0) {
      const words = texts(value);
      yield { doc, event: named, command: words.map((word) => word.value).join(' '), kind: 'command', line: words[0]?.line ?? value.line };
    }
  }
  const url = at(node, 'url');
  if (text(url) !== undefined && url !== undefined) yield { doc, event: named, command: text(url) ?? '', kind: 'http', line: url.line };
  for (const { key, node: child } of entriesOf(node)) {
    if (child.kind === 'table' || child.kind === 'list') yield* below(doc, child, named === '' || named === 'hooks' ? key : named);
  }
}

function* editorTasks(doc: Doc, root: Node): Generator<Hook> {
  const tasks = at(root, 'tasks');
  if (tasks?.kind !== 'list') return;
  for (const task of tasks.items) {
    if (text(at(task, 'runOptions', 'runOn')) !== 'folderOpen') continue;
    const command = at(task, 'command') ?? task;
    const words = [...texts(at(task, 'command')), ...texts(at(task, 'args'))].map(({ value }) => value);
    yield { doc, event: 'folderOpen', command: words.join(' '), kind: 'command', line: command.line };
  }
}

function* containerCommands(doc: Doc, root: Node): Generator<Hook> {
  for (const key of [
    'initializeCommand',
    'onCreateCommand',
    'updateContentCommand',
    'postCreateCommand',
    'postStartCommand',
    'postAttachCommand',
  ]) {
    const value = at(root, key);
    if (value === undefined) continue;
    if (value.kind === 'table')
      for (const { node } of entriesOf(value))
        yield {
          doc,
          event: key,
          command: texts(node)
            .map((word) => word.value)
            .join(' '),
          kind: 'command',
          line: node.line,
        };
    else
      yield {
        doc,
        event: key,
        command: texts(value)
          .map((word) => word.value)
          .join(' '),
        kind: 'command',
        line: value.line,
      };
  }
}
