import { confidenceOf, rule } from './rule.ts';

export const sessionUpload = rule({
  id: 'TEL-003',
  severity: 'medium',
  summary: 'Sessions are uploaded to the vendor',
  owasp: ['LLM02'],
  remedy: 'Switch the upload off',
  *check({ signals }) {
    for (const { means, doc, key, value, line, confidence } of signals) {
      if (means === 'session-upload')
        yield { doc, line, message: `${key} = ${value}: whole sessions are uploaded`, confidence: confidenceOf(confidence) };
    }
  },
});
