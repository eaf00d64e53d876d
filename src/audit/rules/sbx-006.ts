import { advisories } from '../catalogue/advisories.ts';
import { compareVersions } from '../permissions/dialect.ts';
import { confidenceOf, rule } from './rule.ts';

export const knownHole = rule({
  id: 'SBX-006',
  severity: 'medium',
  summary: 'The installed version has a known hole',
  owasp: ['ASI04'],
  remedy: 'Update the agent',
  *check({ agents }) {
    for (const { entry, version, path } of agents) {
      if (version === undefined) continue;
      for (const { id, agent, fixedIn, says, severity, confidence } of advisories) {
        if (agent === entry.id && compareVersions(version, fixedIn) < 0)
          yield {
            agent: entry.id,
            file: path,
            severity,
            confidence: confidenceOf(confidence),
            message: `${entry.name} ${version}: ${says} (${id}, fixed in ${fixedIn})`,
          };
      }
    }
  },
});
