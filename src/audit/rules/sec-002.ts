import { secretShape } from '../read/secret.ts';
import { linesOf } from './commands.ts';
import { confidenceOf, rule } from './rule.ts';

export const secretInTranscript = rule({
  id: 'SEC-002',
  severity: 'medium',
  summary: 'Transcripts are kept, with secrets in them',
  owasp: ['LLM02'],
  remedy: 'Delete old transcripts, shorten how long they are kept, and change the secrets in them',
  *check({ docs, signals }) {
    const seen = new Set<string>();
    for (const doc of docs) {
      if (doc.file.role !== 'transcript' || seen.has(doc.path) || doc.fault !== undefined) continue;
      seen.add(doc.path);
      for (const [line, content] of linesOf(doc.text)) {
        const what = secretShape(content);
        if (what === undefined) continue;
        yield { doc, line, message: `a transcript holds a secret (${what})` };
        break;
      }
    }
    for (const { means, doc, key, value, line, confidence } of signals)
      if (means === 'transcripts-kept')
        yield {
          doc,
          line,
          severity: 'low',
          message: `${key} = ${value}: everything that was said is kept`,
          confidence: confidenceOf(confidence),
        };
  },
});
