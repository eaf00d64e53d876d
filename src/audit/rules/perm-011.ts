import { confidenceOf, rule } from './rule.ts';

export const bypassAccepted = rule({
  id: 'PERM-011',
  severity: 'critical',
  summary: 'The warning before the mode without questions was accepted for good',
  owasp: ['ASI09'],
  remedy: 'Remove the key, so that the warning is shown to a person',
  *check({ signals }) {
    for (const { means, doc, key, line, confidence } of signals) {
      if (means === 'bypass-accepted')
        yield {
          doc,
          line,
          message: `${key} is set: the warning before the mode without questions never comes`,
          confidence: confidenceOf(confidence),
        };
    }
  },
});
