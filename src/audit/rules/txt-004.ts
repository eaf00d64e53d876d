import { hiddenText } from './hidden-text.ts';
import { readByModels } from './read-by-models.ts';
import { rule } from './rule.ts';

export const disguisedText = rule({
  id: 'TXT-004',
  severity: 'medium',
  summary: 'Terminal escapes, look-alike letters or variation selectors disguise text that a model reads',
  owasp: ['ASI01', 'ASI09'],
  remedy: 'Remove the characters; find out who put them there',
  *check({ docs }) {
    for (const doc of readByModels(docs)) {
      for (const { line, kind, what } of hiddenText(doc.text)) {
        if (kind === 'escape' || kind === 'variation' || kind === 'homoglyph')
          yield {
            doc,
            line,
            message: `${what} in text that the model reads`,
            ...(kind === 'homoglyph' ? { confidence: 'medium' as const } : {}),
          };
      }
    }
  },
});
