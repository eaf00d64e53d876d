import { rule } from './rule.ts';

export const unregisteredAgent = rule({
  id: 'INV-002',
  severity: 'medium',
  summary: 'An agent is here that the organisation did not approve',
  owasp: ['ASI10'],
  remedy: 'Vet it, or remove it',
  *check({ agents, tools }) {
    if (Object.keys(tools).length === 0) return;
    const seen = new Set<string>();
    for (const { entry, path } of agents) {
      if (entry.kind !== 'agent' || seen.has(entry.id)) continue;
      seen.add(entry.id);
      const status = Object.hasOwn(tools, entry.id) ? tools[entry.id]?.status : undefined;
      if (status === 'banned')
        yield {
          agent: entry.id,
          file: path,
          severity: 'high',
          message: `${entry.name} is banned by the organisation and is installed here`,
        };
      else if (status !== 'vetted') yield { agent: entry.id, file: path, message: `${entry.name} is not on the list of vetted tools` };
    }
  },
});
