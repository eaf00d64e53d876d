import { confidenceOf, rule } from './rule.ts';

export const helperCommand = rule({
  id: 'HOOK-005',
  severity: 'medium',
  summary: 'A setting names a command that the agent runs by itself',
  owasp: ['ASI05'],
  remedy: 'Check the command; allow helpers from managed settings only',
  *check({ signals }) {
    for (const { means, doc, key, value, line, confidence } of signals) {
      if (means !== 'helper-command' || (doc.agent.id === 'aider' && doc.scope === 'project')) continue;
      const own = doc.scope === 'project' || doc.scope === 'local';
      yield {
        doc,
        line,
        message: `${key} runs by itself: ${value.slice(0, 100)}`,
        severity: own ? 'high' : doc.scope === 'managed' ? 'info' : 'medium',
        confidence: confidenceOf(confidence),
      };
    }
  },
});
