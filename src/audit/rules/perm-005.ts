import { hitOf } from './on-grant.ts';
import { confidenceOf, rule } from './rule.ts';

const steering =
  /(^|[/*])(\.git(\/|$)|\.git\/hooks|\.claude|\.codex|\.gemini|\.qwen|\.cursor|\.vscode|\.idea|\.husky|\.kiro|\.opencode|\.github\/workflows|\.roo|\.devcontainer|\.ssh|\.mcp\.json)|\.(bashrc|zshrc|profile|bash_profile|zprofile|gitconfig|npmrc)\b|authorized_keys|LaunchAgents|\.config\/(fish|systemd|autostart)/;

export const writesOwnRules = rule({
  id: 'PERM-005',
  severity: 'high',
  summary: 'The agent may change what steers it: its own settings, hooks, editor tasks, shell start-up files',
  owasp: ['ASI02', 'ASI03'],
  remedy: 'Take these paths out of the grant and deny them',
  *check({ grants, signals }) {
    for (const grant of grants) {
      if (grant.mode === 'allow' && grant.action === 'write' && steering.test(grant.pattern))
        yield hitOf(grant, `"${grant.raw}" lets the agent rewrite what decides about it`);
    }
    for (const { means, doc, key, line, confidence } of signals) {
      if (means === 'write-protected')
        yield {
          doc,
          line,
          message: `${key}: protected files (settings of the agent itself) are written without a question`,
          confidence: confidenceOf(confidence),
        };
    }
  },
});
