import { hiddenText } from './hidden-text.ts';
import { readByModels } from './read-by-models.ts';
import { rule } from './rule.ts';

export const tagCharacters = rule({
  id: 'TXT-002',
  severity: 'critical',
  summary: 'Invisible tag characters spell hidden text for the model',
  owasp: ['ASI01'],
  remedy: 'Remove the characters; find out who put them there',
  *check({ docs }) {
    for (const doc of readByModels(docs)) {
      for (const { line, kind, what } of hiddenText(doc.text))
        if (kind === 'tag') yield { doc, line, message: `${what} in text that the model reads` };
    }
  },
});
