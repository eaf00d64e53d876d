import { isEveryCommand } from './commands.ts';
import { hitOf } from './on-grant.ts';
import { confidenceOf, rule } from './rule.ts';

export const anyCommand = rule({
  id: 'PERM-001',
  severity: 'critical',
  summary: 'The agent may run any shell command without asking',
  owasp: ['ASI02', 'ASI05', 'LLM06'],
  remedy: 'Allow named commands with their arguments, and let the rest ask',
  *check({ grants, signals }) {
    for (const grant of grants) if (isEveryCommand(grant)) yield hitOf(grant, `"${grant.raw}" allows every command without a question`);
    for (const { means, doc, key, value, line, confidence } of signals) {
      if (means === 'any-command')
        yield { doc, line, message: `${key} = ${value}: every command runs without a question`, confidence: confidenceOf(confidence) };
    }
  },
});
