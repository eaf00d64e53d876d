// `npm run new rule` in a copy of what it writes to: the rule is listed where its id belongs, and nothing that is there is overwritten.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';

const root = path.resolve(import.meta.dirname, '..');
const copy = fs.mkdtempSync(path.join(os.tmpdir(), 'new-rule-'));
beforeAll(() => {
  for (const part of ['src/audit/rules', 'docs/audit']) fs.cpSync(path.join(root, part), path.join(copy, part), { recursive: true });
});
afterAll(() => fs.rmSync(copy, { recursive: true, force: true }));

const make = (...args: string[]) =>
  spawnSync(process.execPath, [path.join(root, 'scripts/new.mjs'), ...args, '--in', copy], { encoding: 'utf8' });
const read = (file: string): string[] => fs.readFileSync(path.join(copy, file), 'utf8').split('\n');

it('makes the file, the page and both lines, in the order of ids', () => {
  const { status, stderr } = make('rule', 'NET-998', 'openProxy', 'An agent listens for others', '--severity', 'high');
  expect([status, stderr]).toEqual([0, '']);
  expect(read('src/audit/rules/net-998.ts')).toEqual(expect.arrayContaining(["  id: 'NET-998',", "  severity: 'high',"]));
  const registry = read('src/audit/rules/registry.ts');
  const at = registry.indexOf("import { openProxy } from './net-998.ts';");
  expect([registry[at - 1], registry[at + 1]]).toEqual([
    expect.stringContaining("'./net-001.ts'"),
    expect.stringContaining("'./perm-001.ts'"),
  ]);
  const listed = registry.indexOf('  openProxy,');
  const nameIn = (line: string | undefined) => /\{ (\w+) \}/.exec(line ?? '')?.[1];
  expect(registry[listed - 1]).toBe(`  ${nameIn(registry[at - 1])},`);
  const list = read('docs/audit/README.md');
  const row = list.indexOf('| [NET-998](NET-998.md) | high | An agent listens for others |');
  expect(list[row - 1]).toMatch(/^\| \[NET-001\]/);
});

it.each([
  ['an id that is taken', ['rule', 'UPD-001', 'again', 'Once more'], 'is there already'],
  ['no id', ['rule', 'nonsense', 'again', 'Once more'], 'no id of a rule'],
  ['a name that is none', ['rule', 'NET-997', 'Not This', 'Once more'], 'no name in camelCase'],
  ['a summary that would break out of its line', ['rule', 'NET-997', 'again', "it's"], 'the summary is one line'],
  ['another kind', ['detector', 'NET-997', 'again', 'Once more'], 'there is no "detector"'],
])('refuses %s, and writes nothing', (_what, args, why) => {
  const before = read('src/audit/rules/registry.ts');
  const { status, stderr } = make(...args);
  expect([status, stderr]).toEqual([2, expect.stringContaining(why)]);
  expect(read('src/audit/rules/registry.ts')).toEqual(before);
});
