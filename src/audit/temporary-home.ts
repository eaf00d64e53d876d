// Test kit: a home and a system directory on disk, from a table of file names and contents, audited as another root.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type Audit, type AuditOptions, audit } from './audit.ts';

export const user = '/home/dev';

export interface Laid {
  readonly root: string;
  [Symbol.dispose](): void;
}

/** Names are absolute, `~/…`, or relative to the repository `~/repo`, which is a git repository. A name that ends in `/` is a directory. */
export function lay(files: Readonly<Record<string, string>>): Laid {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'audit-'));
  fs.mkdirSync(path.join(root, user, 'repo/.git'), { recursive: true });
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(root, placed(name));
    if (name.endsWith('/')) {
      fs.mkdirSync(file, { recursive: true });
      continue;
    }
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, content, { mode: 0o600 });
  }
  return { root, [Symbol.dispose]: () => fs.rmSync(root, { recursive: true, force: true }) };
}

/** The path inside the root. */
export function placed(name: string): string {
  if (name.startsWith('/')) return name;
  return name.startsWith('~/') ? `${user}/${name.slice(2)}` : `${user}/repo/${name}`;
}

export function optionsFor(root: string, more: Partial<AuditOptions> = {}): AuditOptions {
  return { root, home: user, dirs: [], userHome: '/nowhere', cwd: '/', env: {}, tools: {}, ...more };
}

export function auditOf(files: Readonly<Record<string, string>>, more: Partial<AuditOptions> = {}): Audit {
  using laid = lay(files);
  return audit(optionsFor(laid.root, more));
}
