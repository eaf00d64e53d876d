// Asks Qwen Code's own settings reader, tools and permission flow, from the modules that its program loads, as its scheduler does in an
// interactive session. Arguments: directory of its modules, file with cases.
import fs from 'node:fs';
import path from 'node:path';
import { layOut } from './lay-out.ts';

const [chunks = '', casesFile = ''] = process.argv.slice(2);
interface Case {
  readonly files: Readonly<Record<string, string>>;
  readonly workspace: string;
  readonly questions: readonly (readonly [action: string, target: string])[];
}
const cases: readonly Case[] = JSON.parse(fs.readFileSync(casesFile, 'utf8'));
for (const stream of [process.stdin, process.stdout]) Object.defineProperty(stream, 'isTTY', { value: true });
for (const word of ['log', 'warn', 'error', 'debug', 'info'] as const) console[word] = () => {};

async function moduleWith(names: readonly string[]): Promise<Record<string, any>> {
  for (const name of fs.readdirSync(chunks)) {
    if (!/^chunk-\w+\.js$/.test(name)) continue;
    const text = fs.readFileSync(path.join(chunks, name), 'utf8');
    const exported = text.slice(text.lastIndexOf('\nexport {'));
    if (names.every((one) => new RegExp(`^  ${one},?$`, 'm').test(exported))) return await import(path.join(chunks, name));
  }
  throw new Error(`no module exports ${names.join(', ')}`);
}

const core = await moduleWith(['evaluatePermissionFlow', 'needsConfirmation', 'evaluateAutoMode']);
const cli = await moduleWith(['loadCliConfig', 'parseArguments']);
const trust = await moduleWith(['isWorkspaceTrusted', 'resetTrustedFoldersForTesting']);
const reader = await moduleWith(['loadSettings', 'LoadedSettings']);
process.argv = [process.argv[0] ?? '', 'qwen'];
const argv = await cli['parseArguments']();

function callFor([action, target]: readonly [string, string]): { name: string; args: Record<string, unknown> } {
  switch (action) {
    case 'shell':
      return { name: 'run_shell_command', args: { command: target, is_background: false } };
    case 'read':
      return { name: 'read_file', args: { file_path: target } };
    case 'write':
      return { name: 'write_file', args: { file_path: target, content: 'x' } };
    default:
      return { name: 'web_fetch', args: { url: target, prompt: 'what is it' } };
  }
}

/** What the scheduler does with a call, up to the question to a person. */
async function decide(config: any, question: readonly [string, string]): Promise<string> {
  const { name, args } = callFor(question);
  const tool = config.getToolRegistry().getTool(name) ?? (await config.getToolRegistry().ensureTool?.(name));
  if (tool === undefined || tool === null) return 'deny';
  const signal = new AbortController().signal;
  const invocation = tool.build(args);
  const { finalPermission, pmForcedAsk, pmCtx } = await core['evaluatePermissionFlow'](config, invocation, name, invocation.params, signal);
  if (finalPermission === 'deny') return 'deny';
  const mode = config.getApprovalMode();
  if (mode === 'plan' && name === 'run_shell_command') {
    const { classification } = await core['evaluatePlanModeShellPolicy']({
      config,
      toolName: name,
      requestArgs: args,
      invocationParams: { ...invocation.params, directory: config.getTargetDir() },
      permissionContext: pmCtx,
      ambientWorkingDirectory: config.getTargetDir(),
      signal,
    });
    if (classification === 'write') return 'deny';
    if (classification === 'unknown') return 'ask';
  }
  if (finalPermission === 'allow') return 'allow';
  if (mode === 'auto') {
    const input = {
      ctx: pmCtx,
      pmForcedAsk,
      toolParams: args,
      messages: [],
      trustedUserAnswers: [],
      config,
      signal,
      skipClassifierReason: 'a model',
    };
    const { via, reason } = await core['evaluateAutoMode'](input);
    if (via.startsWith('fast-path') || reason === 'a model') return 'allow';
    return via.startsWith('blocked') ? 'deny' : 'ask';
  }
  if (!core['needsConfirmation'](finalPermission, mode, name, false)) return 'allow';
  // The preview of an edit by sed wants the file to have been read; it counts as an edit.
  const details = await invocation.getConfirmationDetails(signal).catch(() => ({ type: 'edit' }));
  if (core['isPlanModeBlocked'](mode === 'plan', false, false, details, false)) return 'deny';
  // Its function for this is not exported.
  return mode === 'auto-edit' && (details.type === 'edit' || details.type === 'info') ? 'allow' : 'ask';
}

const out: string[][] = [];
for (const { files, workspace, questions } of cases) {
  layOut(files, '/home/dev/.qwen', workspace);
  trust['resetTrustedFoldersForTesting']();
  const settings = reader['loadSettings'](workspace);
  const config = await cli['loadCliConfig'](settings.merged, argv, workspace, []);
  await config.initialize({ skipMcpDiscovery: true, skipHooks: true, skipFileCheckpointing: true });
  const modes: string[] = [];
  for (const question of questions) {
    try {
      modes.push(await decide(config, question));
    } catch (error) {
      modes.push(`fault: ${String(error).slice(0, 100)}`);
    }
  }
  out.push(modes);
}
fs.writeSync(1, `\n${JSON.stringify(out)}\n`);
process.exit(0);
