import { rule } from './rule.ts';

export const runsOnOpen = rule({
  id: 'PROJ-009',
  severity: 'high',
  summary: "Opening the folder, or the agent's normal work, runs a command that the repository names",
  owasp: ['ASI05'],
  remedy: 'Remove the command, or open the folder in restricted mode',
  *check({ hooks, signals }) {
    for (const { doc, event, command, line } of hooks) {
      if (event === 'folderOpen') yield { doc, line, message: `opening the folder runs: ${command.slice(0, 100)}` };
      else if (/^(initialize|onCreate|updateContent|postCreate|postStart|postAttach)Command$/.test(event)) {
        const isHost = event === 'initializeCommand';
        yield {
          doc,
          line,
          message: `${event} runs ${isHost ? 'on this machine' : 'in the container'}: ${command.slice(0, 100)}`,
          ...(isHost ? {} : { severity: 'medium' as const }),
        };
      }
    }
    for (const { means, doc, key, value, line } of signals) {
      if (means === 'helper-command' && doc.agent.id === 'aider' && doc.scope === 'project')
        yield { doc, line, message: `${key} runs after every edit: ${value.slice(0, 100)}` };
    }
  },
});
