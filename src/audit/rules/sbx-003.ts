import { at, flag } from '../read/node.ts';
import { confidenceOf, rule } from './rule.ts';

export const sandboxEscape = rule({
  id: 'SBX-003',
  severity: 'high',
  summary: 'The sandbox has a door: excluded commands, weaker modes, or commands that may ask to leave it',
  owasp: ['ASI05'],
  remedy: 'Set allowUnsandboxedCommands = false, and empty excludedCommands',
  *check({ docs, signals }) {
    for (const { means, doc, key, value, line, confidence } of signals) {
      if (means === 'sandbox-escape' && !/sock|podman|containerd/.test(value))
        yield {
          doc,
          line,
          message: `${key} = ${value}: what goes through here runs outside the sandbox`,
          confidence: confidenceOf(confidence),
        };
    }
    for (const doc of docs) {
      const enabled = doc.agent.id === 'claude-code' ? at(doc.root, 'sandbox', 'enabled') : undefined;
      if (enabled === undefined || flag(enabled) !== true) continue;
      const said = docs.some((one) => one.agent.id === doc.agent.id && at(one.root, 'sandbox', 'allowUnsandboxedCommands') !== undefined);
      if (!said)
        yield {
          doc,
          line: enabled.line,
          severity: 'low',
          message: 'allowUnsandboxedCommands is not set and is true by default: a command may ask to leave the sandbox',
        };
    }
  },
});
