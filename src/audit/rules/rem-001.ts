import { confidenceOf, rule } from './rule.ts';

export const remoteControl = rule({
  id: 'REM-001',
  severity: 'high',
  summary: 'The agent can be steered from outside: remote control, open channels, tunnels',
  owasp: ['ASI07'],
  remedy: 'Switch it off',
  *check({ signals, docs }) {
    for (const { means, doc, key, value, line, confidence } of signals)
      if (means === 'remote-control')
        yield {
          doc,
          line,
          message: `${key} = ${value}: people outside can steer the agent on this machine`,
          confidence: confidenceOf(confidence),
        };
    for (const doc of docs) {
      const match = doc.path.endsWith('settings.json')
        ? /"remote\.tunnels\.access\.preventSleep"\s*:\s*true|"remote\.tunnels?\.[\w.]*enabled"\s*:\s*true/.exec(doc.text)
        : null;
      if (match !== null)
        yield {
          doc,
          line: doc.text.slice(0, match.index).split('\n').length,
          message: 'an editor tunnel is set up: the editor, and its agent, can be reached through the vendor',
        };
    }
  },
});
