import { confidenceOf, rule } from './rule.ts';

export const bypassMode = rule({
  id: 'PERM-010',
  severity: 'critical',
  summary: 'A mode without questions is set for good',
  owasp: ['ASI02', 'ASI10'],
  remedy: 'Take the mode out of the file; use it for one session, inside `intramur run`',
  *check({ signals }) {
    for (const { means, doc, key, value, line, confidence } of signals) {
      if (means === 'bypass')
        yield { doc, line, message: `${key} = ${value}: no question is ever asked`, confidence: confidenceOf(confidence) };
      if (means === 'model-decides')
        yield {
          doc,
          line,
          message: `${key} = ${value}: a model decides which commands need no question`,
          severity: 'medium',
          confidence: confidenceOf(confidence),
          remedy: 'Let a person or a fixed list decide',
        };
    }
  },
});
