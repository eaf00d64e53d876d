// The secrets of a model call replaced by placeholders. What cannot be replaced so that nothing else changes is not replaced at all, and
// the call is decided as it is. INVARIANT: of each secret every occurrence is replaced, also one that no detector would know by itself.
import type { InspectFinding } from '../core/index.ts';
import { redact } from '../inspect/index.ts';
import { type JsonPath, type JsonString, jsonEscaped, jsonStrings, textOf } from '../wire/index.ts';

export interface Replaced {
  readonly bytes: Uint8Array;
  /** Placeholder to secret. Lives as long as the call and its answer. */
  readonly originals: ReadonlyMap<string, string>;
}

interface Span {
  readonly start: number;
  readonly end: number;
}

/** More different ones than any conversation has. */
const maxSecrets = 256;

/**
 * @param bytes JSON that was parsed before
 * @returns `undefined` when a secret stands where it cannot be replaced: found through a decoder, in a key, in a field with a meaning of its own
 */
export function replaceSecrets(
  bytes: Uint8Array,
  findings: readonly InspectFinding[],
  placeholderOf: (secret: string) => string,
): Replaced | undefined {
  const input = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const secrets = findings.filter(({ kind, tier }) => kind === 'secret' && tier !== 'count');
  if (secrets.length === 0 || secrets.some((finding) => !isPlain(finding))) return undefined;
  const strings = [...jsonStrings(input)];
  const spans: Span[] = [];
  const values = new Set<string>();
  for (const span of joined(secrets)) {
    const value = valueAt(input, strings, span);
    if (value === undefined) return undefined;
    values.add(value);
  }
  if (values.size > maxSecrets) return undefined;
  // The longest first: one secret may hold another.
  for (const value of [...values].toSorted((a, b) => b.length - a.length)) {
    for (const span of [...joined(secrets), ...occurrences(input, value)]) {
      if (spans.some((other) => span.start < other.end && other.start < span.end)) continue;
      const found = valueAt(input, strings, span);
      if (found === undefined) return undefined;
      spans.push(span);
    }
  }
  const originals = new Map<string, string>();
  const [like] = secrets;
  if (!like) return undefined;
  const redacted = redact(
    input,
    spans.map((span) => ({ ...like, ...span })),
    (original) => {
      const secret = textOf(original, { start: 0, end: original.length }) ?? '';
      const placeholder = placeholderOf(secret);
      originals.set(placeholder, secret);
      return placeholder;
    },
  );
  return { bytes: redacted.bytes, originals };
}

/** Literally in the body; the body's own JSON is no decoder. */
function isPlain({ view, start, end }: InspectFinding): boolean {
  return end > start && view.every((decoder) => decoder === 'json');
}

function joined(spans: readonly Span[]): Span[] {
  const out: { start: number; end: number }[] = [];
  for (const { start, end } of spans.toSorted((a, b) => a.start - b.start)) {
    const last = out.at(-1);
    if (last && start < last.end) last.end = Math.max(last.end, end);
    else out.push({ start, end });
  }
  return out;
}

function occurrences(bytes: Buffer, value: string): Span[] {
  const spans: Span[] = [];
  const written = Buffer.from(jsonEscaped(value));
  for (let start = bytes.indexOf(written); start >= 0; start = bytes.indexOf(written, start + written.length))
    spans.push({ start, end: start + written.length });
  return spans;
}

/** What a span of a string says, where it may be replaced. */
function valueAt(bytes: Buffer, strings: readonly JsonString[], span: Span): string | undefined {
  const string = strings[lastAtOrBefore(strings, span.start)];
  if (!string || string.end < span.end || string.isKey || hasOwnMeaning(string.path)) return undefined;
  // Neither end may lie within an escape.
  const isWhole =
    textOf(bytes, { start: string.start, end: span.start }) !== undefined &&
    textOf(bytes, { start: span.end, end: string.end }) !== undefined;
  return isWhole ? textOf(bytes, span) : undefined;
}

function lastAtOrBefore(strings: readonly JsonString[], position: number): number {
  let low = 0;
  let high = strings.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((strings[middle]?.start ?? 0) <= position) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Fields that a provider compares, resolves or verifies: with another text in them the call would be another call. */
const fixed: ReadonlySet<string | number> = new Set([
  'model',
  'role',
  'type',
  'id',
  'name',
  'call_id',
  'tool_call_id',
  'tool_use_id',
  'data',
  'file_data',
  'file_id',
  'url',
  'image_url',
  'signature',
  'thoughtSignature',
  'thought_signature',
  'encrypted_content',
  'mimeType',
  'mime_type',
  'media_type',
  'prompt_cache_key',
]);

/** What an agent's tools said and were told: there a field of any name is text. */
const free: ReadonlySet<string | number> = new Set(['input', 'args', 'response']);

function hasOwnMeaning(path: JsonPath): boolean {
  const isFree = path.some((key, at) => free.has(key) && typeof path[at + 1] === 'string');
  return !isFree && path.some((key) => fixed.has(key));
}
