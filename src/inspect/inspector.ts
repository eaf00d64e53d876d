// Inspection of one payload: what is new in it is looked at, here or in a worker, and joined with what earlier calls of the session
// said. It never throws for what it was given to read: what could not be looked at is said in `refused`.
import { isUtf8 } from 'node:buffer';
import crypto from 'node:crypto';
import type { Body, InspectFinding, Label, Report, Tier } from '../core/index.ts';
import { labels } from '../core/index.ts';
import type { Detector } from './detector.ts';
import { detectors as builtInDetectors } from './detectors/registry.ts';
import type { DataIndex } from './exact/data-table.ts';
import { lookInHalves } from './halves.ts';
import { type Change, createHistory } from './history.ts';
import type { KnownSecret } from './known-secrets.ts';
import { type Budget, budgetFor, defaultLimits, exceeded, type Limits } from './limits.ts';
import { brokenText, createLooker, type Found, type Look, looksLikeJson, nothing, refusalOf } from './look.ts';
import { valueFingerprint } from './secrets.ts';
import { isMostlySame } from './source/find.ts';
import type { FingerprintIndex } from './source/index-file.ts';
import { createDrips } from './source/session.ts';
import { type ClassifiedFinding, classificationOf, type SourceFinding } from './source/source-scan.ts';
import type { Span } from './view.ts';
import type { Part, Workers } from './workers.ts';

export interface InspectorOptions {
  readonly detectors?: readonly Detector[];
  readonly limits?: Partial<Limits>;
  /** True for a value that the product itself made to stand for a secret. */
  isPlaceholder?(value: string): boolean;
  /** The company's own source. Left out: no source is recognised. */
  readonly fingerprints?: FingerprintIndex | undefined;
  /** The company's tables of people. Left out: nobody is recognised. */
  readonly data?: DataIndex | undefined;
  /** Values that must not leave whatever they look like. */
  readonly knownSecrets?: readonly KnownSecret[];
  /** Look for personal data too. Default: no. */
  readonly personalData?: boolean;
  /** Keys the fingerprints in `redacted`, so that they compare within one installation only. Default: a key of this process. */
  readonly fingerprintKey?: Uint8Array;
  /** Look at large payloads elsewhere, so that this thread stays free. They were made with the same options. Left out: all is looked at here. */
  readonly workers?: Workers;
  nowMs?(): number;
}

export interface InspectContext {
  readonly session?: string;
  /**
   * Further values that must not be in this payload, in any encoding. INVARIANT: one session is always asked with the same ones, because
   * what was looked at before is not looked at again.
   */
  readonly knownSecrets?: readonly KnownSecret[];
}

export interface Inspector {
  /** INVARIANT: resolves for every input; a fault inside becomes `refused`, and a refused report is never a clean one. */
  inspect(body: Body, context?: InspectContext): Promise<Report>;
}

/** What a thread that serves others looks at itself: less than a millisecond of work. */
const MOST_HERE = 64 << 10;
/** And what that may unfold to. */
const MOST_UNFOLDED_HERE = 1 << 20;

