import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Forms, jsonOption, many, optionsHelp, parseOptions } from './options.ts';

const options = {
  purpose: { type: 'string', value: 'P', does: 'why' },
  lines: { type: 'string', short: 'n', value: 'N', does: 'how many' },
  ...jsonOption,
} as const;

describe('a wrong option is told in one line, with the one that was meant', () => {
  it.each<[string, string]>([
    ['--purpos research', 'there is no option "--purpos"; did you mean --purpose?'],
    ['--zzzzzzzz', 'there is no option "--zzzzzzzz"'],
    ['-x', 'there is no option "-x"'],
    ['--purpose', '--purpose needs a value'],
    ['-n', '-n needs a value'],
    ['--purpose --json', '--purpose needs a value; one that begins with "-" is written --purpose=VALUE'],
    ['-n -1', '-n needs a value; one that begins with "-" is written -nVALUE'],
    ['--json=3', '--json takes no value'],
    ['stray', 'unexpected "stray"'],
  ])('%s', (typed, message) => {
    expect(() => parseOptions(typed.split(' '), options)).toThrow(expect.objectContaining({ code: 'USAGE', message }));
  });
});

it('takes what there is, and as many words as a command says', () => {
  expect(parseOptions(['--purpose=-x', '-n', '3', 'a', 'b'], options, many)).toMatchObject({
    values: { purpose: '-x', lines: '3', json: false },
    positionals: ['a', 'b'],
  });
  expect(() => parseOptions(['a', 'b'], options, 1)).toThrow('unexpected "b"');
});

it('the help of a command names each option, its value and what it does', () => {
  expect(optionsHelp('show', { '': options })).toBe(
    [
      '',
      '  --purpose P                  why',
      '  -n, --lines N                how many',
      '  --json                       one JSON document on standard output',
      '',
    ].join('\n'),
  );
  expect(optionsHelp('show', { '': {} })).toBe('');
  expect(optionsHelp('keys', { 'revoke ID': {} })).toBe('\nkeys revoke ID\n');
});

describe('every command', async () => {
  const files = fs.readdirSync(import.meta.dirname).filter((name) => /^[a-z-]+\.ts$/.test(name));
  const texts = files.map((name) => fs.readFileSync(path.join(import.meta.dirname, name), 'utf8'));
  const commands = files.filter((_, i) => /^export async function run\(/m.test(texts[i] ?? ''));

  it.each(commands)('%s lists options that say what they take and do', async (name) => {
    const { forms } = (await import(/* @vite-ignore */ path.join(import.meta.dirname, name))) as { forms: Forms };
    for (const option of Object.values(forms).flatMap((one) => Object.values(one)))
      expect({ ...option, hasValue: option.value !== undefined }).toMatchObject({
        does: expect.stringMatching(/^\S.*[^.]$/) as string,
        hasValue: option.type === 'string',
      });
  });

  it('is one of them', () => {
    expect(commands.length).toBeGreaterThan(15);
  });
});
