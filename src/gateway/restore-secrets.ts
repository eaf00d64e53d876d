// Puts secrets back where an answer names their placeholders. INVARIANT: only placeholders that the very call of this answer holds are
// known here, so an upstream that names those of others, or makes some up, gets nothing back.
import type { Dialect } from '../core/index.ts';
import { openPlaceholderAt, secretPlaceholderPattern } from '../inspect/index.ts';
import { type JsonPath, jsonEscaped, jsonStrings, parseLenient, type StreamForm, textDeltasIn, textOf } from '../wire/index.ts';
import { createSplitter, type Piece } from './stream-pieces.ts';

/** Placeholder to secret, of one call. */
export type Originals = ReadonlyMap<string, string>;

/** What one answer may grow by: a placeholder is short and a secret may be long, so an upstream could blow up its answer with them. */
const maxRestoredBytes = 1024 * 1024;
/** Events that wait for the end of a word. A real one has ended long before. */
const maxWaiting = 256;

export class Restoring {
  readonly #originals: Originals;
  #left = maxRestoredBytes;
  /** Placeholders that were replaced. */
  count = 0;

  constructor(originals: Originals) {
    this.#originals = originals;
  }

  /** @param isJson the text is itself JSON, so what goes into it stands between quotes there */
  secretFor(placeholder: string, isJson: boolean): string | undefined {
    const secret = this.#originals.get(placeholder);
    if (secret === undefined || secret.length > this.#left) return undefined;
    this.#left -= secret.length;
    this.count++;
    return isJson ? jsonEscaped(secret) : secret;
  }

  /** A whole answer. */
  whole(body: Uint8Array): Uint8Array {
    const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
    if (bytes.toString('latin1').search(secretPlaceholderPattern) < 0) return body;
    return spliced(
      bytes,
      changesIn(bytes, { start: 0, end: bytes.length }, this, () => true),
    );
  }
}

interface Change {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** The strings of a JSON text in which a placeholder was replaced. */
function changesIn(
  bytes: Buffer,
  { start, end }: { start: number; end: number },
  restoring: Restoring,
  isMeant: (path: JsonPath) => boolean,
): Change[] {
  const json = bytes.subarray(start, end);
  const changes: Change[] = [];
  for (const string of jsonStrings(json)) {
    if (string.isKey || !isMeant(string.path)) continue;
    if (json.toString('latin1', string.start, string.end).search(secretPlaceholderPattern) < 0) continue;
    const text = textOf(json, string);
    if (text === undefined) continue;
    const restored = text.replace(secretPlaceholderPattern, (found) => restoring.secretFor(found, holdsJson(string.path)) ?? found);
    if (restored !== text) changes.push({ start: start + string.start, end: start + string.end, text: jsonEscaped(restored) });
  }
  return changes;
}

/** The arguments of a tool call are JSON inside of a string, except below another tool's own input. */
function holdsJson(path: JsonPath): boolean {
  const last = path[path.length - 1];
  if (last !== 'arguments' && last !== 'partial_json') return false;
  return !path.some((key, at) => (key === 'input' || key === 'args') && typeof path[at + 1] === 'string');
}

function spliced(bytes: Buffer, changes: readonly Change[]): Buffer {
  if (changes.length === 0) return bytes;
  const parts: Buffer[] = [];
  let from = 0;
  for (const { start, end, text } of changes) {
    parts.push(bytes.subarray(from, start), Buffer.from(text));
    from = end;
  }
  return Buffer.concat([...parts, bytes.subarray(from)]);
}

interface DeltaText {
  readonly start: number;
  readonly end: number;
  readonly isJson: boolean;
  readonly before: string;
  text: string;
}

/** An event that waits until it is certain. */
interface Waiting {
  readonly bytes: Buffer;
  readonly changes: readonly Change[];
  readonly deltas: readonly DeltaText[];
}

/** The end of a channel's text that may still become a placeholder: from `from` on in each of these, in order. */
interface Tail {
  readonly event: Waiting;
  readonly delta: DeltaText;
  readonly from: number;
}

/**
 * Restores a stream, wherever a placeholder was cut. An event waits while its end may be the beginning of one; what turns out to be
 * none goes on byte for byte as it came.
 */
export class StreamRestorer {
  readonly #dialect: Dialect;
  readonly #restoring: Restoring;
  readonly #splitter;
  readonly #tails = new Map<string, readonly Tail[]>();
  #waiting: Waiting[] = [];

  constructor(dialect: Dialect, form: StreamForm, restoring: Restoring) {
    this.#dialect = dialect;
    this.#restoring = restoring;
    this.#splitter = createSplitter(form);
  }