export function createInspector(options: InspectorOptions = {}): Inspector {
  const { detectors = builtInDetectors, workers, nowMs = () => performance.now() } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const limitsHere = { ...limits, maxViewBytes: Math.min(limits.maxViewBytes, MOST_UNFOLDED_HERE) };
  const isPlaceholder = (value: string) => options.isPlaceholder?.(value) ?? false;
  const looker = createLooker({
    detectors,
    limits,
    fingerprints: options.fingerprints,
    data: options.data,
    knownSecrets: options.knownSecrets ?? [],
    personalData: options.personalData ?? false,
    isPlaceholder,
    fingerprint: valueFingerprint(options.fingerprintKey ?? crypto.randomBytes(32)),
  });
  const labelById = new Map(detectors.map((detector) => [detector.id, detector.label]));
  const drips = createDrips(nowMs);
  const history = createHistory<Found>(workers ? MOST_HERE : Number.POSITIVE_INFINITY);

  /** The body, or of a body that was seen before in this session only what is new. */
  async function findInBody(
    bytes: Buffer,
    contentType: string,
    { session, knownSecrets }: InspectContext,
  ): Promise<{ all: Found; fresh: Found }> {
    const isJson = looksLikeJson(bytes, contentType);
    let change = session === undefined || !isJson ? undefined : history.changeSince(session, bytes);
    if (change && change.fresh.start === change.fresh.end) return { all: joined(change, nothing, bytes.length), fresh: nothing };
    const looked = lookAt(bytes, isJson, knownSecrets, change);
    let look = looked instanceof Promise ? await looked : looked;
    // Read otherwise than before: what stands behind it may no longer be what it was.
    if (change && !look.isClosed) look = await lookAt(bytes, isJson, knownSecrets, (change = undefined));
    const { texts } = look;
    const { start, end } = change?.fresh ?? { start: 0, end: bytes.length };
    // INVARIANT: what is remembered is UTF-8, and cut between characters, so of what was remembered only what is new can be broken.
    const isText = isUtf8(bytes.subarray(start, end));
    const fresh = isText ? look.found : { ...look.found, refused: look.found.refused ?? brokenText(bytes, contentType) };
    const all = change ? joined(change, fresh, bytes.length) : fresh;
    if (session !== undefined && texts && isText && !all.refused)
      history.remember(session, bytes, all, change?.textsWith(texts) ?? texts, change);
    return { all, fresh };
  }

  /** Here what is small, in a worker what is not. */
  function lookAt(
    bytes: Buffer,
    isJson: boolean,
    knownSecrets: readonly KnownSecret[] = [],
    change: Change<Found> | undefined,
  ): Look | Promise<Look> {
    const { start, end } = change?.fresh ?? { start: 0, end: bytes.length };
    const part = { isJson, isInside: change?.isInside ?? false, offset: start, knownSecrets };
    const bytesOfPart = bytes.subarray(start, end);
    return hereOrThere(
      bytesOfPart.length,
      (budget) => looker.body(bytesOfPart, { ...part, json: change?.json }, budget),
      async ({ look, idle }) => {
        const there = (some: Buffer, options: Part) => look(some, options, isPlaceholder);
        if (idle() < 2) return await there(bytesOfPart, part);
        const startedAt = nowMs();
        const halves = await lookInHalves(bytesOfPart, part, limits, there);
        return halves ?? (await there(bytesOfPart, { ...part, spentMs: nowMs() - startedAt }));
      },
    );
  }

  /** The strings that stand outside the body. */
  async function lookOutside(texts: readonly string[], length: number, knownSecrets: readonly KnownSecret[] = []): Promise<Found> {
    const part = { isJson: false, isInside: false, offset: length, knownSecrets, outsideOf: length };
    return await hereOrThere(
      texts.reduce((sum, text) => sum + text.length, 0),
      (budget) => looker.outside(texts, { length, knownSecrets }, budget),
      async ({ look }) => (await look(Buffer.from(JSON.stringify(texts)), part, isPlaceholder)).found,
    );
  }

  /** A few bytes may unfold to so many that others would have to wait: then what was found here is dropped, and all is looked at there. */
  function hereOrThere<T>(size: number, here: (budget: Budget) => T, there: (workers: Workers) => Promise<T>): T | Promise<T> {
    if (!workers) return here(budgetFor(limits, nowMs));
    if (size > MOST_HERE) return there(workers);
    const budget = budgetFor(limitsHere, nowMs);
    const look = here(budget);
    return budget.isSpent ? there(workers) : look;
  }

  /** What earlier calls of the session add to the traces of this one. */
  function dripsOf(session: string, found: Found): SourceFinding[] {
    return drips.add(session, found.traces).flatMap(({ document, keys, span }) => {
      const finding = looker.source?.accumulated(document, keys, span);
      const isKnown = found.source.some(
        (other) => other.tier !== 'count' && other.repository === finding?.repository && other.document === finding?.document,
      );
      return finding && !isKnown ? [finding] : [];
    });
  }

  async function find(body: Body, context: InspectContext): Promise<Found> {
    const { session, knownSecrets } = context;
    const bytes = Buffer.from(body.bytes.buffer, body.bytes.byteOffset, body.bytes.byteLength);
    const size = bytes.length + body.views.reduce((sum, text) => sum + text.length, 0);
    if (size > limits.maxBytes) throw exceeded(`${size} bytes are more than the ${limits.maxBytes} that are inspected`);
    const { all, fresh } = await findInBody(bytes, body.contentType, context);
    const outside = body.views.length === 0 ? nothing : await lookOutside(body.views, bytes.length, knownSecrets);
    const found: Found = {
      secrets: both(all.secrets, outside.secrets),
      source: both(all.source, outside.source),
      traces: both(fresh.traces, outside.traces),
      isOpaque: (all.isOpaque ?? false) || (outside.isOpaque ?? false),
      refused: all.refused ?? outside.refused,
    };
    return session === undefined ? found : { ...found, source: both(found.source, dripsOf(session, found)) };
  }

  return {
    async inspect(body, context = {}) {
      const startedAt = nowMs();
      let found: Found;
      try {
        found = await find(body, context);
      } catch (fault) {
        found = { ...nothing, refused: refusalOf(fault) };
      }
      const findings = [...withoutRepeats(found.secrets), ...withoutOverlaps(found.source)];
      return {
        bytes: body.bytes.length,
        classification: classificationOf(found.source),
        labels: labelsOf(findings, labelById),
        findings: findings.map(publicPart).toSorted((a, b) => a.start - b.start || a.end - b.end),
        ...(found.isOpaque ? { isOpaque: true } : {}),
        ...(found.refused ? { refused: found.refused } : {}),
        ms: Math.max(0, nowMs() - startedAt),
      };
    },
  };
}

