// Does a settings value hold a secret? The detectors of inspection decide by shape; a key that names a secret decides for values that
// have no shape of their own. Placeholders and references to variables never count.
import { detectors } from '../../inspect/index.ts';

const shapes = detectors
  .filter(({ kind, tier }) => kind === 'secret' && tier === 'block')
  .map(({ id, keywords, pattern, minEntropy }) => ({
    id,
    keywords,
    pattern: new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, '')),
    minEntropy,
  }));
/**
 * The well-known beginnings, without length and checksum: in a settings file a token that was shortened or invented for a demo is
 * reported too, because nobody can tell from outside, and the remedy is the same.
 */
const beginnings: readonly { readonly id: string; readonly pattern: RegExp }[] = [
  { id: 'anthropic-key', pattern: /\bsk-ant-[a-z]+\d\d-[\w-]{16,}/ },
  { id: 'openai-key', pattern: /\bsk-(?:proj-|svcacct-|admin-)?[A-Za-z0-9_-]{20,}/ },
  { id: 'github-token', pattern: /\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{30,})/ },
  { id: 'gitlab-token', pattern: /\bgl(?:pat|dt|ptt|rt)-[\w-]{16,}/ },
  { id: 'aws-access-key', pattern: /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/ },
  { id: 'slack-token', pattern: /\bxox[abprs]-[\w-]{12,}/ },
  { id: 'google-api-key', pattern: /\bAIza[\w-]{30,}/ },
  { id: 'google-oauth-token', pattern: /\bya29\.[\w-]{20,}/ },
  { id: 'stripe-key', pattern: /\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,}/ },
  { id: 'npm-token', pattern: /\bnpm_[A-Za-z0-9]{30,}/ },
  { id: 'huggingface-token', pattern: /\bhf_[A-Za-z0-9]{24,}/ },
  { id: 'xai-key', pattern: /\bxai-[A-Za-z0-9]{24,}/ },
  { id: 'json-web-token', pattern: /\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{8,}/ },
  { id: 'private-key', pattern: /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----/ },
];
const secretName =
  /(^|[_.-])(api[_-]?key|apikey|key|token|secret|passw(or)?d|pat|authorization|bearer|credential|access[_-]?key|private[_-]?key|cookie)s?$|(apikey|token|secret|password)$|^(x-)?(api-key|auth-token)$/i;
const harmlessName = /(env[_-]?(key|var)|keybind|key_?map|public[_-]?key|max_?tokens?|token_?limit|primary_?key|sort_?key)/i;
const reference = /^$|^[<[{].*[>\]}]$|\$\{?[A-Za-z_]|\{env:|\{\{|^env:|%[A-Z_]+%|^(x+|\*+|\.+|-+)$/i;
const placeholderWord =
  /\b(your|my|insert|replace|example|changeme|change|dummy|placeholder|redacted|sample|fake|test|todo|xxx+|here|none|null|undefined|true|false)\b/i;

/** Nothing that anybody could use: empty, a variable, or words that say so. */
function isPlaceholder(value: string): boolean {
  return reference.test(value) || (placeholderWord.test(value) && value.replace(/\D/g, '').length < 4);
}

function entropy(text: string): number {
  const counts = new Map<string, number>();
  for (const char of text) counts.set(char, (counts.get(char) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length);
  return bits;
}

/** The detector whose shape the text holds. */
export function secretShape(text: string): string | undefined {
  const lower = text.toLowerCase();
  for (const { id, pattern } of beginnings) {
    const value = pattern.exec(text)?.[0];
    if (
      value !== undefined &&
      entropy(value.slice(6)) > 1.5 &&
      !/your|example|placeholder|xxxx|changeme|redacted|dummy|\.\.\./i.test(value)
    )
      return id;
  }
  for (const { id, keywords, pattern, minEntropy } of shapes) {
    if (!keywords.some((keyword) => lower.includes(keyword))) continue;
    const match = pattern.exec(text);
    const value = match?.groups?.['value'] ?? match?.[0];
    if (value !== undefined && entropy(value) >= minEntropy) return id;
  }
  return undefined;
}

/** What kind of secret a value is under a key; `undefined` when it is none. */
export function secretIn(key: string, value: string): string | undefined {
  const shape = secretShape(value);
  if (shape !== undefined) return shape;
  const bare = value.replace(/^(Bearer|Basic|token)\s+/i, '');
  if (!secretName.test(key) || harmlessName.test(key) || isPlaceholder(bare)) return undefined;
  if (bare.length < 8 || /\s/.test(bare) || /^(https?:|\/|~|\.)/.test(bare)) return undefined;
  return /\d/.test(bare) || bare.length >= 20 || entropy(bare) > 3 ? 'value of a key that names a secret' : undefined;
}