  push(chunk: Uint8Array): Uint8Array {
    return Buffer.concat(this.#splitter.push(chunk).flatMap((piece) => this.#take(piece)));
  }

  /** What still waits, as it came. */
  end(): Uint8Array {
    this.#tails.clear();
    return Buffer.concat([...this.#released(), this.#splitter.rest()]);
  }

  #take(piece: Piece): Buffer[] {
    const event = piece.json && parseLenient(piece.bytes.toString('utf8', piece.json.start, piece.json.end));
    const texts = event === undefined ? undefined : textDeltasIn(this.#dialect, event);
    // A comment and a sign of life stand between two parts of a text without ending it.
    if (!piece.json || texts?.isIdle) return this.#waiting.length === 0 ? [piece.bytes] : this.#queue(piece.bytes, [], []);
    if (event === undefined || texts === undefined) return this.#closing(this.#queue(piece.bytes, [], []));

    const json = piece.bytes.subarray(piece.json.start, piece.json.end);
    const offset = piece.json.start;
    const channels = new Map(texts.deltas.map((delta) => [delta.path.join('\0'), delta]));
    const deltas: (DeltaText & { readonly channel: string })[] = [];
    for (const string of channels.size === 0 ? [] : jsonStrings(json)) {
      const delta = string.isKey ? undefined : channels.get(string.path.join('\0'));
      const text = delta && textOf(json, string);
      if (delta && text !== undefined)
        deltas.push({
          start: offset + string.start,
          end: offset + string.end,
          isJson: delta.isJson,
          channel: delta.channel,
          before: text,
          text,
        });
    }
    const changes = changesIn(piece.bytes, piece.json, this.#restoring, (path) => !channels.has(path.join('\0')));
    const waiting: Waiting = { bytes: piece.bytes, changes, deltas };
    for (const delta of deltas) this.#feed(delta.channel, waiting, delta);
    this.#waiting.push(waiting);
    return texts.isLast ? this.#closing([]) : this.#released();
  }

  #queue(bytes: Buffer, changes: readonly Change[], deltas: readonly DeltaText[]): Buffer[] {
    this.#waiting.push({ bytes, changes, deltas });
    return this.#released();
  }

  #closing(before: readonly Buffer[]): Buffer[] {
    this.#tails.clear();
    return [...before, ...this.#released()];
  }

  /** Puts a text behind the open end of its channel, and replaces what is now whole. */
  #feed(channel: string, event: Waiting, delta: DeltaText): void {
    const segments: readonly Tail[] = [...(this.#tails.get(channel) ?? []), { event, delta, from: 0 }];
    const known = segments.map((segment) => segment.delta.text.slice(segment.from)).join('');
    const found = [...known.matchAll(secretPlaceholderPattern)].flatMap((match) => {
      const secret = this.#restoring.secretFor(match[0], delta.isJson);
      return secret === undefined ? [] : [{ start: match.index, end: match.index + match[0].length, secret }];
    });
    const lastEnd = found.at(-1)?.end ?? 0;
    const open = openPlaceholderAt(known.slice(lastEnd));
    const openStart = known.length - open;
    const tails: Tail[] = [];
    let start = 0;
    for (const segment of segments) {
      const end = start + segment.delta.text.length - segment.from;
      segment.delta.text = segment.delta.text.slice(0, segment.from) + within(known, { start, end }, found);
      if (open > 0 && end > openStart)
        tails.push({ event: segment.event, delta: segment.delta, from: segment.delta.text.length - (end - Math.max(start, openStart)) });
      start = end;
    }
    if (tails.length > 0) this.#tails.set(channel, tails);
    else this.#tails.delete(channel);
  }

  /** The events before the first that still waits. */
  #released(): Buffer[] {
    if (this.#waiting.length > maxWaiting) this.#tails.clear();
    const open = new Set([...this.#tails.values()].flatMap((tails) => tails.map(({ event }) => event)));
    let count = 0;
    for (const event of this.#waiting) {
      if (open.has(event)) break;
      count++;
    }
    const ready = this.#waiting.splice(0, count);
    return ready.map(({ bytes, changes, deltas }) => {
      const changed = deltas
        .filter(({ before, text }) => before !== text)
        .map(({ start, end, text }) => ({ start, end, text: jsonEscaped(text) }));
      return spliced(
        bytes,
        [...changes, ...changed].toSorted((a, b) => a.start - b.start),
      );
    });
  }
}

/** One segment of `known` with the placeholders replaced; a secret goes into the segment in which its placeholder ends. */
function within(
  known: string,
  { start, end }: { start: number; end: number },
  found: readonly { readonly start: number; readonly end: number; readonly secret: string }[],
): string {
  let text = '';
  let at = start;
  for (const match of found) {
    if (match.end <= start || match.start >= end) continue;
    text += known.slice(at, Math.max(at, match.start));
    if (match.end <= end) text += match.secret;
    at = Math.min(match.end, end);
  }
  return text + known.slice(at, end);
}
