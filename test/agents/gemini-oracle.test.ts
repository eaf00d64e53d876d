// The audit's answers for Gemini CLI against its own settings reader and policy engine: every rule file below times every question.
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { askedInside, type Case, canIsolate, differences, emitted, type Files, installedAs, ours, workspace } from '../e2e/oracle/image.ts';
import { questions } from '../e2e/oracle/questions.ts';

const bundle = path.resolve('test/agents/node_modules/@google/gemini-cli/bundle');
const isRunnable = fs.existsSync(bundle) && canIsolate();
if (!isRunnable) process.stderr.write('skipped: oracle for gemini-cli (not installed under test/agents, or no namespaces)\n');

const trusted = { '~/.gemini/trustedFolders.json': { [workspace]: 'TRUST_FOLDER' } };
const user = (settings: unknown): Files => ({ '~/.gemini/settings.json': settings });
const policy = (toml: string): Files => ({ '~/.gemini/policies/mine.toml': toml });
const rule = (body: string): string => `[[rule]]\n${body}\n`;

const variants: Readonly<Record<string, Files>> = {
  'nothing at all': {},
  'nothing, trusted': trusted,
  'folder trust off': user({ security: { folderTrust: { enabled: false } } }),
  'not to be trusted': { '~/.gemini/trustedFolders.json': { [workspace]: 'DO_NOT_TRUST', '/home/dev': 'TRUST_FOLDER' } },
  'parent trusted': {
    '~/.gemini/trustedFolders.json': { [`${workspace}/sub`]: 'TRUST_PARENT' },
    ...project({ general: { defaultApprovalMode: 'auto_edit' } }),
  },
  'edits accepted': { ...trusted, ...user({ general: { defaultApprovalMode: 'auto_edit' } }) },
  'edits accepted, not trusted': user({ general: { defaultApprovalMode: 'auto_edit' } }),
  plan: { ...trusted, ...user({ general: { defaultApprovalMode: 'plan' } }) },
  'plan switched off': { ...trusted, ...user({ general: { defaultApprovalMode: 'plan', plan: { enabled: false } } }) },
  'shell allowed': user({ tools: { allowed: ['run_shell_command'] } }),
  'ShellTool allowed': user({ tools: { allowed: ['ShellTool'] } }),
  'git allowed': user({ tools: { allowed: ['run_shell_command(git)'] } }),
  'git status and npm test allowed': user({ tools: { allowed: ['run_shell_command(git status)', 'ShellTool(npm test)'] } }),
  'git allowed, trusted': { ...trusted, ...user({ tools: { allowed: ['run_shell_command(git)'] } }) },
  'tools allowed': user({ tools: { allowed: ['write_file', 'web_fetch', 'replace'] } }),
  'write allowed with an argument': user({ tools: { allowed: ['write_file(a.ts)'] } }),
  'shell excluded': user({ tools: { exclude: ['run_shell_command'] } }),
  'rm excluded': user({ tools: { exclude: ['run_shell_command(rm)'], allowed: ['run_shell_command'] } }),
  'read and write excluded': user({ tools: { exclude: ['read_file', 'write_file'] } }),
  'core tools': user({ tools: { core: ['read_file', 'run_shell_command(git)', 'web_fetch'] } }),
  'core shell': user({ tools: { core: ['run_shell_command'] } }),
  'core in plan': { ...trusted, ...user({ general: { defaultApprovalMode: 'plan' }, tools: { core: ['run_shell_command'] } }) },
  'confirmation required': user({
    tools: { allowed: ['run_shell_command', 'write_file'], confirmationRequired: ['run_shell_command', 'read_file'] },
  }),
  'old names': user({ allowedTools: ['run_shell_command'], excludeTools: ['write_file'] }),
  'a server trusted': user({ mcpServers: { srv: { command: 'x', trust: true } } }),
  'servers listed': user({ mcp: { allowed: ['srv'], excluded: ['other'] } }),
  'all servers': user({ mcp: { allowed: ['*'] } }),
  'trusted but excluded': user({ mcp: { excluded: ['srv'] }, mcpServers: { srv: { command: 'x', trust: true } } }),
  'comments in settings': user('{ // mine\n "tools": { /* all */ "allowed": ["run_shell_command"] } }'),
  'the repository allows, not trusted': project({ tools: { allowed: ['run_shell_command'] } }),
  'the repository allows, trusted': { ...trusted, ...project({ tools: { allowed: ['run_shell_command'], exclude: ['read_file'] } }) },
  'the repository and the user': {
    ...trusted,
    ...user({ tools: { allowed: ['web_fetch'], exclude: ['write_file'] } }),
    ...project({ tools: { allowed: ['write_file'] } }),
  },
  'the repository accepts edits': { ...trusted, ...project({ general: { defaultApprovalMode: 'auto_edit' } }) },
  'yolo in a file': { ...trusted, ...user({ general: { defaultApprovalMode: 'yolo' } }) },
  'policy: prefix': policy(rule('toolName = "run_shell_command"\ncommandPrefix = "git"\ndecision = "allow"\npriority = 100')),
  'policy: prefixes and redirection': policy(
    rule('toolName = "run_shell_command"\ncommandPrefix = ["git", "echo"]\ndecision = "allow"\npriority = 100\nallowRedirection = true'),
  ),
  'policy: regex': policy(
    rule('toolName = "run_shell_command"\ncommandRegex = "(git|npm) (status|test)"\ndecision = "allow"\npriority = 100'),
  ),
  'policy: arguments': policy(
    rule('toolName = "write_file"\nargsPattern = "\\"file_path\\":\\"[^\\"]*\\\\.ts\\""\ndecision = "allow"\npriority = 100'),
  ),
  'policy: deny beats by priority': policy(
    rule('toolName = "run_shell_command"\ndecision = "allow"\npriority = 100') +
      rule('toolName = "run_shell_command"\ncommandPrefix = "rm"\ndecision = "deny"\npriority = 200'),
  ),
  'policy: deny loses by priority': policy(
    rule('toolName = "run_shell_command"\ndecision = "allow"\npriority = 300') +
      rule('toolName = "run_shell_command"\ncommandPrefix = "rm"\ndecision = "deny"\npriority = 200'),
  ),
  'policy: no tool name': policy(rule('commandPrefix = "git"\ndecision = "allow"\npriority = 100')),
  'policy: any tool': policy(rule('toolName = "*"\ndecision = "deny"\npriority = 999')),
  'policy: several tools': policy(rule('toolName = ["write_file", "web_fetch"]\ndecision = "allow"\npriority = 100')),
  'policy: a server': policy(rule('mcpName = "srv"\ndecision = "allow"\npriority = 100')),
  'policy: a server and tools': policy(
    rule('mcpName = "srv"\ntoolName = "*"\ndecision = "allow"\npriority = 100') +
      rule('mcpName = "srv"\ntoolName = "drop"\ndecision = "deny"\npriority = 200'),
  ),
  'policy: any server': policy(rule('mcpName = "*"\ntoolName = "*"\ndecision = "allow"\npriority = 100')),
  'policy: a server by name': policy(rule('toolName = "mcp_srv_list"\ndecision = "allow"\npriority = 100')),
  'policy: a mode': policy(rule('toolName = "run_shell_command"\ndecision = "allow"\npriority = 100\nmodes = ["autoEdit"]')),
  'policy: not interactive': policy(rule('toolName = "run_shell_command"\ndecision = "allow"\npriority = 100\ninteractive = false')),
  'policy: priority out of range': policy(rule('toolName = "run_shell_command"\ndecision = "allow"\npriority = 1000')),
  'policy: no priority': policy(rule('toolName = "run_shell_command"\ndecision = "allow"')),
  'policy: refused expressions': policy(
    rule('toolName = "write_file"\nargsPattern = "(a|b)+[(]?x(y*)?"\ndecision = "deny"\npriority = 200') +
      rule('toolName = "run_shell_command"\ncommandRegex = "(git|make) ?(x+)*"\ndecision = "allow"\npriority = 100'),
  ),
  'policy: broken': policy('[[rule]\ntoolName = "run_shell_command"'),
  'policy: prefix and regex': policy(
    rule('toolName = "run_shell_command"\ncommandPrefix = "git"\ncommandRegex = "x"\ndecision = "allow"\npriority = 100'),
  ),
  'policy: unknown decision': policy(
    rule('toolName = "run_shell_command"\ndecision = "maybe"\npriority = 100') +
      rule('toolName = "write_file"\ndecision = "allow"\npriority = 100'),
  ),
  'policies of the repository': {
    ...trusted,
    '.gemini/policies/x.toml': rule('toolName = "run_shell_command"\ndecision = "allow"\npriority = 100'),
  },
};

