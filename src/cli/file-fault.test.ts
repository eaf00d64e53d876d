// Which faults of the operating system are the user's or the machine's, and which stay ours.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { fileFault } from './file-fault.ts';

const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'intramur-fault-'));
afterAll(() => fs.rmSync(dir, { recursive: true, force: true }));
const at = (name: string) => path.join(dir, name);
fs.writeFileSync(at('file'), '');

function thrown(act: () => unknown): unknown {
  try {
    act();
  } catch (fault) {
    return fault;
  }
  return undefined;
}

const made = (code: string, syscall: string, more: object = {}) => Object.assign(new Error(code), { code, syscall, ...more });

describe('fileFault', () => {
  it.each<[string, unknown, readonly string[], string, number]>([
    [
      'a path that was named',
      thrown(() => fs.readFileSync(at('gone'))),
      ['--in', 'gone'],
      `cannot open ${at('gone')}: there is no such`,
      2,
    ],
    ['named behind =', thrown(() => fs.readFileSync(at('gone'))), ['--in=gone'], `cannot open ${at('gone')}: there is no such`, 2],
    ['within what was named', thrown(() => fs.readdirSync(at('file/x'))), ['file'], `cannot read ${at('file/x')}: a part of the path`, 2],
    ['a file in the way of ours', thrown(() => fs.mkdirSync(at('file/a'), { recursive: true })), [], `cannot make ${at('file/a')}: `, 3],
    ['a place that is full', made('ENOSPC', 'write'), [], 'cannot write: there is no space left', 3],
    [
      'a disk that is read-only',
      made('EROFS', 'open', { path: '/ours' }),
      ['--', '/ours'],
      'cannot open /ours: the file system is read-only',
      3,
    ],
    ['what is renamed', made('EISDIR', 'rename', { path: at('x.1.tmp'), dest: at('x') }), ['x'], `cannot write ${at('x')}: it is a dir`, 2],
    ['control characters', made('EACCES', 'open', { path: '/a\u001b[2J' }), [], 'cannot open /a\ufffd[2J: permission denied', 3],
  ])('%s', (_name, fault, args, says, exit) => {
    expect(fileFault(fault, args, dir)).toEqual({ says: expect.stringContaining(says), exit });
  });

  it.each<[string, unknown]>([
    ['a file of ours that is not there', thrown(() => fs.readFileSync(at('gone')))],
    ['a mistake in a call', new TypeError('x is not a function')],
    ['a network that is not there', made('ECONNREFUSED', 'connect')],
    ['a port that may not be used', made('EACCES', 'listen')],
    ['a program that does not start', made('ENOENT', 'spawn bwrap', { path: 'bwrap' })],
    ['nothing that is an error', 'EACCES'],
  ])('%s stays a bug', (_name, fault) => {
    expect(fileFault(fault, ['other'], dir)).toBeUndefined();
  });
});
