// Inspection of one payload: every view of its bytes, every detector on every view, one report. It never throws for what it was
// given to read: what could not be looked at is said in `refused`.
import crypto from 'node:crypto';
import { type Body, codeOf, type InspectFinding, IntramurError, type Label, labels, type Report } from '../core/index.ts';
import type { Detector } from './detector.ts';
import { detectors as builtInDetectors } from './detectors/registry.ts';
import { type Budget, budgetFor, defaultLimits, exceeded, type Limits } from './limits.ts';
import { secretScanner, valueFingerprint } from './secrets.ts';
import { outsideView, rawView } from './view.ts';
import { type Reading, viewsOf } from './views.ts';

export interface InspectorOptions {
  readonly detectors?: readonly Detector[];
  readonly limits?: Partial<Limits>;
  /** True for a value that the product itself made to stand for a secret. */
  isPlaceholder?(value: string): boolean;
  /** Keys the fingerprints in `redacted`, so that they compare within one installation only. Default: a key of this process. */
  readonly fingerprintKey?: Uint8Array;
  nowMs?(): number;
}

export interface InspectContext {
  readonly session?: string;
}

export interface Inspector {
  /** INVARIANT: resolves for every input; a fault inside becomes `refused`, and a refused report is never a clean one. */
  inspect(body: Body, context?: InspectContext): Promise<Report>;
}

export function createInspector(options: InspectorOptions = {}): Inspector {
  const { detectors = builtInDetectors, nowMs = () => performance.now() } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const fingerprint = valueFingerprint(options.fingerprintKey ?? crypto.randomBytes(32));
  const secrets = secretScanner({ detectors, isPlaceholder: options.isPlaceholder ?? (() => false), fingerprint });

  function findIn(body: Body, budget: Budget, findings: InspectFinding[]): void {
    for (const reading of allReadings(body, budget)) {
      budget.checkTime();
      if (reading.of !== 'texts') findings.push(...secrets.scan(reading.view));
      if (findings.length > limits.maxFindings) throw exceeded(`more than ${limits.maxFindings} findings`);
    }
  }

  return {
    async inspect(body) {
      const startedAt = nowMs();
      const findings: InspectFinding[] = [];
      let refused: Report['refused'];
      try {
        const size = body.bytes.length + body.views.reduce((sum, text) => sum + text.length, 0);
        if (size > limits.maxBytes) throw exceeded(`${size} bytes are more than the ${limits.maxBytes} that are inspected`);
        findIn(body, budgetFor(limits, nowMs), findings);
      } catch (fault) {
        refused = refusalOf(fault);
      }
      const found = withoutRepeats(findings);
      return {
        bytes: body.bytes.length,
        classification: 'public',
        labels: labelsOf(found, detectors),
        findings: found,
        ...(refused ? { refused } : {}),
        ms: Math.max(0, nowMs() - startedAt),
      };
    },
  };
}

/** The readings of the body, then those of the strings outside it. */
function* allReadings(body: Body, budget: Budget): Generator<Reading> {
  yield* viewsOf(rawView(body.bytes), budget, { isJson: looksLikeJson(body) });
  for (const text of body.views) yield* viewsOf(outsideView(text, body.bytes.length), budget, { isJson: false });
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
  return [...kept.values()].toSorted((a, b) => a.start - b.start || a.end - b.end);
}

/** What merely counts does not make a label: a label decides where the payload may go. */
function labelsOf(findings: readonly InspectFinding[], detectors: readonly Detector[]): Label[] {
  const byId = new Map(detectors.map((detector) => [detector.id, detector.label]));
  const found = new Set(findings.filter((finding) => finding.tier !== 'count').map((finding) => byId.get(finding.detector)));
  return labels.filter((label) => found.has(label));
}
