import { rule } from './rule.ts';

/** Seats that many organisations have a rule about; told at level info while no rule is stated. */
const oftenRestricted = ['CN', 'RU', 'unknown'];

export const forbiddenJurisdiction = rule({
  id: 'JUR-001',
  severity: 'high',
  summary: "An agent's vendor sits where the organisation's policy does not allow",
  owasp: ['ASI04'],
  remedy: 'Ban the tool (`tools:` in intramur.yaml), or use an edition that stays inside',
  *check({ agents, forbiddenJurisdictions }) {
    const stated = forbiddenJurisdictions.length > 0;
    const wanted = stated ? forbiddenJurisdictions : oftenRestricted;
    const seen = new Set<string>();
    for (const { entry, path } of agents) {
      const hit = entry.jurisdiction.split('/').find((seat) => wanted.includes(seat));
      if (hit === undefined || seen.has(entry.id)) continue;
      seen.add(entry.id);
      const message = `${entry.name}: ${entry.vendor}, seat ${entry.jurisdiction}`;
      if (stated) yield { agent: entry.id, file: path, message };
      else yield { agent: entry.id, file: path, severity: 'info', message, remedy: 'State what is allowed with --forbid-jurisdiction' };
    }
  },
});
