import { confidenceOf, rule } from './rule.ts';

export const sandboxNetwork = rule({
  id: 'SBX-004',
  severity: 'high',
  summary: 'The sandbox lets commands reach any host, or hosts where anybody can upload',
  owasp: ['LLM02'],
  remedy: 'Name the few hosts that are needed; no wildcards and no hosts that take uploads',
  *check({ signals }) {
    for (const { means, doc, key, value, line, confidence } of signals) {
      if (means === 'sandbox-network')
        yield {
          doc,
          line,
          message: `${key} = ${value}: what runs in the sandbox can send files out`,
          confidence: confidenceOf(confidence),
        };
    }
  },
});
