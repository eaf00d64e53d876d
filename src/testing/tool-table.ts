// Which of its tools an agent is asked to use for an act. A new agent needs one row here.
import path from 'node:path';
import type { Act, ModelRequest, OfferedTool } from './script.ts';

export interface ToolCall {
  readonly name: string;
  readonly namespace?: string;
  readonly kind: 'function' | 'custom';
  /** Arguments of a function; the raw text of a custom tool. */
  readonly input: Readonly<Record<string, unknown>> | string;
}

type Input = Readonly<Record<string, unknown>> | string;
interface Row {
  readonly tool: string;
  write?(file: string, content: string): Input;
  shell?(command: string): Input;
  read?(file: string): Input;
}

/** First match wins, so that an agent's own file tools come before its shell. */
const table: readonly Row[] = [
  // Claude Code
  { tool: 'Write', write: (file_path, content) => ({ file_path, content }) },
  { tool: 'Read', read: (file_path) => ({ file_path }) },
  { tool: 'Bash', shell: (command) => ({ command, description: 'Rehearsal step' }) },
  // opencode
  { tool: 'write', write: (filePath, content) => ({ filePath, content }) },
  { tool: 'read', read: (filePath) => ({ filePath }) },
  { tool: 'bash', shell: (command) => ({ command, description: 'Rehearsal step' }) },
  // Gemini CLI, Qwen Code
  { tool: 'write_file', write: (file_path, content) => ({ file_path, content }) },
  { tool: 'read_file', read: (file) => ({ file_path: file, absolute_path: file }) },
  { tool: 'run_shell_command', shell: (command) => ({ command, description: 'Rehearsal step' }) },
  // Codex: a function for models it does not know, JavaScript for those it knows
  { tool: 'exec_command', shell: (cmd) => ({ cmd }) },
  { tool: 'exec', shell: (cmd) => `const result = await tools.exec_command(${JSON.stringify({ cmd })});\ntext(result);` },
  { tool: 'shell_command', shell: (command) => ({ command }) },
  { tool: 'shell', shell: (command) => ({ command: ['sh', '-c', command] }) },
];

/** The call of an offered tool that does `act`; `undefined` when the agent offers none that could. */
export function toolFor(act: Act, request: ModelRequest): ToolCall | undefined {
  if (act.do === 'tool') {
    const offered = request.tools.find((tool) => tool.name === act.name);
    return { ...nameOf(offered, act.name), kind: offered?.kind ?? 'function', input: act.input };
  }
  for (const row of table) {
    const offered = request.tools.find((tool) => tool.name === row.tool);
    const input = offered && inputFor(act, row, request);
    if (offered && input !== undefined) return { ...nameOf(offered, row.tool), kind: offered.kind, input: complete(input, offered) };
  }
  // No tool for files: the shell can do it.
  if (act.do === 'write')
    return toolFor({ do: 'shell', command: `printf '%s' ${quoted(act.content)} > ${quoted(inWorkspace(act.path, request))}` }, request);
  if (act.do === 'read') return toolFor({ do: 'shell', command: `cat ${quoted(inWorkspace(act.path, request))}` }, request);
  return undefined;
}

function inputFor(act: Exclude<Act, { do: 'tool' }>, row: Row, request: ModelRequest): Input | undefined {
  switch (act.do) {
    case 'write':
      return row.write?.(inWorkspace(act.path, request), act.content);
    case 'read':
      return row.read?.(inWorkspace(act.path, request));
    case 'shell':
      return row.shell?.(act.command);
  }
}

function nameOf(offered: OfferedTool | undefined, name: string): { name: string; namespace?: string } {
  return offered?.namespace === undefined ? { name } : { name, namespace: offered.namespace };
}

/** Drops arguments that this version of the tool does not know, and gives required ones that the row left out a plain value. */
function complete(input: Input, tool: OfferedTool): Input {
  // A gateway may offer a freeform tool as a function with one argument.
  if (typeof input === 'string') return tool.kind === 'custom' ? input : { input };
  if (Object.keys(tool.properties).length === 0) return input;
  const known = Object.entries(input).filter(([key]) => Object.hasOwn(tool.properties, key));
  const missing = tool.required.filter((key) => !Object.hasOwn(input, key)).map((key) => [key, plainValue(tool.properties[key])]);
  return Object.fromEntries([...known, ...missing]);
}

function plainValue(schema: unknown): unknown {
  const type = typeof schema === 'object' && schema !== null && 'type' in schema ? schema.type : 'string';
  return type === 'boolean'
    ? false
    : type === 'number' || type === 'integer'
      ? 0
      : type === 'array'
        ? []
        : type === 'object'
          ? {}
          : 'rehearsal';
}

/** How agents tell the model where they work. */
const directoryNotes: readonly RegExp[] = [
  /<cwd>([^<]+)<\/cwd>/,
  /working directory: ?`?([^\s`]+)/i,
  /working in the directory:? ?`?([^\s`]+)/i,
  /\*\*Workspace Directories:\*\*\s*-\s*(\S+)/,
  /workspace directories?:\s*-?\s*(\S+)/i,
];

/** Some tools want absolute paths; a script says them relative to wherever the agent works. */
function inWorkspace(file: string, request: ModelRequest): string {
  if (path.isAbsolute(file) || file.startsWith('~')) return file;
  for (const note of directoryNotes) {
    const directory = note.exec(request.text)?.[1];
    if (directory?.startsWith('/')) return path.join(directory, file);
  }
  return file;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
