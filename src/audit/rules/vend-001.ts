import { bundleSignatures } from '../catalogue/signatures.ts';
import { compareVersions } from '../permissions/dialect.ts';
import { rule } from './rule.ts';

export const bundleBehaviour = rule({
  id: 'VEND-001',
  severity: 'high',
  summary: 'The program itself marks prompts covertly or fingerprints the machine',
  owasp: ['LLM02'],
  remedy: 'Update to a version without it; `intramur attest` shows what a version really sends',
  *check({ agents }) {
    for (const { entry, version, path, signatures } of agents) {
      for (const id of signatures) {
        const signature = bundleSignatures.find((one) => one.id === id);
        if (signature !== undefined) yield { agent: entry.id, file: path, message: `${entry.name} ${version ?? ''} ${signature.says}` };
      }
      const isMarked =
        entry.id === 'claude-code' &&
        version !== undefined &&
        compareVersions(version, '2.1.91') >= 0 &&
        compareVersions(version, '2.1.197') <= 0;
      if (isMarked && signatures.length === 0)
        yield {
          agent: entry.id,
          file: path,
          confidence: 'medium',
          message: `${entry.name} ${version} is of the range (2.1.91 to 2.1.197) that marks the date line of its prompt by base URL and time zone`,
        };
    }
  },
});
