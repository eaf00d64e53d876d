import { at, flag } from '../read/node.ts';
import { rule } from './rule.ts';

export const sandboxFailsOpen = rule({
  id: 'SBX-002',
  severity: 'medium',
  summary: 'The sandbox is on, and when it cannot start, commands run without it',
  owasp: ['ASI05'],
  remedy: 'Set sandbox.failIfUnavailable = true',
  *check({ docs }) {
    for (const doc of docs) {
      if (doc.agent.dialect !== 'claude' || doc.root === undefined) continue;
      const enabled = at(doc.root, 'sandbox', 'enabled');
      if (enabled === undefined || flag(enabled) !== true) continue;
      const strict = docs.some((one) => one.agent.id === doc.agent.id && flag(at(one.root, 'sandbox', 'failIfUnavailable')) === true);
      if (!strict)
        yield {
          doc,
          line: enabled.line,
          message: 'sandbox.failIfUnavailable is not set: without bubblewrap or socat, commands run unconfined',
        };
    }
  },
});
