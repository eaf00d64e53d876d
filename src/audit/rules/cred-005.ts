import { everyText } from '../read/node.ts';
import { secretShape } from '../read/secret.ts';
import { linesOf } from './commands.ts';
import { rule } from './rule.ts';

const providerKey =
  /anthropic|openai|google|gemini|gcp|mistral|groq|deepseek|dashscope|alibaba|xai|cohere|huggingface|openrouter|perplexity/i;

export const longLivedKey = rule({
  id: 'CRED-005',
  severity: 'medium',
  summary: 'A long-lived key of a model provider lies on the machine instead of a key of the gateway',
  owasp: ['ASI03'],
  remedy: "Give people virtual keys (`intramur keys add`), and keep the provider's key with the gateway",
  *check({ docs, extras }) {
    const seen = new Set<string>();
    for (const doc of docs) {
      if (doc.root === undefined || (doc.file.role !== 'settings' && doc.file.role !== 'secrets') || seen.has(doc.path)) continue;
      for (const { keys, line, value } of everyText(doc.root)) {
        const shape = secretShape(value);
        if (shape === undefined || !providerKey.test(shape) || /oauth|refresh/i.test(keys.join('.'))) continue;
        seen.add(doc.path);
        yield { doc, line, message: `${keys.join('.')}: a key of the provider itself (${shape}), good until somebody revokes it` };
        break;
      }
    }
    for (const { path, kind, text, workspace } of extras) {
      if (kind !== 'startup' && kind !== 'env') continue;
      for (const [line, content] of linesOf(text)) {
        const shape = secretShape(content);
        if (shape !== undefined && providerKey.test(shape))
          yield {
            file: path,
            line,
            isSample: workspace?.isSample ?? false,
            message: `a key of the provider itself (${shape}) is exported to every program`,
          };
      }
    }
  },
});
