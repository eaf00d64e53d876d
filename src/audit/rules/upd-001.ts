import { confidenceOf, rule } from './rule.ts';

export const autoUpdate = rule({
  id: 'UPD-001',
  severity: 'medium',
  summary: 'A tool with shell access replaces itself silently',
  owasp: ['ASI04'],
  remedy: 'Switch self-update off and roll versions out after a look at them',
  *check({ signals }) {
    for (const { means, doc, key, value, line, confidence } of signals) {
      if (means === 'auto-update')
        yield {
          doc,
          line,
          message: `${key} = ${value}: the program replaces itself without anybody looking`,
          confidence: confidenceOf(confidence),
        };
    }
  },
});
