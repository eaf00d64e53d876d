import { confidenceOf, rule } from './rule.ts';

export const environmentInherited = rule({
  id: 'CRED-003',
  severity: 'high',
  summary: 'Commands of the agent inherit variables that hold secrets',
  owasp: ['LLM02'],
  remedy: 'Let the agent filter variables, or start it with an empty environment (`intramur run`)',
  *check({ signals }) {
    for (const { means, doc, key, value, line, confidence } of signals) {
      if (means === 'environment-inherited')
        yield {
          doc,
          line,
          message: `${key} = ${value}: keys and tokens in the environment reach every command`,
          confidence: confidenceOf(confidence),
        };
    }
  },
});
