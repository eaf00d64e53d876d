import { at, flag, text } from '../read/node.ts';
import { confidenceOf, rule } from './rule.ts';

export const telemetryOn = rule({
  id: 'TEL-001',
  severity: 'medium',
  summary: 'The agent sends usage data to its vendor',
  owasp: ['LLM02'],
  remedy: 'Switch it off in managed settings; inside `intramur run` these hosts are closed',
  *check({ agents, docs, signals }) {
    for (const { means, doc, key, value, line, confidence } of signals)
      if (means === 'telemetry')
        yield { doc, line, message: `${key} = ${value}: usage data goes to the vendor`, confidence: confidenceOf(confidence) };
    const seen = new Set<string>();
    for (const { entry } of agents) {
      const { telemetry } = entry;
      if (
        telemetry === undefined ||
        seen.has(entry.id) ||
        signals.some(({ means, doc }) => means === 'telemetry' && doc.agent.id === entry.id)
      )
        continue;
      seen.add(entry.id);
      const own = docs.filter((doc) => doc.agent.id === entry.id && doc.scope !== 'project' && doc.root !== undefined);
      const isOff = telemetry.optOut.some(([key, off]) =>
        own.some(({ root }) => {
          const node = at(root, ...key.split('/'));
          return node !== undefined && (String(flag(node) ?? text(node)) === off || (flag(node) === true && off === '1'));
        }),
      );
      const [option] = telemetry.optOut;
      if (!isOff)
        yield {
          agent: entry.id,
          severity: 'low',
          message: `${entry.name} sends usage data to ${telemetry.hosts.join(', ')} by default`,
          ...(option === undefined
            ? {}
            : { remedy: `Set ${option[0].replaceAll('/', '.')} = ${option[1]}; inside \`intramur run\` these hosts are closed` }),
        };
    }
  },
});
