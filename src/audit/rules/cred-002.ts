import { decide, situationFor } from '../effective.ts';
import { secretIn } from '../read/secret.ts';
import { linesOf } from './commands.ts';
import { rule } from './rule.ts';

export const environmentFileOpen = rule({
  id: 'CRED-002',
  severity: 'high',
  summary: 'A .env file with secrets lies in the workspace, and no rule keeps agents from it',
  owasp: ['LLM02'],
  remedy: 'Deny it (Claude Code: "Read(./.env)"), or keep secrets outside the workspace',
  *check(facts) {
    for (const { path, kind, workspace, text } of facts.extras) {
      if (kind !== 'env' || workspace === undefined || path.endsWith('.envrc')) continue;
      let secretLine: number | undefined;
      for (const [line, content] of linesOf(text)) {
        const [, key = '', value = ''] = /^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*["']?(.*?)["']?\s*$/.exec(content) ?? [];
        if (secretLine === undefined && key !== '' && secretIn(key, value) !== undefined) secretLine = line;
      }
      if (secretLine === undefined) continue;
      const name = path.slice(workspace.path.length + 1);
      const readers = [...facts.present].filter((id) => {
        const entry = facts.agents.find((agent) => agent.entry.id === id)?.entry;
        if (entry === undefined || entry.kind !== 'agent' || entry.dialect === 'none') return false;
        return ['allow', 'sandboxed'].includes(decide(situationFor(facts, entry, workspace.path), { action: 'read', target: name }).mode);
      });
      if (readers.length > 0)
        yield {
          agent: readers[0] ?? '',
          file: path,
          line: secretLine,
          isSample: workspace.isSample,
          message: `holds secrets, and ${readers.slice(0, 4).join(', ')} may read it without asking`,
        };
    }
  },
});
