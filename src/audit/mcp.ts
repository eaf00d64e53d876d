// MCP servers out of every settings file, whatever their shape there, with secrets taken out of what is shown.
import type { Doc } from './load.ts';
import { allAt, at, entriesOf, flag, type Node, text, texts } from './read/node.ts';

export interface McpServer {
  readonly name: string;
  readonly agent: string;
  readonly doc: Doc;
  readonly line: number;
  readonly transport: 'stdio' | 'http' | 'sse';
  /** Program and arguments as configured; empty for remote servers. */
  readonly argv: readonly { readonly value: string; readonly line: number }[];
  readonly url: { readonly value: string; readonly line: number } | undefined;
  /** Variables and headers. */
  readonly values: readonly { readonly key: string; readonly value: string; readonly line: number; readonly kind: 'variable' | 'header' }[];
  /** Keys that let its tools run without a question. */
  readonly approvals: readonly { readonly what: string; readonly line: number }[];
  readonly isDisabled: boolean;
  /** `false`: fetched anew in whatever version; `undefined`: remote, so there is nothing to pin. */
  readonly pinned: boolean | undefined;
  readonly node: Node;
}

export function mcpServers(docs: readonly Doc[]): readonly McpServer[] {
  const servers: McpServer[] = [];
  const seen = new Set<string>();
  for (const doc of docs) {
    const { mcp } = doc.file;
    if (mcp === undefined || doc.root === undefined) continue;
    for (const table of allAt(doc.root, mcp)) {
      const listed =
        table.node.kind === 'list'
          ? table.node.items.map((node) => ({ key: text(at(node, 'name')) ?? text(at(node, 'id')) ?? 'unnamed', line: node.line, node }))
          : entriesOf(table.node);
      for (const { key, line, node } of listed) {
        const id = `${doc.agent.id}\0${doc.path}\0${line}\0${key}`;
        if (seen.has(id) || node.kind !== 'table') continue;
        seen.add(id);
        const server = read(doc, key, line, node);
        if (server !== undefined) servers.push(server);
      }
    }
  }
  return servers;
}

function read(doc: Doc, name: string, line: number, node: Node): McpServer | undefined {
  const argv = argvOf(node);
  const urlNode = ['url', 'httpUrl', 'serverUrl', 'uri', 'endpoint'].map((key) => at(node, key)).find((one) => text(one) !== undefined);
  const url = urlNode === undefined ? undefined : { value: text(urlNode) ?? '', line: urlNode.line };
  if (argv.length === 0 && url === undefined) return undefined;
  const type = (text(at(node, 'type')) ?? text(at(node, 'transport')) ?? text(at(node, 'transport', 'type')) ?? '').toLowerCase();
  const transport = argv.length > 0 && type !== 'sse' && !type.includes('http') ? 'stdio' : type === 'sse' ? 'sse' : 'http';
  return {
    name,
    agent: doc.agent.id,
    doc,
    line,
    transport,
    argv,
    url,
    values: valuesOf(node),
    approvals: approvalsOf(node),
    isDisabled: flag(at(node, 'disabled')) === true || flag(at(node, 'enabled')) === false,
    pinned: argv.length === 0 ? undefined : isPinned(argv.map(({ value }) => value)),
    node,
  };
}

function argvOf(node: Node): McpServer['argv'] {
  const command = at(node, 'command') ?? at(node, 'cmd');
  if (command?.kind === 'list') return texts(command);
  const program = command?.kind === 'table' ? at(command, 'path') : command;
  const args = command?.kind === 'table' ? at(command, 'args') : at(node, 'args');
  return [...texts(program), ...texts(args)];
}

function valuesOf(node: Node): McpServer['values'] {
  const out: { key: string; value: string; line: number; kind: 'variable' | 'header' }[] = [];
  for (const [key, kind] of [
    ['env', 'variable'],
    ['envs', 'variable'],
    ['environment', 'variable'],
    ['headers', 'header'],
    ['http_headers', 'header'],
  ] as const) {
    for (const entry of entriesOf(at(node, key) ?? at(node, 'requestOptions', key) ?? at(node, 'command', key))) {
      const value = text(entry.node);
      if (value !== undefined) out.push({ key: entry.key, value, line: entry.line, kind });
    }
  }
  return out;
}

function approvalsOf(node: Node): McpServer['approvals'] {
  const out: { what: string; line: number }[] = [];
  for (const key of ['autoApprove', 'alwaysAllow', 'autoAllow', 'always_allow', 'autoApproveTools']) {
    const value = at(node, key);
    if (flag(value) === true && value !== undefined) out.push({ what: `${key}: true`, line: value.line });
    for (const tool of texts(value)) out.push({ what: `${key}: ${tool.value}`, line: tool.line });
  }
  const trust = at(node, 'trust');
  if (trust !== undefined && flag(trust) === true) out.push({ what: 'trust: true', line: trust.line });
  const mode = at(node, 'default_tools_approval_mode') ?? at(node, 'approvalMode');
  if (mode !== undefined && /^(approve|auto-approve|always|never-ask)$/.test(text(mode) ?? ''))
    out.push({ what: `approval mode ${text(mode) ?? ''}`, line: mode.line });
  for (const tool of allAt(node, ['tools', '*', 'approval_mode']))
    if (text(tool.node) === 'approve') out.push({ what: `${tool.keys[1] ?? ''}: approve`, line: tool.line });
  return out;
}

