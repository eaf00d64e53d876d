import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { defaultConfig } from '../config/index.ts';
import { createFileClasses } from './file-class.ts';

const home = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'intramur-files-')));
const at = (name: string) => path.join(home, name);

beforeAll(() => {
  for (const name of ['core/docs', 'remote/.git', 'work', 'other']) fs.mkdirSync(at(name), { recursive: true });
  fs.writeFileSync(at('core/a.ts'), '');
  fs.writeFileSync(at('remote/.git/config'), '[remote "origin"]\n  url = git@git.acme.example:core/api.git\n');
  fs.symlinkSync(at('core'), at('work/link'));
});
afterAll(() => fs.rmSync(home, { recursive: true, force: true }));

const classes = () =>
  createFileClasses(
    {
      ...defaultConfig,
      repositories: [
        { match: at('ruled/**'), classification: 'confidential' },
        { match: 'git.acme.example/core/**', classification: 'restricted' },
        { match: at('open'), classification: 'public' },
      ],
    },
    [{ path: at('core'), classification: 'restricted', parts: [{ prefix: 'docs/', classification: 'internal' }] }],
    home,
  );

it.each<[string, string | undefined, string | undefined]>([
  ['~/core/a.ts', undefined, 'restricted'],
  ['~/core/docs/x.md', undefined, 'internal'],
  ['../core/a.ts', 'work', 'restricted'],
  ['~/work/link/a.ts', undefined, 'restricted'],
  ['~/ruled/deep/x', undefined, 'confidential'],
  ['~/remote/src/x.ts', undefined, 'restricted'],
  ['~/open/x', undefined, 'public'],
  ['~/other/x', undefined, undefined],
  ['~', undefined, undefined],
  ['a.ts', 'core', 'restricted'],
  ['no-file.ts', 'core', undefined],
  ['a.ts', undefined, undefined],
  ['/proc/self/\0x', undefined, undefined],
])('%s, from %s: %s', async (name, base, expected) => {
  expect(await classes().of(name, base && at(base))).toBe(expected);
});

it('knows the highest there is', () => expect(classes().highest).toBe('restricted'));
