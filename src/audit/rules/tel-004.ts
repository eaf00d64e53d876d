import { confidenceOf, rule } from './rule.ts';

export const sharedAutomatically = rule({
  id: 'TEL-004',
  severity: 'medium',
  summary: 'Sessions are shared through a public link without a question',
  owasp: ['LLM02'],
  remedy: 'Set sharing to manual or disabled',
  *check({ signals }) {
    for (const { means, doc, key, value, line, confidence } of signals) {
      if (means === 'shared-automatically')
        yield { doc, line, message: `${key} = ${value}: sessions get a public link by themselves`, confidence: confidenceOf(confidence) };
    }
  },
});