function project(settings: unknown): Files {
  return { '.gemini/settings.json': settings };
}

describe.skipIf(!isRunnable)('Gemini CLI', () => {
  it('decides as the audit says, for every rule file and question', () => {
    const cases = Object.entries(variants).map(([name, files]): Case => ({ name, files, questions }));
    const found = askedInside('gemini-inside.ts', bundle, cases);
    const installed = installedAs('@google/gemini-cli');
    const wrong = cases.flatMap((one, index) => differences(one, found[index] ?? [], ours('gemini-cli', one, installed)));
    expect(wrong).toEqual([]);
  }, 120_000);

  // Its policy directory must belong to root.
  it.runIf(process.getuid?.() === 0)(
    'obeys what managed emit writes, against a user and a repository that allow everything',
    () => {
      const system = emitted('gemini-cli');
      const everything = rule('toolName = "*"\ndecision = "allow"\npriority = 999');
      const loose = { tools: { allowed: ['run_shell_command', 'write_file', 'web_fetch'] }, security: { folderTrust: { enabled: false } } };
      const cases = [
        { name: 'a loose user', files: { ...user(loose), ...policy(everything) }, questions },
        { name: 'a loose repository', files: { ...trusted, ...project(loose), ...policy(everything) }, questions },
      ];
      const found = askedInside('gemini-inside.ts', bundle, cases, system);
      const installed = { ...installedAs('@google/gemini-cli'), ...system };
      expect(cases.flatMap((one, index) => differences(one, found[index] ?? [], ours('gemini-cli', one, installed)))).toEqual([]);
      const free = cases.flatMap((one, index) =>
        one.questions.filter((_, at) => found[index]?.[at] === 'allow').map(([action, target]) => `${action} ${target}`),
      );
      expect(free.filter((what) => /^(write|network)|\.env|make|npm|curl|rm /.test(what))).toEqual([]);
    },
    60_000,
  );
});
