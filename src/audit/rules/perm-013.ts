import { linesOf, unattendedAgents } from './commands.ts';
import { rule } from './rule.ts';

export const unattendedInScripts = rule({
  id: 'PERM-013',
  severity: 'high',
  summary: 'A script or CI job runs an agent with everything allowed',
  owasp: ['ASI05'],
  remedy: 'Name the tools that the job needs, and run it boxed: `intramur run -- …`',
  *check({ extras }) {
    for (const { path, kind, text, workspace } of extras) {
      if (kind !== 'script' && kind !== 'ci') continue;
      for (const [line, content] of linesOf(text)) {
        if (/^\s*(#|\/\/)/.test(content)) continue;
        const found = unattendedAgents.find(({ shape }) => shape.test(content));
        if (found !== undefined)
          yield {
            agent: found.agent,
            file: path,
            line,
            isSample: workspace?.isSample ?? false,
            message: `starts ${found.what}${kind === 'ci' ? ', on text that outsiders may write' : ''}`,
          };
      }
    }
  },
});
