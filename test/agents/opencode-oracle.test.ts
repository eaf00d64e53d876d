// The audit's answers for opencode against the list of rules that opencode itself makes of all its files: the merging of scopes and
// the order of the rules are its own; that the last match decides is its documented evaluation. Starts are slow, so they are few.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  type Case,
  canIsolate,
  commandInside,
  differences,
  type Files,
  inImage,
  ours,
  type Question,
  workspace,
} from '../e2e/oracle/image.ts';

const program = path.resolve('test/agents/node_modules/opencode-linux-x64/bin/opencode');
const isRunnable = fs.existsSync(program) && canIsolate();
if (!isRunnable) process.stderr.write('skipped: oracle for opencode (not installed under test/agents, or no namespaces)\n');

const commands = 'true|git status|git log --oneline|git|gitx|npm --version|npm run x|npm publish now|rm x|make'.split('|');
const files = ['README.md', '.env', '.env.example', 'src/a.ts', 'a.md'];
const questions: readonly Question[] = [
  ...commands.map((target): Question => ['shell', target]),
  ...files.flatMap((name): readonly Question[] => [
    ['read', `${workspace}/${name}`],
    ['write', `${workspace}/${name}`],
  ]),
  ['network', 'https://example.com/x'],
  ['mcp', 'srv/list'],
];

const user = (permission: unknown): Files => ({ '~/.config/opencode/opencode.json': { permission } });
const table = { bash: { '*': 'ask', 'npm *': 'allow', 'npm publish *': 'deny' }, webfetch: 'ask' };
const variants: Readonly<Record<string, Files>> = {
  'a table adds to a table, in the first place': {
    ...user(table),
    'opencode.json': { permission: { bash: { 'git *': 'allow', 'npm *': 'ask', '*': 'deny' } } },
  },
  'everything asked by the user, a file by the repository': {
    ...user('ask'),
    'opencode.jsonc':
      '{ // mine\n "permission": { "read": { "*": "allow", "*.env": "deny" }, "edit": { "*": "ask", "src/*": "allow", "*.md": "deny" }, }, }',
  },
  'both places of a repository, tools switched off': {
    'opencode.json': { permission: { bash: 'deny' }, tools: { webfetch: false } },
    '.opencode/opencode.json': { permission: { bash: { 'git *': 'allow' }, 'srv_*': 'deny' } },
  },
  'the administrator last': {
    ...user('allow'),
    'opencode.json': { permission: 'allow' },
    '/etc/opencode/opencode.json': { permission: { bash: { 'rm *': 'deny' }, edit: 'ask' } },
  },
};

interface Resolved {
  readonly permission: readonly { readonly permission: string; readonly pattern: string; readonly action: string }[];
}

function matches(pattern: string, text: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*/g, '.*')
    .replace(/\?/g, '.');
  return new RegExp(`^${source.replace(/ \.\*$/, '( .*)?')}$`, 's').test(text);
}

function decision({ permission: rules }: Resolved, [action, target]: Question): string {
  const name = { shell: 'bash', read: 'read', write: 'edit', network: 'webfetch', mcp: target.replace('/', '_') }[action];
  const value = action === 'mcp' ? '*' : path.isAbsolute(target) ? path.relative(workspace, target) : target;
  return rules.findLast((rule) => matches(rule.permission, name) && matches(rule.pattern, value))?.action ?? 'ask';
}

async function resolved(one: Case): Promise<Resolved> {
  return await inImage(one.files, async (root) => {
    const { command, args, env } = commandInside(root, ['sh', '-c', `cd ${workspace} && exec "$0" debug agent build`, program], {
      OPENCODE_DISABLE_MODELS_FETCH: '1',
      OPENCODE_DISABLE_AUTOUPDATE: '1',
    });
    const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'], timeout: 100_000 });
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    await new Promise((done) => child.on('close', done));
    return JSON.parse(Buffer.concat(chunks).toString());
  });
}

describe.skipIf(!isRunnable)('opencode', () => {
  it('merges its files as the audit does', async () => {
    const cases = Object.entries(variants).map(([name, own]): Case => ({ name, files: own, questions }));
    const wrong: string[] = [];
    for (const one of cases) {
      const rules = await resolved(one);
      const theirs = questions.map((question) => decision(rules, question));
      wrong.push(...differences(one, theirs, ours('opencode', one, {})));
    }
    expect(wrong).toEqual([]);
  }, 400_000);
});
