// One look at a payload: every view of its bytes, every detector on every view. It knows nothing of sessions, so it runs in the
// daemon's own thread and in workers alike. It never throws for what it was given to read: what could not be looked at is said in `refused`.
import { isUtf8 } from 'node:buffer';
import { codeOf, type InspectFinding, IntramurError, type Report } from '../core/index.ts';
import { type JsonReading, readJson } from './decode/json.ts';
import { containerKind, isBinary, isPicture, utf16Kind } from './decode/readable.ts';
import type { Detector } from './detector.ts';
import type { DataIndex } from './exact/data-table.ts';
import { dataFinder } from './exact/find-data.ts';
import { hiddenTextIn } from './hidden-text.ts';
import { type KnownSecret, knownSecretFinder, lastFinder } from './known-secrets.ts';
import { type Budget, exceeded, type Limits } from './limits.ts';
import { personalDataIn } from './personal-data.ts';
import { secretScanner } from './secrets.ts';
import type { FingerprintIndex } from './source/index-file.ts';
import { type ClassifiedFinding, sourceScanner, type Trace } from './source/source-scan.ts';
import { outsideView, rawView } from './view.ts';
import { type Reading, viewsOf } from './views.ts';

/** What a look found. INVARIANT: plain data, so that it passes from thread to thread. */
export interface Found {
  readonly secrets: readonly InspectFinding[];
  /** What says how sensitive it is: the company's source, and the people in its tables. */
  readonly source: readonly ClassifiedFinding[];
  /** What was recognised of each document, however little. */
  readonly traces: readonly Trace[];
  readonly refused?: Report['refused'];
  /** Something in it could not be read at all. */
  readonly isOpaque?: boolean;
}

export const nothing: Found = { secrets: [], source: [], traces: [] };

export interface Look {
  readonly found: Found;
  /** Of JSON: start and end of each text in the bytes. */
  readonly texts: Int32Array | undefined;
  /** Of JSON: the last string ends. */
  readonly isClosed: boolean;
}

export interface LookerOptions {
  readonly detectors: readonly Detector[];
  readonly limits: Limits;
  readonly fingerprints: FingerprintIndex | undefined;
  readonly data: DataIndex | undefined;
  readonly knownSecrets: readonly KnownSecret[];
  readonly personalData: boolean;
  isPlaceholder(value: string): boolean;
  fingerprint(value: string): string;
}

interface More {
  /** Further values that must not be in what is looked at. */
  readonly knownSecrets?: readonly KnownSecret[] | undefined;
}

export interface BodyOptions extends More {
  readonly isJson: boolean;
  /** JSON that begins within a string. */
  readonly isInside?: boolean;
  readonly json?: JsonReading | undefined;
  /** Where the bytes stand in the payload, when they are a part of it. */
  readonly offset: number;
}

export interface Looker {
  body(bytes: Buffer, options: BodyOptions, budget: Budget): Look;
  /** The strings that belong to a payload of `length` bytes but stand outside its body. */
  outside(texts: readonly string[], options: More & { readonly length: number }, budget: Budget): Found;
  /** Finds the index of the company's source, where there is one. */
  readonly source: ReturnType<typeof sourceScanner> | undefined;
}

export function createLooker(options: LookerOptions): Looker {
  const { limits, fingerprint } = options;
  const secrets = secretScanner(options);
  const known = knownSecretFinder(options.knownSecrets, fingerprint);
  const finderOf = lastFinder(fingerprint);
  const source = options.fingerprints && sourceScanner(options.fingerprints);
  const people = options.data && dataFinder(options.data);

  function findIn(readings: Iterable<Reading>, budget: Budget, { knownSecrets = [] }: More): Found {
    const more = finderOf(knownSecrets);
    const found = { secrets: [] as InspectFinding[], source: [] as ClassifiedFinding[], traces: [] as Trace[] };
    try {
      for (const { view, of } of readings) {
        budget.checkTime();
        if (of !== 'texts') {
          append(found.secrets, secrets.scan(view));
          budget.checkTime();
          append(found.secrets, known(view));
          append(found.secrets, more(view));
          append(found.secrets, hiddenTextIn(view));
          if (people) append(found.source, people(view));
          if (options.personalData) append(found.secrets, personalDataIn(view, fingerprint));
        }
        if (of !== 'fields' && source) {
          budget.checkTime();
          const { findings, traces } = source.scan(view);
          append(found.source, findings);
          append(found.traces, traces);
        }
        if (found.secrets.length + found.source.length > limits.maxFindings) throw exceeded(`more than ${limits.maxFindings} findings`);
      }
    } catch (fault) {
      return { ...found, isOpaque: budget.isOpaque, refused: refusalOf(fault) };
    }
    return { ...found, isOpaque: budget.isOpaque };
  }

  return {
    source,
    body(bytes, { isJson, isInside, json, offset, knownSecrets }, budget) {
      const reading = isJson ? (json ?? readJson(bytes, isInside)) : undefined;
      const found = findIn(viewsOf(rawView(bytes, offset), budget, reading), budget, { knownSecrets });
      // What is no JSON after all is not compared by its strings.
      if (reading?.isOdd) return { found, texts: undefined, isClosed: false };
      return { found, texts: reading?.spans, isClosed: reading?.isClosed ?? true };
    },
    outside: (texts, { length, knownSecrets }, budget) => findIn(outsideReadings(texts, length, budget), budget, { knownSecrets }),
  };
}

function append<T>(list: T[], more: readonly T[]): void {
  for (const item of more) list.push(item);
}

function* outsideReadings(texts: readonly string[], length: number, budget: Budget): Generator<Reading> {
  for (const text of texts) yield* viewsOf(outsideView(text, length), budget);
}

/** Text that is no UTF-8 is read differently by everybody who repairs it, so what was looked at need not be what arrives. */
export function brokenText(bytes: Buffer, contentType: string): Report['refused'] {
  if (isUtf8(bytes)) return undefined;
  const isOpaque = isBinary(bytes) || containerKind(bytes) !== undefined || utf16Kind(bytes) !== undefined || isPicture(bytes);
  if (isOpaque && !contentType.endsWith('json')) return undefined;
  return { code: 'INSPECT_FAILED', reason: 'the text is not valid UTF-8' };
}

export function looksLikeJson(bytes: Buffer, contentType: string): boolean {
  if (contentType.endsWith('json')) return true;
  const first = bytes.find((byte) => byte > 0x20);
  return first === 0x7b || first === 0x5b;
}

export function refusalOf(fault: unknown): NonNullable<Report['refused']> {
  const code = codeOf(fault);
  // The text of a foreign error may quote the payload, so only our own is passed on.
  if (fault instanceof IntramurError && code) return { code, reason: fault.message };
  return { code: 'INSPECT_FAILED', reason: 'a detector failed' };
}
