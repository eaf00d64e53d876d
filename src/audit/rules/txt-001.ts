import { hiddenText } from './hidden-text.ts';
import { readByModels } from './read-by-models.ts';
import { rule } from './rule.ts';

export const zeroWidth = rule({
  id: 'TXT-001',
  severity: 'high',
  summary: 'Invisible characters stand in text that a model reads',
  owasp: ['ASI01'],
  remedy: 'Remove the characters; find out who put them there',
  *check({ docs }) {
    for (const doc of readByModels(docs)) {
      for (const { line, kind, what } of hiddenText(doc.text))
        if (kind === 'zero-width') yield { doc, line, message: `${what} in text that the model reads` };
    }
  },
});
