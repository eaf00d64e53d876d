import { hitOf } from './on-grant.ts';
import { confidenceOf, rule } from './rule.ts';

export const fetchesAnything = rule({
  id: 'PERM-007',
  severity: 'medium',
  summary: 'The agent may fetch any address without asking: a way out for what it has read',
  owasp: ['ASI01', 'LLM02'],
  remedy: 'Limit the grant to named hosts',
  *check({ grants, signals, agents }) {
    for (const grant of grants) {
      if (
        grant.mode === 'allow' &&
        grant.action === 'network' &&
        /^(\*|\*\*|domain:\*|https?:\/\/\*.*|\*:\/\/.*\*)$/.test(grant.pattern) &&
        !/search/i.test(grant.tool)
      )
        yield hitOf(grant, `"${grant.raw}" fetches any address; an address can carry data out`);
    }
    for (const { means, doc, key, value, line, confidence } of signals) {
      if (means === 'fetch-any')
        yield { doc, line, message: `${key} = ${value}: any address is fetched without a question`, confidence: confidenceOf(confidence) };
    }
    const cn = agents.find(({ entry }) => entry.id === 'continue');
    if (cn !== undefined)
      yield {
        agent: 'continue',
        file: cn.path,
        severity: 'low',
        message: 'fetches any address without a question unless permissions.yaml says otherwise',
        remedy: 'Put Fetch under "ask" in ~/.continue/permissions.yaml',
      };
  },
});
