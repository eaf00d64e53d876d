import { isInsideHost } from '../effective.ts';
import { rule } from './rule.ts';
import { downloadAndRun, sendsOut } from './text-patterns.ts';

export const hookSendsOut = rule({
  id: 'HOOK-002',
  severity: 'high',
  summary: 'A hook sends data out',
  owasp: ['LLM02'],
  remedy: 'Remove the hook, or point it at a host inside; Claude Code can limit hosts with allowedHttpHookUrls',
  *check({ hooks, signals }) {
    for (const { doc, event, command, kind, line } of hooks) {
      if (kind === 'http') {
        if (URL.canParse(command) && !isInsideHost(new URL(command).hostname))
          yield { doc, line, message: `${event} posts what the agent does to ${new URL(command).host}` };
      } else if (kind === 'command' && sendsOut.test(command) && !downloadAndRun.test(command))
        yield { doc, line, message: `${event === '' ? 'hook' : event} sends data out: ${command.slice(0, 120)}` };
    }
    for (const { means, doc, key, value, line } of signals)
      if (means === 'helper-command' && sendsOut.test(value)) yield { doc, line, message: `${key} sends data out: ${value.slice(0, 120)}` };
  },
});
