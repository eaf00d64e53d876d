import { everyText } from '../read/node.ts';
import { rule } from './rule.ts';

export const settingsAreCode = rule({
  id: 'PROJ-007',
  severity: 'critical',
  summary: 'Settings of a repository run as code when the agent loads them',
  owasp: ['ASI05'],
  remedy: 'Read the code before the agent is started here; start it boxed: `intramur run`',
  *check({ docs, hooks }) {
    for (const { doc, kind } of hooks) {
      if (kind === 'file' && doc.workspace !== undefined)
        yield { doc, line: 1, message: `${doc.agent.name} runs this file when it starts in the repository` };
    }
    for (const doc of docs) {
      if (doc.agent.id !== 'crush' || doc.root === undefined) continue;
      for (const { keys, line, value } of everyText(doc.root))
        if (/\$\(|`[^`]+`/.test(value))
          yield {
            doc,
            line,
            message: `${keys.join('.')} holds a command that runs when the file is loaded`,
            ...(doc.workspace === undefined ? { severity: 'medium' as const } : {}),
          };
    }
  },
});
