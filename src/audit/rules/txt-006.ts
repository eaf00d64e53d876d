import { decide, situationFor } from '../effective.ts';
import { rule } from './rule.ts';

export const memoryWritable = rule({
  id: 'TXT-006',
  severity: 'medium',
  summary: 'The agent may write, without asking, what it will read as instructions next time',
  owasp: ['ASI06'],
  remedy: 'Let writes to instruction files ask; review their changes like code',
  *check(facts) {
    const seen = new Set<string>();
    for (const doc of facts.docs) {
      if (
        doc.file.role !== 'instructions' ||
        doc.workspace === undefined ||
        doc.workspace.isSample ||
        !facts.present.has(doc.agent.id) ||
        seen.has(doc.path) ||
        doc.fault !== undefined
      )
        continue;
      const { mode, source } = decide(situationFor(facts, doc.agent, doc.workspace.path), { action: 'write', target: doc.path });
      // The agent's own default is no setting of anybody's: the summary says it once for all files.
      if (mode !== 'allow' || source.scope === 'default') continue;
      seen.add(doc.path);
      yield {
        doc,
        line: 1,
        message: `${doc.agent.name} may rewrite this file without asking (${source.file ?? ''}:${source.line ?? 0}) and reads it at every start`,
      };
    }
  },
});
