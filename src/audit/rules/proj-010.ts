import { join } from '../load.ts';
import { rule } from './rule.ts';

const personal = [
  '.claude/settings.local.json',
  '.qoder/settings.local.json',
  '.codebuddy/settings.local.json',
  '.augment/settings.local.json',
  '.factory/settings.local.json',
  'CLAUDE.local.md',
];

export const personalSettingsTracked = rule({
  id: 'PROJ-010',
  severity: 'medium',
  summary: 'Personal settings of one developer are tracked by git, and so come with every clone',
  owasp: ['ASI04'],
  remedy: 'git rm --cached the file and add it to .gitignore',
  *check({ docs, tree }) {
    for (const doc of docs) {
      if (doc.workspace?.isGit !== true) continue;
      const name = personal.find((one) => doc.path.endsWith(`/${one}`));
      if (name === undefined) continue;
      // The index of git lists tracked paths in plain text.
      const index = tree.examine(join(doc.workspace.path, '.git/index'), 64 << 20, [name]);
      if (index?.found.includes(name) === true)
        yield { doc, line: 1, message: `${name} is tracked by git: a clone brings its grants along` };
    }
  },
});
