// Inspection of one payload: every view of its bytes, every detector on every view, one report. It never throws for what it was
// given to read: what could not be looked at is said in `refused`.
import { isUtf8 } from 'node:buffer';
import crypto from 'node:crypto';
import { type Body, codeOf, type InspectFinding, IntramurError, type Label, labels, type Report, type Tier } from '../core/index.ts';
import { readJson } from './decode/json.ts';
import { containerKind, isBinary, isPicture, utf16Kind } from './decode/readable.ts';
import type { Detector } from './detector.ts';
import { detectors as builtInDetectors } from './detectors/registry.ts';
import { hiddenTextIn } from './hidden-text.ts';
import { type Change, createHistory } from './history.ts';
import { type KnownSecret, knownSecretFinder } from './known-secrets.ts';
import { type Budget, budgetFor, defaultLimits, exceeded, type Limits } from './limits.ts';
import { personalDataIn } from './personal-data.ts';
import { secretScanner, valueFingerprint } from './secrets.ts';
import { isMostlySame } from './source/find.ts';
import type { FingerprintIndex } from './source/index-file.ts';
import { createDrips } from './source/session.ts';
import { classificationOf, type SourceFinding, sourceScanner, type Trace } from './source/source-scan.ts';
import { outsideView, rawView, type Span } from './view.ts';
import { type Reading, viewsOf } from './views.ts';

export interface InspectorOptions {
  readonly detectors?: readonly Detector[];
  readonly limits?: Partial<Limits>;
  /** True for a value that the product itself made to stand for a secret. */
  isPlaceholder?(value: string): boolean;
  /** The company's own source. Left out: no source is recognised. */
  readonly fingerprints?: FingerprintIndex | undefined;
  /** Values that must not leave whatever they look like. */
  readonly knownSecrets?: readonly KnownSecret[];
  /** Look for personal data too. Default: no. */
  readonly personalData?: boolean;
  /** Keys the fingerprints in `redacted`, so that they compare within one installation only. Default: a key of this process. */
  readonly fingerprintKey?: Uint8Array;
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

type FindInView = ReturnType<typeof knownSecretFinder>;

const findsNothing: FindInView = () => [];

interface Found {
  readonly secrets: InspectFinding[];
  readonly source: SourceFinding[];
  /** What was recognised of each document, however little. */
  readonly traces: Trace[];
  readonly refused?: Report['refused'];
}

export function createInspector(options: InspectorOptions = {}): Inspector {
  const { detectors = builtInDetectors, nowMs = () => performance.now() } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const fingerprint = valueFingerprint(options.fingerprintKey ?? crypto.randomBytes(32));
  const secrets = secretScanner({ detectors, isPlaceholder: options.isPlaceholder ?? (() => false), fingerprint });

  const known = knownSecretFinder(options.knownSecrets ?? [], fingerprint);
  const source = options.fingerprints && sourceScanner(options.fingerprints);
  const drips = createDrips(nowMs);
  const labelById = new Map(detectors.map((detector) => [detector.id, detector.label]));

  const history = createHistory<Found>();

  function findIn(readings: Iterable<Reading>, budget: Budget, more: FindInView): Found {
    const found: Found = { secrets: [], source: [], traces: [] };
    try {
      for (const { view, of } of readings) {
        budget.checkTime();
        if (of !== 'texts') {
          found.secrets.push(...secrets.scan(view), ...known(view), ...more(view), ...hiddenTextIn(view));
          if (options.personalData) found.secrets.push(...personalDataIn(view, fingerprint));
        }
        if (of !== 'fields' && source) {
          const { findings, traces } = source.scan(view);
          found.source.push(...findings);
          found.traces.push(...traces);
        }
        if (found.secrets.length + found.source.length > limits.maxFindings) throw exceeded(`more than ${limits.maxFindings} findings`);
      }
    } catch (fault) {
      return { ...found, refused: refusalOf(fault) };
    }
    return found;
  }

  /** The body, or of a body that was seen before in this session only what is new. */
  function findInBody(body: Body, session: string | undefined, budget: Budget, more: FindInView): { all: Found; fresh: Found } {
    const bytes = Buffer.from(body.bytes.buffer, body.bytes.byteOffset, body.bytes.byteLength);
    const isJson = looksLikeJson(body);
    const change = session === undefined || !isJson ? undefined : history.changeSince(session, bytes);
    const { start, end } = change?.fresh ?? { start: 0, end: bytes.length };
    const json = isJson ? (change?.json ?? readJson(bytes.subarray(start, end))) : undefined;
    const fresh =
      start === end && change ? nothing : findIn(viewsOf(rawView(bytes.subarray(start, end), start), budget, json), budget, more);
    const all = change ? joined(change, fresh, bytes.length) : fresh;
    if (session !== undefined && json && !all.refused) history.remember(session, bytes, all, change?.texts ?? json.spans, change);
    return { all, fresh };
  }

  /** What earlier calls of the session add to the hits of this one. */
  function addDrips(session: string, found: Found): void {
    for (const { document, keys, span } of drips.add(session, found.traces)) {
      const finding = source?.accumulated(document, keys, span);
      const isKnown = found.source.some(
        (other) => other.tier !== 'count' && other.repository === finding?.repository && other.document === finding?.document,
      );
      if (finding && !isKnown) found.source.push(finding);
    }
  }

  function inspectNow(body: Body, { session, knownSecrets }: InspectContext): Found {
    const more = knownSecrets ? knownSecretFinder(knownSecrets, fingerprint) : findsNothing;
    const budget = budgetFor(limits, nowMs);
    const size = body.bytes.length + body.views.reduce((sum, text) => sum + text.length, 0);
    if (size > limits.maxBytes) throw exceeded(`${size} bytes are more than the ${limits.maxBytes} that are inspected`);
    const { all, fresh } = findInBody(body, session, budget, more);
    const outside = findIn(outsideReadings(body, budget), budget, more);
    const found: Found = {
      secrets: [...all.secrets, ...outside.secrets],
      source: [...all.source, ...outside.source],
      traces: [...fresh.traces, ...outside.traces],
      refused: all.refused ?? outside.refused ?? brokenText(body),
    };
    if (session !== undefined) addDrips(session, found);
    return found;
  }

  return {
    async inspect(body, context = {}) {
      const startedAt = nowMs();
      let found: Found;
      try {
        found = inspectNow(body, context);
      } catch (fault) {
        found = { ...nothing, refused: refusalOf(fault) };
      }
      const findings = [...withoutRepeats(found.secrets), ...withoutOverlaps(found.source)];
      return {
        bytes: body.bytes.length,
        classification: classificationOf(found.source),
        labels: labelsOf(findings, labelById),
        findings: findings.map(publicPart).toSorted((a, b) => a.start - b.start || a.end - b.end),
        ...(found.refused ? { refused: found.refused } : {}),
        ms: Math.max(0, nowMs() - startedAt),
      };
    },
  };
}

/** Text that is no UTF-8 is read differently by everybody who repairs it, so what was looked at need not be what arrives. */
function brokenText(body: Body): Report['refused'] {
  const bytes = Buffer.from(body.bytes.buffer, body.bytes.byteOffset, body.bytes.byteLength);
  const isOpaque = isBinary(bytes) || containerKind(bytes) !== undefined || utf16Kind(bytes) !== undefined || isPicture(bytes);
  if (isUtf8(bytes) || (isOpaque && !body.contentType.endsWith('json'))) return undefined;
  return { code: 'INSPECT_FAILED', reason: 'the text is not valid UTF-8' };
}

const nothing: Found = { secrets: [], source: [], traces: [] };

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
    refused: fresh.refused,
  };
}

