// A baseline is an earlier report: what it already lists is known, and only what is new counts for `--fail-on`.
import { IntramurError } from '../../core/index.ts';
import type { AuditReport } from './json.ts';

/** Fingerprints in a saved JSON report. */
export function parseBaseline(text: string, name: string): ReadonlySet<string> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new IntramurError('CONFIG_INVALID', `${name}: not a JSON report`, { hint: 'save one with --format json --out FILE' });
  }
  const findings: unknown = typeof value === 'object' && value !== null && 'findings' in value ? value.findings : undefined;
  if (!Array.isArray(findings))
    throw new IntramurError('CONFIG_INVALID', `${name}: not an audit report`, { hint: 'save one with --format json --out FILE' });
  return new Set(
    findings.flatMap((finding: unknown) =>
      typeof finding === 'object' && finding !== null && 'fingerprint' in finding && typeof finding.fingerprint === 'string'
        ? [finding.fingerprint]
        : [],
    ),
  );
}

export function withoutKnown(report: AuditReport, known: ReadonlySet<string>): AuditReport {
  return { ...report, findings: report.findings.filter(({ fingerprint }) => !known.has(fingerprint)) };
}
