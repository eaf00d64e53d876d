import { confidenceOf, rule } from './rule.ts';

export const sandboxOff = rule({
  id: 'SBX-001',
  severity: 'high',
  summary: "The agent's own sandbox is off",
  owasp: ['ASI05'],
  remedy: 'Switch the sandbox on, or run the agent with `intramur run`',
  *check({ signals }) {
    for (const { means, doc, key, value, line, confidence } of signals) {
      if (means === 'sandbox-off')
        yield { doc, line, message: `${key} = ${value}: commands run with all rights of this user`, confidence: confidenceOf(confidence) };
    }
  },
});
