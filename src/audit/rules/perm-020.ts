import { decide, situationFor } from '../effective.ts';
import { rule } from './rule.ts';

export const permissiveByOmission = rule({
  id: 'PERM-020',
  severity: 'high',
  summary: 'The agent is here, no permission is written down, and what is not written down is allowed',
  owasp: ['ASI02'],
  remedy: 'Write the permissions down: ask for commands and for writes outside the workspace',
  *check(facts) {
    const seen = new Set<string>();
    for (const found of facts.agents) {
      const { entry, path } = found;
      if (entry.kind !== 'agent' || seen.has(entry.id)) continue;
      seen.add(entry.id);
      const workspace = `${facts.homes[0] ?? '/root'}/any-directory`;
      const { mode, source } = decide(situationFor(facts, entry, workspace), { action: 'shell', target: 'make-anything --now' });
      if (mode !== 'allow' || source.scope !== 'default') continue;
      const settings = facts.docs.find(
        (doc) => doc.agent.id === entry.id && doc.scope === 'user' && doc.file.role === 'settings' && doc.fault === undefined,
      );
      yield {
        agent: entry.id,
        file: settings?.path ?? path,
        line: settings === undefined ? undefined : 1,
        message: `${entry.name} runs any command without asking unless a setting says otherwise, and none does`,
      };
    }
  },
});
