import { isInsideHost } from '../effective.ts';
import { linesOf } from './commands.ts';
import { rule } from './rule.ts';

const variable =
  /^\s*(?:export\s+)?(ANTHROPIC_BASE_URL|OPENAI_BASE_URL|OPENAI_API_BASE|GOOGLE_GEMINI_BASE_URL|ANTHROPIC_API_BASE|OPENAI_HOST|ANTHROPIC_HOST|CODEX_HOME|CODEBUDDY_BASE_URL|AMP_URL)\s*=\s*["']?([^"'\s#]+)/;

export const redirectsModelTraffic = rule({
  id: 'PROJ-003',
  severity: 'critical',
  summary: "A repository redirects an agent's model traffic, and with it the code and the key",
  owasp: ['ASI04', 'LLM02'],
  remedy: "Remove the setting from the repository; the model address belongs into the user's or managed settings",
  *check({ signals, extras }) {
    for (const { means, doc, key, value, line } of signals) {
      if (means !== 'base-url' || (doc.scope !== 'project' && doc.scope !== 'local')) continue;
      yield {
        doc,
        line,
        message: `${key} sends prompts and key to ${shown(value)}`,
        ...(isLoopback(value) ? { severity: 'medium' as const } : {}),
      };
    }
    for (const { path, kind, text, workspace } of extras) {
      if (kind !== 'env') continue;
      for (const [line, content] of linesOf(text)) {
        const match = variable.exec(content);
        const value = match?.[2];
        if (value === undefined || value.startsWith('$')) continue;
        yield {
          file: path,
          line,
          isSample: workspace?.isSample ?? false,
          message: `${match?.[1] ?? ''} in the repository's environment file sends agents to ${shown(value)}`,
          ...(isLoopback(value) ? { severity: 'low' as const } : {}),
        };
      }
    }
  },
});

function shown(value: string): string {
  return URL.canParse(value) ? new URL(value).host : value.slice(0, 80);
}

function isLoopback(value: string): boolean {
  return URL.canParse(value) && /^(127\.|localhost$|\[::1\])/.test(new URL(value).hostname) && isInsideHost(new URL(value).hostname);
}
