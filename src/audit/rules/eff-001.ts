import { decide, situationFor } from '../effective.ts';
import type { Grant } from '../permissions/index.ts';
import { hitOf } from './on-grant.ts';
import { rule } from './rule.ts';

export const scopesConflict = rule({
  id: 'EFF-001',
  severity: 'info',
  summary: 'Two files disagree about a permission; this is the one that counts',
  owasp: [],
  remedy: 'Remove the rule that has no effect',
  *check(facts) {
    const groups = new Map<string, Grant[]>();
    for (const grant of facts.grants) {
      if (grant.isSample) continue;
      const key = `${grant.agent}\0${grant.action}\0${normal(grant.pattern)}`;
      groups.set(key, [...(groups.get(key) ?? []), grant]);
    }
    for (const group of groups.values()) {
      const files = new Set(group.map(({ source }) => source.file));
      const modes = new Set(group.map(({ mode }) => mode));
      const [first] = group;
      if (files.size < 2 || modes.size < 2 || first === undefined || first.action === 'any') continue;
      const agent = facts.docs.find((doc) => doc.agent.id === first.agent)?.agent;
      if (agent === undefined) continue;
      const workspace = group.find((one) => one.workspace !== undefined)?.workspace ?? `${facts.homes[0] ?? '/root'}/any-directory`;
      const target = first.pattern === '*' ? 'make-anything --now' : first.pattern.replace(/:\*$/, ' x').replace(/\*+/g, 'x');
      const { mode, source } = decide(situationFor(facts, agent, workspace), { action: first.action, target });
      for (const grant of group) {
        const wins = grant.source.file === source.file && grant.source.line === source.line;
        yield hitOf(
          grant,
          wins
            ? `"${grant.raw}" (${grant.mode}) decides over other files: the effect is ${mode}`
            : `"${grant.raw}" (${grant.mode}) has no effect: ${source.file ?? 'the default'}${source.line === null ? '' : `:${source.line}`} (${source.scope}) makes it ${mode}`,
        );
      }
    }
  },
});

function normal(pattern: string): string {
  return pattern.replace(/(?<!\s)\s*:?\*$/, ' *').trim();
}
