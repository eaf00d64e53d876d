import { at, flag } from '../read/node.ts';
import { confidenceOf, rule } from './rule.ts';

export const trustSwitchedOff = rule({
  id: 'PROJ-006',
  severity: 'high',
  summary: 'The agent does not ask whether a folder is trusted, so any clone may steer it',
  owasp: ['ASI09'],
  remedy: 'Switch folder trust on (security.folderTrust.enabled = true, security.workspace.trust.enabled = true)',
  *check({ signals, agents, docs }) {
    for (const { means, doc, key, value, line, confidence } of signals)
      if (means === 'trust-off')
        yield {
          doc,
          line,
          message: `${key} = ${value}: settings of any cloned repository count at once`,
          confidence: confidenceOf(confidence),
        };
    const qwen = agents.find(({ entry }) => entry.id === 'qwen-code');
    if (qwen === undefined) return;
    const own = docs.filter(
      (doc) => doc.agent.id === 'qwen-code' && (doc.scope === 'user' || doc.scope === 'managed') && doc.root !== undefined,
    );
    if (own.some(({ root }) => flag(at(root, 'security', 'folderTrust', 'enabled')) !== undefined)) return;
    const settings = own.find(({ path }) => path.endsWith('settings.json'));
    yield {
      agent: 'qwen-code',
      file: settings?.path ?? qwen.path,
      line: settings === undefined ? undefined : 1,
      message: 'folder trust is off unless it is switched on, and it is not: settings of any cloned repository count at once',
    };
  },
});
