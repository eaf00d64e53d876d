// Asks Gemini CLI's own settings reader and policy engine, from the modules that its program loads. Arguments: bundle directory, file
// with cases. For each case the files are written, the settings read as at the start of an interactive session, and each call checked.
import fs from 'node:fs';
import path from 'node:path';
import { layOut } from './lay-out.ts';

const [bundle = '', casesFile = ''] = process.argv.slice(2);
interface Case {
  readonly files: Readonly<Record<string, string>>;
  readonly workspace: string;
  readonly questions: readonly (readonly [action: string, target: string])[];
}
const cases: readonly Case[] = JSON.parse(fs.readFileSync(casesFile, 'utf8'));
// A person sits before it: without a terminal every question becomes a refusal.
for (const stream of [process.stdin, process.stdout]) Object.defineProperty(stream, 'isTTY', { value: true });
for (const word of ['log', 'warn', 'error', 'debug', 'info'] as const) console[word] = () => {};

/** The module that exports all these names, among those that `file` imports. */
async function moduleWith(file: string, names: readonly string[]): Promise<Record<string, any>> {
  const imports = [...fs.readFileSync(path.join(bundle, file), 'utf8').matchAll(/from "(\.\/chunk-\w+\.js)"/g)];
  for (const [, name = ''] of imports) {
    const text = fs.readFileSync(path.join(bundle, name), 'utf8');
    const exported = text.slice(text.lastIndexOf('\nexport {'));
    if (names.every((one) => new RegExp(`\\b${one}\\b`).test(exported))) return await import(path.join(bundle, name));
  }
  throw new Error(`no module of ${file} exports ${names.join(', ')}`);
}

const start = fs.readFileSync(path.join(bundle, 'gemini.js'), 'utf8');
const main = /import\("\.\/(gemini-\w+\.js)"\)/.exec(start)?.[1] ?? '';
const core = await moduleWith(main, ['PolicyEngine', 'createPolicyEngineConfig', 'initializeShellParsers']);
const cli = await moduleWith(main, ['loadSettings', 'isWorkspaceTrusted']);
await core['initializeShellParsers']();

const words: Readonly<Record<string, string>> = { allow: 'allow', deny: 'deny', ask_user: 'ask' };

function callFor([action, target]: readonly [string, string]): { name: string; args: object; server?: string } {
  switch (action) {
    case 'shell':
      return { name: 'run_shell_command', args: { command: target } };
    case 'read':
      return { name: 'read_file', args: { file_path: target } };
    case 'write':
      return { name: 'write_file', args: { file_path: target, content: 'x' } };
    case 'network':
      return { name: 'web_fetch', args: { prompt: target } };
    default: {
      const [server = '', tool = ''] = target.split('/');
      return { name: `mcp_${server}_${tool}`, args: {}, server };
    }
  }
}

const out: string[][] = [];
for (const { files, workspace, questions } of cases) {
  layOut(files, '/home/dev/.gemini', workspace);
  core['resetTrustedFoldersForTesting']();
  // Settings are kept for some seconds.
  const later = Date.now() + 3_600_000;
  Date.now = () => later;
  const settings = cli['loadSettings'](workspace).merged;
  const isTrusted = cli['isWorkspaceTrusted'](settings, workspace)?.isTrusted ?? false;
  const stated = settings.general?.defaultApprovalMode;
  const mode = !isTrusted
    ? 'default'
    : stated === 'auto_edit'
      ? 'autoEdit'
      : stated === 'plan' && (settings.general?.plan?.enabled ?? true)
        ? 'plan'
        : 'default';
  const config = await core['createPolicyEngineConfig'](
    { ...settings, disableAlwaysAllow: settings.security?.disableAlwaysAllow || settings.admin?.secureModeEnabled },
    mode,
    undefined,
    true,
  );
  const engine = new core['PolicyEngine']({ ...config, isTrustedFolder: () => isTrusted });
  const modes: string[] = [];
  for (const question of questions) {
    const { name, args, server } = callFor(question);
    const { decision } = await engine.check({ name, args }, server);
    modes.push(words[decision] ?? String(decision));
  }
  out.push(modes);
}
fs.writeSync(1, `\n${JSON.stringify(out)}\n`);
process.exit(0);
