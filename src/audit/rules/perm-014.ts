import { linesOf, unattendedAgents } from './commands.ts';
import { rule } from './rule.ts';

export const unattendedAlias = rule({
  id: 'PERM-014',
  severity: 'medium',
  summary: "An alias, function or make target switches an agent's questions off by habit",
  owasp: ['ASI09'],
  remedy: 'Remove the flag from the alias',
  *check({ extras }) {
    for (const { path, kind, text, workspace } of extras) {
      if (kind !== 'startup' && kind !== 'make') continue;
      for (const [line, content] of linesOf(text)) {
        if (/^\s*#/.test(content)) continue;
        const found = unattendedAgents.find(({ shape }) => shape.test(content));
        if (found !== undefined)
          yield {
            agent: found.agent,
            file: path,
            line,
            isSample: workspace?.isSample ?? false,
            message: `starts ${found.what} whenever it is used`,
          };
      }
    }
  },
});
