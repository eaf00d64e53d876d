// Text files beside the catalogue in which agents are started or secrets stand: shell start-up files, scripts, make files, CI, `.env`.
import { expand, join } from './load.ts';
import type { Tree } from './read/tree.ts';
import type { Workspace } from './scan.ts';

export interface Extra {
  readonly path: string;
  readonly kind: 'startup' | 'make' | 'script' | 'ci' | 'env';
  readonly workspace: Workspace | undefined;
  readonly text: string;
}

const startup = [
  '.bashrc',
  '.bash_profile',
  '.bash_aliases',
  '.profile',
  '.zshrc',
  '.zprofile',
  '.zshenv',
  '.config/fish/config.fish',
  '.config/fish/functions/*.fish',
  '.aliases',
];
const inWorkspace: readonly (readonly [first: string, pattern: string, kind: Extra['kind']])[] = [
  ['package.json', 'package.json', 'script'],
  ['Makefile', 'Makefile', 'make'],
  ['makefile', 'makefile', 'make'],
  ['justfile', 'justfile', 'make'],
  ['Justfile', 'Justfile', 'make'],
  ['.github', '.github/workflows/*.yml', 'ci'],
  ['.github', '.github/workflows/*.yaml', 'ci'],
  ['.gitlab-ci.yml', '.gitlab-ci.yml', 'ci'],
  ['Jenkinsfile', 'Jenkinsfile', 'ci'],
  ['scripts', 'scripts/*.sh', 'script'],
  ['bin', 'bin/*.sh', 'script'],
  ['.env', '.env', 'env'],
  ['.env.local', '.env.local', 'env'],
  ['.env.production', '.env.production', 'env'],
  ['.env.development', '.env.development', 'env'],
  ['.envrc', '.envrc', 'env'],
];
const sizeLimit = 1 << 20;

export function extras(tree: Tree, homes: readonly string[], workspaces: readonly Workspace[]): readonly Extra[] {
  const found: Extra[] = [];
  const add = (path: string, kind: Extra['kind'], workspace: Workspace | undefined): void => {
    const read = tree.read(path, sizeLimit);
    if (read.bytes !== undefined) found.push({ path, kind, workspace, text: read.bytes.toString('utf8') });
  };
  for (const home of homes)
    for (const pattern of startup) for (const path of expand(tree, join(home, pattern))) add(path, 'startup', undefined);
  for (const workspace of workspaces) {
    for (const [first, pattern, kind] of inWorkspace) {
      if (workspace.names.has(first)) for (const path of expand(tree, join(workspace.path, pattern))) add(path, kind, workspace);
    }
    for (const name of workspace.names) if (name.endsWith('.sh')) add(join(workspace.path, name), 'script', workspace);
  }
  return found;
}
