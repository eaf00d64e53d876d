import { rule } from './rule.ts';

export const forbiddenJurisdiction = rule({
  id: 'JUR-001',
  severity: 'high',
  summary: "An agent's vendor sits where the organisation's policy does not allow",
  owasp: ['ASI04'],
  remedy: 'Ban the tool (`tools:` in intramur.yaml), or use an edition that stays inside',
  *check({ agents, forbiddenJurisdictions }) {
    const seen = new Set<string>();
    for (const { entry, path } of agents) {
      const seats = entry.jurisdiction.split('/');
      const hit = seats.find((seat) => forbiddenJurisdictions.includes(seat));
      if (hit === undefined || seen.has(entry.id)) continue;
      seen.add(entry.id);
      yield { agent: entry.id, file: path, message: `${entry.name}: ${entry.vendor}, seat ${entry.jurisdiction}` };
    }
  },
});
