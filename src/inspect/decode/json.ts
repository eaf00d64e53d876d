// The strings of a JSON text (RFC 8259), without parsing it: broken JSON has strings too, and no parser can be told apart from ours.
import type { Span } from '../view.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;

/** Members whose short values are words of the protocol: between two messages they would tear a text apart. */
const protocolKeys = new Set(['role', 'type', 'id', 'object', 'model', 'tool_use_id', 'tool_call_id', 'call_id', 'media_type', 'status']);
const LONGEST_PROTOCOL_VALUE = 64;
const LONGEST_PLAIN_KEY = 24;

export interface JsonTexts {
  readonly texts: readonly Span[];
  /** False when the last string has no closing quote. */
  readonly isClosed: boolean;
}

/** Where the contents of the strings stand, without short keys and without the protocol's own words. */
export function jsonTexts(bytes: Buffer): JsonTexts {
  const texts: Span[] = [];
  let key = '';
  let isClosed = true;
  for (let open = bytes.indexOf(QUOTE); open !== -1; ) {
    const close = closingQuote(bytes, open + 1);
    const end = close === -1 ? bytes.length : close;
    const length = end - open - 1;
    const isKey = nextSolid(bytes, end + 1) === COLON;
    const isOurs = isKey ? length <= LONGEST_PLAIN_KEY : length <= LONGEST_PROTOCOL_VALUE && protocolKeys.has(key);
    if (length > 0 && !isOurs) texts.push({ start: open + 1, end });
    key = isKey && length <= LONGEST_PLAIN_KEY ? bytes.toString('latin1', open + 1, end) : '';
    isClosed = close !== -1;
    open = isClosed ? bytes.indexOf(QUOTE, close + 1) : -1;
  }
  return { texts, isClosed };
}

/** The next quote with an even number of backslashes before it. */
function closingQuote(bytes: Buffer, from: number): number {
  for (let quote = bytes.indexOf(QUOTE, from); quote !== -1; quote = bytes.indexOf(QUOTE, quote + 1)) {
    let slashes = quote;
    while (slashes > from && bytes[slashes - 1] === BACKSLASH) slashes -= 1;
    if ((quote - slashes) % 2 === 0) return quote;
  }
  return -1;
}

function nextSolid(bytes: Buffer, from: number): number | undefined {
  for (let i = from; i < bytes.length; i++) if ((bytes[i] ?? 0) > 0x20) return bytes[i];
  return undefined;
}
