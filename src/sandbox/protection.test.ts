// What direct mode makes on the host to mount on, and that it is gone afterwards, whatever happened.
import { execFile, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { protect } from './protection.ts';

const scratch = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'intramur-protection-')));
const cacheDir = path.join(scratch, 'cache');
afterAll(() => fs.rmSync(scratch, { recursive: true, force: true }));

let workspace = '';
let count = 0;
const write = (file: string, text: string): void => {
  fs.mkdirSync(path.dirname(path.join(workspace, file)), { recursive: true });
  fs.writeFileSync(path.join(workspace, file), text);
};
const all = (): string[] => fs.readdirSync(workspace, { recursive: true, encoding: 'utf8' }).sort();

beforeEach(() => {
  workspace = path.join(scratch, String(count++));
  fs.mkdirSync(workspace);
  write('.git/HEAD', 'ref: refs/heads/main\n');
  write('.git/info/exclude', '# as before\n');
  write('src/index.ts', 'x');
});

const sealed = () => {
  const protection = protect(workspace, cacheDir);
  const of = (isWritable: boolean): string[] =>
    protection.mounts.flatMap((mount) =>
      mount.kind === 'bind' && mount.isWritable === isWritable ? [path.relative(workspace, mount.path)] : [],
    );
  return { protection, readOnly: of(false), pinned: of(true) };
};

describe('protection of a workspace', () => {
  it('seals what runs unasked, pins what is above it, and leaves nothing', () => {
    write('.claude/settings.json', '{}');
    write('vendor/lib/.git/HEAD', 'x');
    const before = all();
    const { protection, readOnly, pinned } = sealed();
    expect(readOnly).toEqual(
      expect.arrayContaining([
        '.git/hooks',
        '.git/config',
        '.claude',
        '.mcp.json',
        '.github/workflows',
        'vendor/lib/.git/hooks',
        'vendor/lib/.git/config',
      ]),
    );
    expect(pinned).toEqual(expect.arrayContaining(['.git', '.github', 'vendor', 'vendor/lib', 'vendor/lib/.git']));
    expect(readOnly).not.toContain('src/index.ts');
    expect(all()).not.toEqual(before);
    protection.release();
    expect(all()).toEqual(before);
  });

  it('keeps what somebody put into a placeholder meanwhile', () => {
    const { protection } = sealed();
    write('.npmrc', 'registry=https://registry.example\n');
    write('.vscode/settings.json', '{}');
    protection.release();
    expect(all()).toEqual(expect.arrayContaining(['.npmrc', '.vscode', '.vscode/settings.json']));
    expect(all()).not.toContain('.mcp.json');
  });

  it('is kept for another session that still runs', () => {
    const before = all();
    const first = sealed();
    const second = sealed();
    first.protection.release();
    expect(all()).toContain('.mcp.json');
    expect(second.readOnly).toContain('.mcp.json');
    second.protection.release();
    expect(all()).toEqual(before);
  });

  it('holds for sessions that begin and end together, and takes none of it for work of theirs', { timeout: 60_000 }, async () => {
    const before = all();
    const code = `import fs from 'node:fs';
      import { protect } from ${JSON.stringify(path.join(import.meta.dirname, 'protection.ts'))};
      for (let i = 0; i < 40; i++) {
        const protection = protect(${JSON.stringify(workspace)}, ${JSON.stringify(cacheDir)});
        const gone = protection.mounts.filter((mount) => mount.kind === 'bind' && !fs.existsSync(mount.source));
        const seen = [...protection.before].filter((name) => name.startsWith('.github') || name === '.git/config');
        if (gone.length + seen.length > 0) throw new Error(JSON.stringify([gone, seen]));
        protection.release();
      }`;
    const run = promisify(execFile);
    const each = Array.from({ length: 4 }, () => run(process.execPath, ['--input-type=module', '-e', code]));
    await Promise.all(each);
    expect(all()).toEqual(before);
  });

  it('is swept after a session that was killed', () => {
    const before = all();
    const code = `import { protect } from ${JSON.stringify(path.join(import.meta.dirname, 'protection.ts'))};
      protect(${JSON.stringify(workspace)}, ${JSON.stringify(cacheDir)}); process.kill(process.pid, 'SIGKILL');`;
    expect(spawnSync(process.execPath, ['--input-type=module', '-e', code]).signal).toBe('SIGKILL');
    expect(all()).not.toEqual(before);
    sealed().protection.release();
    expect(all()).toEqual(before);
  });

  it.each(['.claude', '.git/hooks', '.mcp.json', '.github'])('refuses a link in the place of %s', (name) => {
    fs.mkdirSync(path.dirname(path.join(workspace, name)), { recursive: true });
    fs.symlinkSync('elsewhere', path.join(workspace, name));
    const before = all();
    expect(() => sealed()).toThrow(`${name} is a symbolic link`);
    expect(all()).toEqual(before);
  });

  it('guards a file where a directory is expected, and a .git that is a file', () => {
    fs.rmSync(path.join(workspace, '.git'), { recursive: true });
    write('.git', 'gitdir: elsewhere\n');
    write('.github', 'x');
    const { protection, readOnly } = sealed();
    expect(readOnly).toEqual(expect.arrayContaining(['.git', '.github']));
    expect(readOnly.filter((file) => file.startsWith('.git/') || file.startsWith('.github/'))).toEqual([]);
    protection.release();
  });
});
