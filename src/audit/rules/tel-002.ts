import { confidenceOf, rule } from './rule.ts';

export const promptsLogged = rule({
  id: 'TEL-002',
  severity: 'medium',
  summary: 'Prompts or answers are written to a telemetry or log sink',
  owasp: ['LLM02'],
  remedy: 'Switch the logging of prompts off',
  *check({ signals }) {
    for (const { means, doc, key, value, line, confidence } of signals) {
      if (means === 'prompts-logged')
        yield {
          doc,
          line,
          message: `${key} = ${value}: prompts, and the code in them, go to a log or collector`,
          confidence: confidenceOf(confidence),
        };
    }
  },
});
