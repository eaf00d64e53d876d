// Cedar's `like`: `*` matches any run of characters, and it is the only wildcard.

/**
 * @param literals what stands between the wildcards: `a*b` is `['a', 'b']`
 *
 * Takes each literal at its first place after the one before, which is right because only `*` stands between them, and which
 * keeps a hostile text from costing more than its length times the pattern's.
 */
export function matchLike(literals: readonly string[], text: string): boolean {
  const [first = '', ...others] = literals;
  const last = others.pop();
  if (last === undefined) return text === first;
  if (!text.startsWith(first) || text.length < first.length + last.length || !text.endsWith(last)) return false;
  const end = text.length - last.length;
  let at = first.length;
  for (const literal of others) {
    const found = text.indexOf(literal, at);
    if (found < 0 || found + literal.length > end) return false;
    at = found + literal.length;
  }
  return at <= end;
}
