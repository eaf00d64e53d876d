// Replacing what was found by placeholders. A pure function: which placeholder stands for which value is the caller's to say and to keep.
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
