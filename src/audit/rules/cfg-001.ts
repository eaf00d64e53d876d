import { product } from '../../core/index.ts';
import { rule } from './rule.ts';

export const unreadableConfiguration = rule({
  id: 'CFG-001',
  severity: 'medium',
  summary: 'A settings file cannot be read or parsed, so what it forbids may not be in force',
  owasp: ['ASI02'],
  remedy: 'Repair the file; check that the agent reports no error when it starts',
  *check({ docs, walk, brought }) {
    const seen = new Set<string>();
    for (const doc of docs) {
      if (doc.fault === undefined || seen.has(doc.path) || doc.file.role === 'transcript') continue;
      // Two agents may read the same file by different rules; one that can is enough for a lower rank, not for silence.
      seen.add(doc.path);
      const isSettings = doc.root === undefined && doc.fault.kind === 'parse';
      const drops =
        isSettings && ['json', 'json-comments'].includes(doc.file.format)
          ? `; ${doc.agent.name} then ignores the whole file, deny rules included`
          : '';
      yield { doc, line: doc.fault.line, message: `${doc.fault.reason}${drops}`, ...(drops === '' ? {} : { severity: 'high' as const }) };
    }
    for (const { file, line, reason } of brought)
      yield {
        file,
        line,
        message: `the configuration of ${product.name} that this repository brings does not hold: ${reason}`,
        severity: 'high',
        remedy: `Look at who wrote it and take it out; \`${product.name} run\` does not start here while it stands`,
      };
    for (const fault of walk.faults)
      yield {
        file: fault.path,
        message: `not audited: ${fault.reason}`,
        severity: 'low',
        remedy: 'Make it readable for the audit, or look at it by hand',
      };
  },
});
