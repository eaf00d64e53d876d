import { rule } from './rule.ts';

export const hiddenInstallation = rule({
  id: 'INV-001',
  severity: 'info',
  summary: 'An agent is here as an extension or application only, where software lists miss it',
  owasp: ['ASI10'],
  remedy: 'Add it to the register of tools',
  *check({ agents }) {
    const seen = new Set<string>();
    for (const { entry, presence, path, version } of agents) {
      if ((presence !== 'extension' && presence !== 'application') || seen.has(entry.id)) continue;
      seen.add(entry.id);
      yield {
        agent: entry.id,
        file: path,
        message: `${entry.name}${version === undefined ? '' : ` ${version}`} is installed as ${presence === 'extension' ? 'an editor extension' : 'an application'}`,
      };
    }
  },
});