/** The readings of the strings that belong to the payload but stand outside its body. */
function* outsideReadings(body: Body, budget: Budget): Generator<Reading> {
  for (const text of body.views) yield* viewsOf(outsideView(text, body.bytes.length), budget);
}

function looksLikeJson(body: Body): boolean {
  if (body.contentType.endsWith('json')) return true;
  const first = body.bytes.find((byte) => byte > 0x20);
  return first === 0x7b || first === 0x5b;
}

function refusalOf(fault: unknown): NonNullable<Report['refused']> {
  const code = codeOf(fault);
  // The text of a foreign error may quote the payload, so only our own is passed on.
  if (fault instanceof IntramurError && code) return { code, reason: fault.message };
  return { code: 'INSPECT_FAILED', reason: 'a detector failed' };
}

/** The same bytes found again in another view are one finding: that of the fewest decoders. */
function withoutRepeats(findings: readonly InspectFinding[]): InspectFinding[] {
  const kept = new Map<string, InspectFinding>();
  for (const finding of findings) {
    const key = `${finding.detector}\0${finding.start}\0${finding.end}\0${finding.redacted}`;
    const known = kept.get(key);
    if (known === undefined || finding.view.length < known.view.length) kept.set(key, finding);
  }
  return [...kept.values()];
}

const tierRank: Readonly<Record<Tier, number>> = { block: 0, route: 1, count: 2 };

/** The same place matched in several views is one finding: the strongest, and of those the one with the fewest decoders. */
function withoutOverlaps(findings: readonly SourceFinding[]): SourceFinding[] {
  const kept: SourceFinding[] = [];
  const ordered = findings.toSorted(
    (a, b) => tierRank[a.tier] - tierRank[b.tier] || a.view.length - b.view.length || (b.score ?? 0) - (a.score ?? 0),
  );
  for (const finding of ordered) {
    if (!kept.some((other) => isMostlySame(finding, other))) kept.push(finding);
  }
  return kept;
}

function publicPart(finding: InspectFinding | SourceFinding): InspectFinding {
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
