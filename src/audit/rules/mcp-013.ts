import { confidenceOf, rule } from './rule.ts';

export const cloudConnectors = rule({
  id: 'MCP-013',
  severity: 'medium',
  summary: 'Tools are pulled from a cloud account',
  owasp: ['ASI04'],
  remedy: 'Disable connectors that come from an account',
  *check({ signals }) {
    for (const { means, doc, key, value, line, confidence } of signals) {
      if (means === 'cloud-connectors')
        yield {
          doc,
          line,
          message: `${key} = ${value}: tools appear here because somebody added them to an account`,
          confidence: confidenceOf(confidence),
        };
    }
  },
});
