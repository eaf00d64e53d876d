import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { audit, gather } from './audit.ts';
import { fixesFor } from './fix.ts';
import { lay, optionsFor, user } from './temporary-home.ts';

type Files = Readonly<Record<string, string>>;
const settings = `{
  // mine
  "model": "opus",
  "permissions": {
    "allow": ["Bash(git status)", "Bash(*)", "Bash(docker:*)", "Edit"],
    "deny": ["Write(.env)", "Read(.env)"],
    "defaultMode": "bypassPermissions"
  },
  "skipDangerousModePermissionPrompt": true
}
`.replace('  // mine\n', '');

/** The files after every fix, and the audit's findings before and after. */
function mended(files: Files, modes: Readonly<Record<string, number>> = {}) {
  using laid = lay(files);
  for (const [name, mode] of Object.entries(modes)) fs.chmodSync(path.join(laid.root, user, name), mode);
  const options = optionsFor(laid.root);
  const before = audit(options).findings;
  const fixes = fixesFor(gather(options));
  for (const one of fixes) {
    const file = path.join(laid.root, one.file);
    if (one.kind === 'mode') fs.chmodSync(file, one.after);
    else fs.writeFileSync(file, one.after);
  }
  return { before, fixes, after: audit(options).findings, again: fixesFor(gather(options)) };
}

describe('what the audit mends', () => {
  it('takes out what allows too much, writes dead rules as they count, and leaves the rest as it was', () => {
    const { fixes, before, after, again } = mended({ '~/.claude/settings.json': settings });
    expect(fixes.map((one) => one.kind === 'text' && one.after)).toEqual([
      `{
  "model": "opus",
  "permissions": {
    "allow": ["Bash(git status)", "Edit"],
    "deny": ["Edit(.env)", "Read(.env)"]
  }
}
`,
    ]);
    const gone = ['PERM-001', 'PERM-006', 'PERM-009', 'PERM-010', 'PERM-011'];
    const ids = (findings: typeof before) => new Set(findings.map(({ id }) => id));
    expect(gone.filter((id) => ids(before).has(id))).toEqual(gone);
    expect(gone.filter((id) => ids(after).has(id))).toEqual([]);
    expect([...ids(after)].filter((id) => !ids(before).has(id))).toEqual([]);
    expect(again).toEqual([]);
  });

  it('keeps comments', () => {
    const text = '{\n  // why\n  "tools": { "approvalMode": "yolo" }, // here\n  "x": 1\n}\n';
    const { fixes } = mended({ '~/.qwen/settings.json': text });
    expect(fixes.map((one) => one.kind === 'text' && one.after)).toEqual(['{\n  // why\n  "tools": { }, // here\n  "x": 1\n}\n']);
  });

  it('closes credential files and settings to others', () => {
    const { fixes, after } = mended(
      { '~/.claude/.credentials.json': '{"a":"b"}', '~/.claude/settings.json': '{}', '~/.netrc': 'machine a password b\n' },
      { '.claude/.credentials.json': 0o644, '.claude/settings.json': 0o666, '.netrc': 0o640 },
    );
    expect(fixes.map((one) => one.kind === 'mode' && [one.file, one.after.toString(8)])).toEqual([
      [`${user}/.claude/settings.json`, '664'],
      [`${user}/.claude/.credentials.json`, '600'],
      [`${user}/.netrc`, '600'],
    ]);
    expect(after.filter(({ id }) => id === 'CRED-004' || id === 'FS-001')).toEqual([]);
  });

  it.each<[string, Files]>([
    ['a repository', { '~/.claude.json': '{}', '.claude/settings.json': settings }],
    ['a managed file', { '~/.claude.json': '{}', '/etc/claude-code/managed-settings.json': settings }],
    ['a file that does not parse', { '~/.claude/settings.json': settings.replace('"opus",', '"opus",,') }],
    ['an agent that allows what is not written down', { '~/.config/opencode/opencode.json': '{"permission":"allow"}' }],
    ['what is in order', { '~/.claude/settings.json': '{"permissions":{"allow":["Bash(git status)"],"deny":["Read(.env)"]}}' }],
  ])('leaves alone: %s', (_name, files) => {
    expect(mended(files).fixes).toEqual([]);
  });
});
