// The audit's answers for Qwen Code against its own settings reader, tools and permission flow: every rule file below times every question.
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  askedInside,
  type Case,
  canIsolate,
  differences,
  emitted,
  type Files,
  installedAs,
  ours,
  type Question,
  workspace,
} from '../e2e/oracle/image.ts';
import { questions as all } from '../e2e/oracle/questions.ts';

const chunks = path.resolve('test/agents/node_modules/@qwen-code/qwen-code/chunks');
const isRunnable = fs.existsSync(chunks) && canIsolate();
if (!isRunnable) process.stderr.write('skipped: oracle for qwen-code (not installed under test/agents, or no namespaces)\n');

const questions = all.filter(([action, target]) => action !== 'mcp' && target !== '');
const trusted = { '~/.qwen/trustedFolders.json': { [workspace]: 'TRUST_FOLDER' } };
const guarded = { security: { folderTrust: { enabled: true } } };
const asking = { tools: { approvalMode: 'default' } };
const user = (settings: unknown): Files => ({ '~/.qwen/settings.json': settings, 'README.md': 'hi' });
const project = (settings: unknown): Files => ({ '.qwen/settings.json': settings });
const rules = (permissions: unknown, more: object = asking): Files => user({ ...more, permissions });

const variants: Readonly<Record<string, Files>> = {
  'nothing at all': {},
  asking: user(asking),
  'edits accepted': user({ tools: { approvalMode: 'auto-edit' } }),
  'edits accepted, other spelling': user({ tools: { approvalMode: 'auto_edit' } }),
  plan: user({ tools: { approvalMode: 'plan' } }),
  yolo: user({ tools: { approvalMode: 'yolo' } }),
  'yolo with rules': rules(
    { deny: ['Bash(rm *)', 'Read(.env)'], ask: ['Bash(git push *)', 'WebFetch'] },
    { tools: { approvalMode: 'yolo' } },
  ),
  'auto with rules': rules({ deny: ['Bash(rm *)'], ask: ['Bash(git push *)'] }, {}),
  'yolo of the repository': project({ tools: { approvalMode: 'yolo' } }),
  'yolo of the repository, trust asked for': { ...user({ ...guarded, ...asking }), ...project({ tools: { approvalMode: 'yolo' } }) },
  'yolo of the repository, trusted': { ...trusted, ...user({ ...guarded, ...asking }), ...project({ tools: { approvalMode: 'yolo' } }) },
  'shell allowed': rules({ allow: ['Bash'] }),
  'shell allowed by its own name': rules({ allow: ['run_shell_command'] }),
  'git allowed': rules({ allow: ['Bash(git *)'] }),
  'git allowed, old form': rules({ allow: ['Bash(git:*)'] }),
  'exact commands allowed': rules({ allow: ['Bash(npm test)', 'ShellTool(make)'] }),
  'denied commands': rules({ allow: ['Bash'], deny: ['Bash(rm *)', 'Bash(curl *)', 'Bash(make)'] }),
  'asked commands': rules({ allow: ['Bash'], ask: ['Bash(git push *)', 'Bash(npm *)'] }),
  'reading denied': rules({ deny: ['Read(.env)', 'Read(~/.ssh/**)', 'Read(//etc/**)'] }),
  'reading denied by name': rules({ deny: ['read_file'] }),
  edits: rules({ allow: ['Edit(*.ts)', 'WriteFile(package.json)'], deny: ['Edit(Makefile)'] }),
  'all edits': rules({ allow: ['Edit'] }),
  'writes only': rules({ allow: ['Write'], deny: ['Write(package.json)'] }),
  hosts: rules({ allow: ['WebFetch(domain:example.com)'], deny: ['WebFetch(domain:evil.example)'] }),
  'all fetches': rules({ allow: ['WebFetch'] }),
  'older lists': user({ tools: { approvalMode: 'default', allowed: ['run_shell_command(git)', 'write_file'], exclude: ['web_fetch'] } }),
  'exclusion with an argument': user({ tools: { approvalMode: 'default', exclude: ['run_shell_command(rm)'] } }),
  'core tools': user({ tools: { approvalMode: 'default', core: ['read_file', 'run_shell_command(git)'] } }),
  'user denies, repository allows': {
    ...rules({ deny: ['Bash(make)'] }),
    ...project({ permissions: { allow: ['Bash(make)', 'WebFetch'] } }),
  },
  comments: user('{ // mine\n "tools": { "approvalMode": "default" }, "permissions": { "allow": ["Bash(make)"] /* x */ } }'),
  'wildcards inside': rules({ allow: ['Bash(git * main)', 'Bash(npm run *)', 'Bash(* --watch)'] }),
};

describe.skipIf(!isRunnable)('Qwen Code', () => {
  it('decides as the audit says, for every rule file and question', () => {
    const cases = Object.entries(variants).map(([name, files]): Case => ({ name, files, questions }));
    const found = askedInside('qwen-inside.ts', chunks, cases);
    const installed = installedAs('@qwen-code/qwen-code');
    const wrong = cases.flatMap((one, index) => differences(one, found[index] ?? [], ours('qwen-code', one, installed)));
    expect(wrong).toEqual([]);
  }, 180_000);

  it('obeys what managed emit writes, against a user and a repository that allow everything', () => {
    const system = emitted('qwen-code');
    const loose = {
      tools: { approvalMode: 'yolo' },
      permissions: { allow: ['Bash', 'Edit', 'WebFetch'] },
      security: { folderTrust: { enabled: false } },
    };
    const more: readonly Question[] = [
      ['read', `${workspace}/.env`],
      ['read', '/home/dev/.ssh/id_rsa'],
      ['shell', 'cat .env'],
      ['shell', 'cat ~/.ssh/id_rsa'],
    ];
    const cases: readonly Case[] = [
      { name: 'a loose user', files: user({ tools: loose.tools }), questions: [...questions, ...more] },
      { name: 'a loose repository', files: project(loose), questions: [...questions, ...more] },
      { name: 'both, with rules', files: { ...user(loose), ...project(loose) }, questions: more },
    ];
    const found = askedInside('qwen-inside.ts', chunks, cases, system);
    const installed = { ...installedAs('@qwen-code/qwen-code'), ...system };
    expect(cases.flatMap((one, index) => differences(one, found[index] ?? [], ours('qwen-code', one, installed)))).toEqual([]);
    expect(found.map((modes) => modes.slice(-more.length))).toEqual(cases.map(() => more.map(() => 'deny')));
  }, 120_000);
});
