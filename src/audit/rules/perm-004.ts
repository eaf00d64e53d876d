import { hitOf } from './on-grant.ts';
import { confidenceOf, rule } from './rule.ts';

export const writeOutside = rule({
  id: 'PERM-004',
  severity: 'medium',
  summary: 'The agent may write without asking, without a limit to the workspace',
  owasp: ['ASI02'],
  remedy: 'Limit the grant to a path in the workspace',
  *check({ grants, signals }) {
    for (const grant of grants) {
      if (grant.mode !== 'allow' || grant.action !== 'write') continue;
      const pattern = grant.pattern.trim();
      if (
        /^(\*|\*\*|\/|\/\*\*|\/\/\*\*|\/\*|\/\/\*|\/\/|\*\*\/\*)$/.test(pattern) ||
        /^(~\/?|~\/\*\*|\$HOME(\/\*\*)?|\/\/?(home|Users)(\/[^/]+)?(\/\*\*)?|\/\/?(root|etc|usr)(\/.*)?)$/.test(pattern)
      ) {
        yield hitOf(grant, `"${grant.raw}" lets the agent write anywhere this user may`);
      }
    }
    for (const { means, doc, key, value, line, confidence } of signals) {
      if (means === 'write-outside')
        yield {
          doc,
          line,
          message: `${key} = ${value}: writing outside the workspace needs no question`,
          confidence: confidenceOf(confidence),
        };
    }
  },
});
