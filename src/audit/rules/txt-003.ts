import { hiddenText } from './hidden-text.ts';
import { readByModels } from './read-by-models.ts';
import { rule } from './rule.ts';

export const directionControls = rule({
  id: 'TXT-003',
  severity: 'high',
  summary: 'Direction controls show text in another order than the model reads it',
  owasp: ['ASI01'],
  remedy: 'Remove the characters; find out who put them there',
  *check({ docs }) {
    for (const doc of readByModels(docs)) {
      for (const { line, kind, what } of hiddenText(doc.text))
        if (kind === 'bidi') yield { doc, line, message: `${what} in text that the model reads` };
    }
  },
});
