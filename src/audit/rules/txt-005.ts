import { linesOf } from './commands.ts';
import { readByModels } from './read-by-models.ts';
import { rule } from './rule.ts';
import { aboutInjection, overrides } from './text-patterns.ts';

export const orderedAgainstUser = rule({
  id: 'TXT-005',
  severity: 'high',
  summary: 'Text that a model reads gives it orders against its user',
  owasp: ['ASI01', 'LLM01'],
  remedy: 'Remove the passage; find out who put it there',
  *check({ docs }) {
    for (const doc of readByModels(docs)) {
      let inComment = false;
      let inFence = false;
      for (const [line, content] of linesOf(doc.text)) {
        if (/^\s*(```|~~~)/.test(content)) inFence = !inFence;
        const opens = content.lastIndexOf('<!--');
        const isHidden = inComment || opens >= 0 || /display:\s*none|font-size:\s*0|color:\s*(white|#fff)/i.test(content);
        if (opens >= 0) inComment = content.indexOf('-->', opens) < 0;
        else if (content.includes('-->')) inComment = false;
        const found = overrides.find(({ shape }) => shape.test(content));
        if (found === undefined) continue;
        // A sentence about such orders (quoted, as an example, as a warning) is no order.
        if (!isHidden && (aboutInjection.test(content.replace(/https?:\/\/\S+|[\w.-]+@[\w.-]+/g, '')) || isQuoted(content, found.shape)))
          continue;
        if (inFence && !isHidden && !/\.ssh|secret|token|credential|curl/i.test(content)) continue;
        yield {
          doc,
          line,
          message: `${isHidden ? 'hidden in a comment: ' : ''}${found.what}: "${content.trim().slice(0, 80)}"`,
          ...(isHidden ? { severity: 'critical' as const } : {}),
        };
      }
    }
  },
});

function isQuoted(content: string, shape: RegExp): boolean {
  const match = shape.exec(content);
  if (match === null) return false;
  const before = content.slice(0, match.index);
  const after = content.slice(match.index + match[0].length);
  return /["'“‘`][^"'”’`]*$/.test(before) && /^[^"'“‘`]*["'”’`]/.test(after);
}