/** What a launcher would fetch: the package or image in its arguments, with what fixes its version. */
export function fetched(argv: readonly string[]): { readonly launcher: string; readonly target: string } | undefined {
  const words = argv.flatMap((word, index) => (index === 0 ? word.trim().split(/\s+/) : [word]));
  let from = words[0] === 'env' ? 1 : 0;
  while (/^\w+=/.test(words[from] ?? '')) from++;
  if (/^(cmd|cmd\.exe)$/i.test(words[from] ?? '') && /^\/c$/i.test(words[from + 1] ?? '')) from += 2;
  const program = (words[from] ?? '').replace(/^.*[\\/]/, '').replace(/\.(cmd|exe)$/i, '');
  const rest = words.slice(from + 1);
  const operand = (args: readonly string[], valued: RegExp): string | undefined => {
    for (let i = 0; i < args.length; i++) {
      const arg = args[i] ?? '';
      if (valued.test(arg)) i += arg.includes('=') ? 0 : 1;
      else if (!arg.startsWith('-')) return arg;
    }
    return undefined;
  };
  const named = (flagged: RegExp): string | undefined => {
    const at = rest.findIndex((arg) => flagged.test(arg));
    const inline = /=(.+)$/.exec(rest[at] ?? '')?.[1];
    return at < 0 ? undefined : (inline ?? rest[at + 1]);
  };
  const found = ((): string | undefined => {
    switch (program) {
      case 'npx':
      case 'bunx':
        return named(/^(-p|--package)(=|$)/) ?? operand(rest, /^(-c|--call)$/);
      case 'pnpm':
      case 'yarn':
      case 'bun':
        return /^(dlx|x)$/.test(rest[0] ?? '') ? operand(rest.slice(1), /^--package$/) : undefined;
      case 'npm':
        return /^(exec|x)$/.test(rest[0] ?? '') ? (named(/^(-p|--package)(=|$)/) ?? operand(rest.slice(1), /^$/)) : undefined;
      case 'deno':
        return rest.find((arg) => /^(npm:|jsr:|https?:)/.test(arg));
      case 'uvx':
        return named(/^--from(=|$)/) ?? operand(rest, /^(--with|--python|-p|--index-url)(=|$)/);
      case 'uv':
        return /^tool$/.test(rest[0] ?? '') && rest[1] === 'run'
          ? (named(/^--from(=|$)/) ?? operand(rest.slice(2), /^(--with|--python)(=|$)/))
          : undefined;
      case 'pipx':
        return rest[0] === 'run' ? (named(/^--spec(=|$)/) ?? operand(rest.slice(1), /^$/)) : undefined;
      case 'go':
        return rest[0] === 'run' ? rest.find((arg) => arg.includes('@') || /^[\w.-]+\.[a-z]+\//.test(arg)) : undefined;
      case 'docker':
      case 'podman':
      case 'nerdctl':
        return rest[0] === 'run'
          ? operand(
              rest.slice(1),
              /^(-e|--env|-v|--volume|--name|--network|--net|-p|--publish|--mount|-w|--workdir|-u|--user|--env-file|--entrypoint|--add-host|-l|--label|--platform|--memory|-m|--cpus|--pull|--security-opt|--cap-add|--device)(=|$)/,
            )
          : undefined;
      default:
        return undefined;
    }
  })();
  return found === undefined ? undefined : { launcher: program, target: found };
}

export function isPinned(argv: readonly string[]): boolean {
  const what = fetched(argv);
  if (what === undefined) {
    // A git address in any argument is fetched too.
    return !argv.some((arg) => /^git\+(https?|ssh):/.test(arg) && !/@[0-9a-f]{40}\b/.test(arg));
  }
  const { launcher, target } = what;
  if (/^(git\+|https?:|github:)/.test(target)) return /(@|#)[0-9a-f]{40}\b/.test(target);
  if (/^(\.|\/|~)/.test(target)) return true;
  if (/^(docker|podman|nerdctl)$/.test(launcher))
    return /@sha256:[0-9a-f]{64}$/.test(target) || (/:[^/:]+$/.test(target) && !/:(latest|main|master|edge|nightly|stable)$/.test(target));
  if (/^(uvx|uv|pipx)$/.test(launcher)) return /(==|@)v?\d+(\.\d+)+/.test(target);
  if (launcher === 'go') return /@(v\d+\.\d+\.\d+|[0-9a-f]{12,40})/.test(target);
  return /^(npm:|jsr:)?(@[^/@]+\/)?[^/@]+@v?\d+\.\d+\.\d+([-+][\w.-]+)?$/.test(target);
}

const secretFlag = /^--?[\w-]*(key|token|secret|password|passwd|auth|bearer|credential)[\w-]*$/i;

/** The command as one line that may be shown: values that look secret are replaced by their length. */
export function commandLine(server: McpServer, isSecret: (text: string) => boolean): string | null {
  if (server.argv.length === 0) return null;
  return server.argv
    .map(({ value }, index) => {
      const before = server.argv[index - 1]?.value ?? '';
      if (secretFlag.test(before) || isSecret(value)) return `[${value.length} characters]`;
      return value.replace(/^(--?[\w-]*(?:key|token|secret|password)[\w-]*=).+$/i, (_all, flagged: string) => `${flagged}[…]`);
    })
    .join(' ');
}

/** A URL without user, password and query values. */
export function shownUrl(url: string): string {
  if (!URL.canParse(url)) return url.replace(/\/\/[^/@]*@/, '//').replace(/\?.*$/, '');
  const parsed = new URL(url);
  parsed.username = '';
  parsed.password = '';
  for (const key of [...parsed.searchParams.keys()]) parsed.searchParams.set(key, '…');
  return parsed.toString().replaceAll('%E2%80%A6', '…');
}