function both<T>(first: readonly T[], second: readonly T[]): readonly T[] {
  return second.length === 0 ? first : [...first, ...second];
}

/** What was found before around the change, moved to where it now stands, and what the change brought. */
function joined({ fresh: part, replaced, before }: Change<Found>, fresh: Found, length: number): Found {
  const moved = part.end - replaced.end;
  const around = <T extends Span>(list: readonly T[]): T[] =>
    list.flatMap((item) => {
      if (item.start < replaced.start) return [{ ...item, end: Math.min(item.end, length) }];
      return item.end > replaced.end ? [{ ...item, start: Math.max(0, item.start + moved), end: item.end + moved }] : [];
    });
  return {
    secrets: [...around(before.secrets), ...fresh.secrets],
    source: [...around(before.source), ...fresh.source],
    traces: [],
    // Where it stood is not known, so it is taken to be there still.
    isOpaque: (before.isOpaque ?? false) || (fresh.isOpaque ?? false),
    refused: fresh.refused,
  };
}

/** The same bytes found again in another view are one finding: that of the fewest decoders. */
function withoutRepeats(findings: readonly InspectFinding[]): readonly InspectFinding[] {
  if (findings.length < 2) return findings;
  const kept = new Map<string, InspectFinding>();
  for (const finding of findings) {
    const key = `${finding.detector}\0${finding.start}\0${finding.end}\0${finding.redacted}`;
    const known = kept.get(key);
    if (known === undefined || finding.view.length < known.view.length) kept.set(key, finding);
  }
  return withoutInner([...kept.values()]);
}

/** A known secret is seen both as it was spelt and in the run that was decoded: one finding, the longer. */
function withoutInner(findings: readonly InspectFinding[]): InspectFinding[] {
  const ends = new Map<string, number>();
  return findings
    .toSorted((a, b) => a.start - b.start || b.end - a.end)
    .filter(({ detector, redacted, start, end }) => {
      if (detector !== 'known-secret' || start === end) return true;
      const isInner = end <= (ends.get(redacted) ?? -1);
      if (!isInner) ends.set(redacted, end);
      return !isInner;
    });
}

const tierRank: Readonly<Record<Tier, number>> = { block: 0, route: 1, count: 2 };

/** The same place matched in several views is one finding: the strongest, and of those the one with the fewest decoders. */
function withoutOverlaps(findings: readonly ClassifiedFinding[]): readonly ClassifiedFinding[] {
  if (findings.length < 2) return findings;
  const kept: ClassifiedFinding[] = [];
  const ordered = findings.toSorted(
    (a, b) => tierRank[a.tier] - tierRank[b.tier] || a.view.length - b.view.length || (b.score ?? 0) - (a.score ?? 0),
  );
  for (const finding of ordered) {
    if (!kept.some((other) => other.kind === finding.kind && isMostlySame(finding, other))) kept.push(finding);
  }
  return kept;
}

function publicPart(finding: InspectFinding | ClassifiedFinding): InspectFinding {
  if (!('classification' in finding)) return finding;
  const { classification: _, ...rest } = finding;
  return rest;
}

/** What merely counts does not make a label: a label decides where the payload may go. */
function labelsOf(findings: readonly InspectFinding[], byId: ReadonlyMap<string, Label>): Label[] {
  if (findings.length === 0) return [];
  const found = new Set(findings.filter(({ tier }) => tier !== 'count').map(({ kind, detector }) => byId.get(detector) ?? kind));
  return labels.filter((label) => found.has(label));
}
