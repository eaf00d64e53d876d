import { isLiveFileRule } from '../permissions/claude.ts';
import { faultyRules, refusedExpressions } from '../permissions/gemini-rules.ts';
import { at, texts } from '../read/node.ts';
import { hitOf } from './on-grant.ts';
import { rule } from './rule.ts';

const claudeTools = new Set(
  'Bash PowerShell Read Edit Write MultiEdit NotebookEdit NotebookRead Glob Grep LS WebFetch WebSearch Task Agent TodoWrite TodoRead Skill SlashCommand BashOutput KillShell KillBash ExitPlanMode EnterPlanMode AskUserQuestion LSP ToolSearch ListMcpResources ReadMcpResource ListMcpResourcesTool ReadMcpResourceTool Workflow Monitor Cd TaskOutput TaskStop TaskCreate TaskGet TaskList TaskUpdate SendMessage EnterWorktree ExitWorktree CronCreate CronDelete CronList'.split(
    ' ',
  ),
);

export const deadRule = rule({
  id: 'PERM-009',
  severity: 'medium',
  summary: 'A rule can never match, so what it seems to forbid is not forbidden',
  owasp: ['ASI09'],
  remedy: 'Write the rule in the form that the agent evaluates, and test it',
  *check({ grants, docs }) {
    for (const grant of grants) {
      if (grant.agent !== 'claude-code') continue;
      const weight = grant.mode === 'deny' ? {} : { severity: 'low' as const };
      if (/[()]/.test(grant.tool) || (grant.raw.includes('(') && !grant.raw.trim().endsWith(')')))
        yield hitOf(grant, `"${grant.raw}" is not of the form Tool(pattern); it matches nothing`, weight);
      else if ((grant.action === 'read' || grant.action === 'write') && !isLiveFileRule(grant)) {
        yield hitOf(grant, `"${grant.raw}" never matches: file rules are looked up under Read(…) and Edit(…) only`, {
          ...weight,
          remedy: `Write it as ${grant.action === 'read' ? 'Read' : 'Edit'}(${grant.pattern})`,
        });
      } else if (!grant.tool.startsWith('mcp__') && grant.tool !== '*' && !claudeTools.has(grant.tool))
        yield hitOf(grant, `"${grant.raw}": there is no tool named ${grant.tool}; tool names are case-sensitive`, weight);
    }
    for (const doc of docs) {
      if (doc.agent.id !== 'gemini-cli' || doc.fault !== undefined) continue;
      if (doc.path.endsWith('.toml')) {
        for (const { line, expression } of refusedExpressions(doc))
          yield {
            doc,
            line,
            message: `Gemini CLI 0.61 drops this rule: it refuses the expression ${JSON.stringify(expression)}`,
            remedy: 'Write it without a repeated or optional group, or as several rules',
          };
        for (const { line, what } of faultyRules(doc))
          yield {
            doc,
            line,
            message: `Gemini CLI 0.61 rejects the whole file, its deny rules included, for this rule: ${what}`,
            remedy: what.includes('toolName') ? 'Add toolName = "run_shell_command"' : 'Correct the rule',
          };
      } else {
        for (const { value, line } of texts(at(doc.root, 'excludeTools')))
          yield {
            doc,
            line,
            message: `"${value}": Gemini CLI 0.61 no longer reads excludeTools`,
            remedy: 'Write it under tools.exclude, or as a policy rule with decision = "deny"',
          };
        for (const { value, line } of texts(at(doc.root, 'tools', 'exclude')))
          if (/\(.+\)/.test(value))
            yield {
              doc,
              line,
              message: `"${value}": Gemini CLI 0.61 matches no exclusion with an argument`,
              remedy: 'Write it as a policy rule with decision = "deny"',
            };
      }
    }
    for (const doc of docs) {
      if (doc.agent.id !== 'gemini-cli' || doc.scope !== 'managed' || !doc.path.endsWith('.toml') || doc.fault !== undefined) continue;
      if (doc.stat.uid !== 0 || (doc.stat.mode & 0o022) !== 0)
        yield {
          doc,
          line: 1,
          message: 'the administrator policy is ignored: it is not owned by root, or others may write it',
          severity: 'high',
          remedy: 'chown root and chmod go-w the file and its directory',
        };
    }
  },
});
