import { judge, vettingOf } from '../../config/index.ts';
import { rule } from './rule.ts';

export const unregisteredAgent = rule({
  id: 'INV-002',
  severity: 'medium',
  summary: 'An agent is here that the organisation did not approve',
  owasp: ['ASI10'],
  remedy: 'Vet it, or remove it',
  *check({ agents, tools, register }) {
    if (Object.keys(tools).length === 0 && register.length === 0) return;
    const seen = new Set<string>();
    for (const { entry, path, version, sha256 } of agents) {
      if (entry.kind !== 'agent') continue;
      const tool = { id: entry.id, version, sha256 };
      const vetting = vettingOf({ tools }, tool, register);
      const key = `${entry.id} ${vetting === 'banned' ? path : vetting}`;
      if (vetting === 'vetted' || seen.has(key)) continue;
      seen.add(key);
      const said = judge(register, tool);
      const place = { agent: entry.id, file: path };
      if (vetting === 'banned' && said?.statement.verb === 'pin')
        yield {
          ...place,
          severity: 'high',
          message: `${entry.name} ${version ?? ''} is not the one that is pinned`.replace('  ', ' '),
          remedy: 'Look at what changed; then pin this one, or put the pinned one back',
        };
      else if (vetting === 'banned') {
        const { reason, by } = said?.statement ?? {};
        const who = by === undefined ? 'by the organisation' : `by ${by}${reason === undefined ? '' : ` (${reason})`}`;
        yield { ...place, severity: 'high', message: `${entry.name} is banned ${who} and is installed here`, remedy: 'Remove it' };
      } else yield { ...place, message: `${entry.name} is not on the list of vetted tools` };
    }
  },
});
