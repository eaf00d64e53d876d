// Two matchers that take time in proportion to pattern times text, whatever the pattern: patterns come from hostile files too.

/** `*` matches any run of characters, everything else itself. */
export function matchWildcard(pattern: string, text: string): boolean {
  return matchTokens(
    Array.from(pattern).map((char) => (char === '*' ? anyRun : char)),
    text,
  );
}

/** `*` and `?` stay within a path segment, `**` crosses segments; `/**` at the end also matches the directory itself. */
export function matchGlob(pattern: string, text: string): boolean {
  if (pattern.endsWith('/**') && matchGlob(pattern.slice(0, -3), text)) return true;
  const tokens: Token[] = [];
  const chars = Array.from(pattern);
  for (let i = 0; i < chars.length; i++) {
    const char = chars[i] ?? '';
    if (char === '?') tokens.push(anyOne);
    else if (char !== '*') tokens.push(char);
    else if (chars[i + 1] !== '*') tokens.push(anyInSegment);
    else {
      while (chars[i + 1] === '*') i++;
      // `**/` also matches nothing, so that `a/**/b` matches `a/b`.
      if (chars[i + 1] === '/' && (tokens.length === 0 || tokens.at(-1) === '/')) {
        tokens.push(anySegments);
        i++;
      } else tokens.push(anyRun);
    }
  }
  return matchTokens(tokens, text);
}

const anyRun = Symbol('*');
const anyInSegment = Symbol('[^/]*');
const anyOne = Symbol('[^/]');
const anySegments = Symbol('(.*/)?');
type Token = string | typeof anyRun | typeof anyInSegment | typeof anyOne | typeof anySegments;

/** Keeps the set of positions in `text` that the tokens so far can reach. */
function matchTokens(tokens: readonly Token[], text: string): boolean {
  const chars = Array.from(text);
  let reached = new Uint8Array(chars.length + 1);
  reached[0] = 1;
  for (const token of tokens) {
    const next = new Uint8Array(chars.length + 1);
    let open = false;
    for (let at = 0; at <= chars.length; at++) {
      const before = chars[at - 1];
      if (token === anyRun) {
        open ||= reached[at] === 1;
        if (open) next[at] = 1;
      } else if (token === anyInSegment) {
        open = reached[at] === 1 || (open && before !== '/');
        if (open) next[at] = 1;
      } else if (token === anySegments) {
        if (reached[at] === 1 || (open && before === '/')) next[at] = 1;
        open ||= reached[at] === 1;
      } else if (at > 0 && reached[at - 1] === 1 && (token === anyOne ? before !== '/' : before === token)) next[at] = 1;
    }
    reached = next;
  }
  return reached[chars.length] === 1;
}
