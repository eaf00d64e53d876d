import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { resolveProgram } from './program.ts';

const root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'intramur-program-')));
afterAll(() => fs.rmSync(root, { recursive: true, force: true }));

const at = (...parts: string[]): string => path.join(root, ...parts);

function program(file: string, text = 'binary', mode = 0o755): string {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, text, { mode });
  return file;
}

function link(file: string, target: string): string {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.symlinkSync(target, file);
  return file;
}

describe('resolveProgram', () => {
  it('finds a program as a shell does, and nothing that is not one', () => {
    program(at('a/tool'), 'x', 0o644);
    fs.mkdirSync(at('b/tool'), { recursive: true });
    program(at('c/tool'));
    const PATH = ['a', 'b', 'missing', 'c'].map((dir) => at(dir)).join(':');
    expect(resolveProgram('tool', { PATH }, '/')?.path).toBe(at('c/tool'));
    expect(resolveProgram('./c/tool', { PATH: '' }, root)?.path).toBe(at('c/tool'));
    expect(resolveProgram('nothing', { PATH }, '/')).toBeUndefined();
    expect(resolveProgram('', { PATH }, '/')).toBeUndefined();
    expect(resolveProgram('./a/tool', { PATH }, root)).toBeUndefined();
  });

  it('needs nothing more for a program of the system', () => {
    expect(resolveProgram('true', { PATH: '/usr/bin' }, '/')).toEqual({ path: '/usr/bin/true', trees: [], binDirs: ['/usr/bin'] });
  });

  it('brings a package from npm with its siblings, its link, and its node', () => {
    program(at('nvm/v24/bin/node'));
    fs.mkdirSync(at('nvm/v24/lib'), { recursive: true });
    program(at('proj/node_modules/@acme/agent/cli.js'), '#!/usr/bin/env -S node --no-warnings\n');
    link(at('proj/node_modules/.bin/agent'), '../@acme/agent/cli.js');
    expect(resolveProgram('agent', { PATH: `${at('proj/node_modules/.bin')}:${at('nvm/v24/bin')}` }, '/')).toEqual({
      path: at('proj/node_modules/.bin/agent'),
      trees: [at('proj/node_modules/.bin/agent'), at('proj/node_modules'), at('nvm/v24')],
      binDirs: [at('proj/node_modules/.bin'), at('nvm/v24/bin')],
    });
  });

  it('brings a Python environment', () => {
    program(at('venvs/aider/bin/python'));
    program(at('venvs/aider/pyvenv.cfg'), '');
    program(at('venvs/aider/bin/aider'), `#!${at('venvs/aider/bin/python')}\n`);
    link(at('home/.local/bin/aider'), at('venvs/aider/bin/aider'));
    expect(resolveProgram(at('home/.local/bin/aider'), { HOME: at('home') }, '/')?.trees).toEqual([
      at('home/.local/bin/aider'),
      at('venvs/aider'),
    ]);
  });

  it('brings a single binary alone, never the home around it', () => {
    program(at('home/.local/bin/single'));
    fs.mkdirSync(at('home/.local/lib'), { recursive: true });
    fs.mkdirSync(at('home/.local/share/keyrings'), { recursive: true });
    program(at('home/bin/own'));
    fs.mkdirSync(at('home/lib'), { recursive: true });
    program(at('home/package.json'), '{}');
    program(at('other/bin/tool'));
    fs.mkdirSync(at('other/lib'), { recursive: true });
    fs.mkdirSync(at('other/.ssh'), { recursive: true });
    const trees = (file: string) => resolveProgram(file, { HOME: at('home') }, '/')?.trees;
    expect(trees(at('home/.local/bin/single'))).toEqual([at('home/.local/bin/single')]);
    expect(trees(at('home/bin/own'))).toEqual([at('home/bin/own')]);
    expect(trees(at('other/bin/tool'))).toEqual([at('other/bin/tool')]);
  });

  it('ends on links and interpreters that go round in circles', () => {
    link(at('loop/a'), at('loop/b'));
    link(at('loop/b'), at('loop/a'));
    expect(resolveProgram(at('loop/a'), {}, '/')).toBeUndefined();
    program(at('loop/x'), `#!${at('loop/y')}\n`);
    program(at('loop/y'), `#!${at('loop/x')}\n`);
    expect(resolveProgram(at('loop/x'), {}, '/')?.trees).toEqual([at('loop/x'), at('loop/y')]);
  });
});
