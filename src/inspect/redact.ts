// Replacing secrets by placeholders on the way out, and placeholders by secrets in the answer. Pure functions: which placeholder
// stands for which value, and towards whom it may be restored, is the caller's to keep.
import type { InspectFinding } from '../core/index.ts';
import type { Span } from './view.ts';

export interface Redacted {
  readonly bytes: Buffer;
  /** What was taken out, in order; the bytes as they stood in the input, so that restoring gives them back exactly. */
  readonly replaced: readonly { readonly placeholder: string; readonly original: Buffer }[];
}

/**
 * Replaces the bytes of each finding. Findings that overlap are replaced together; those outside the body (empty ranges) cannot be
 * replaced here and are left to the caller.
 * @param placeholderFor the same original must get the same placeholder, so that a history that is sent again stays the same
 */
export function redact(
  bytes: Uint8Array,
  findings: readonly InspectFinding[],
  placeholderFor: (original: Buffer, finding: InspectFinding) => string,
): Redacted {
  const input = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parts: Buffer[] = [];
  const replaced: Redacted['replaced'][number][] = [];
  let position = 0;
  for (const { span, finding } of joined(findings)) {
    const original = input.subarray(span.start, span.end);
    const placeholder = placeholderFor(original, finding);
    // INVARIANT: a placeholder fits into JSON, a URL and a header as it is; else replacing could break out of a string.
    if (!/^[\w.-]{8,200}$/.test(placeholder)) throw new TypeError('a placeholder must be 8 to 200 characters of A-Z a-z 0-9 _ . -');
    parts.push(input.subarray(position, span.start), Buffer.from(placeholder));
    replaced.push({ placeholder, original });
    position = span.end;
  }
  parts.push(input.subarray(position));
  return { bytes: Buffer.concat(parts), replaced };
}

function joined(findings: readonly InspectFinding[]): { span: Span; finding: InspectFinding }[] {
  const ordered = findings.filter(({ start, end }) => end > start).toSorted((a, b) => a.start - b.start || b.end - a.end);
  const out: { span: Span; finding: InspectFinding }[] = [];
  for (const finding of ordered) {
    const last = out.at(-1);
    if (last && finding.start < last.span.end) {
      out[out.length - 1] = { ...last, span: { start: last.span.start, end: Math.max(last.span.end, finding.end) } };
    } else out.push({ span: finding, finding });
  }
  return out;
}

/** Restores placeholders in a text that arrives in pieces; one for each stream of text (each content block of an answer). */
export interface Restorer {
  /** What of the text so far is certain. Holds back an end that may be the beginning of a placeholder. */
  push(text: string): string;
  /** What was still held back. */
  end(): string;
}

export function restorer(originals: ReadonlyMap<string, string>): Restorer {
  const placeholders = [...originals.keys()].toSorted((a, b) => b.length - a.length);
  const longest = placeholders[0]?.length ?? 0;
  const pattern = new RegExp(placeholders.map((text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|') || '(?!)', 'g');
  let held = '';

  const mayGrow = (end: string) => placeholders.some((placeholder) => placeholder.length > end.length && placeholder.startsWith(end));

  /** Length of the longest end of `text` that begins a placeholder without being one. */
  const openEnd = (text: string): number => {
    for (let length = Math.min(longest - 1, text.length); length > 0; length--) {
      if (mayGrow(text.slice(-length))) return length;
    }
    return 0;
  };

  return {
    push(text) {
      const known = held + text;
      let out = '';
      let position = 0;
      for (const match of known.matchAll(pattern)) {
        if (mayGrow(known.slice(match.index))) break;
        out += known.slice(position, match.index) + (originals.get(match[0]) ?? match[0]);
        position = match.index + match[0].length;
      }
      const rest = known.slice(position);
      const open = openEnd(rest);
      held = rest.slice(rest.length - open);
      return out + rest.slice(0, rest.length - open);
    },
    end() {
      const rest = held.replace(pattern, (placeholder) => originals.get(placeholder) ?? placeholder);
      held = '';
      return rest;
    },
  };
}

/** Restores a whole text at once. */
export function restore(text: string, originals: ReadonlyMap<string, string>): string {
  const whole = restorer(originals);
  return whole.push(text) + whole.end();
}
