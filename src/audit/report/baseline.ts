// A baseline is an earlier report: what it already lists is known, and only what is new counts for `--fail-on`.
import { IntramurError } from '../../core/index.ts';
import type { AuditReport } from './json.ts';

export interface Baseline {
  readonly fingerprints: ReadonlySet<string>;
  readonly pins: ReadonlyMap<string, string>;
}

/** Fingerprints and hashes in a saved JSON report. */
export function parseBaseline(text: string, name: string): Baseline {
  const refuse = (what: string): IntramurError =>
    new IntramurError('CONFIG_INVALID', `${name}: ${what}`, { hint: 'save one with --format json --out FILE' });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw refuse('not a JSON report');
  }
  const findings = listAt(value, 'findings');
  if (findings === undefined) throw refuse('not an audit report');
  const pins = (listAt(value, 'pins') ?? []).flatMap((pin) => {
    const [file, sha256] = [textAt(pin, 'file'), textAt(pin, 'sha256')];
    return file === undefined || sha256 === undefined ? [] : [[file, sha256] as const];
  });
  return { fingerprints: new Set(findings.flatMap((finding) => textAt(finding, 'fingerprint') ?? [])), pins: new Map(pins) };
}

function at(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined;
}

function listAt(value: unknown, key: string): readonly unknown[] | undefined {
  const list = at(value, key);
  return Array.isArray(list) ? list : undefined;
}

function textAt(value: unknown, key: string): string | undefined {
  const text = at(value, key);
  return typeof text === 'string' ? text : undefined;
}

export function withoutKnown(report: AuditReport, { fingerprints }: Baseline): AuditReport {
  return { ...report, findings: report.findings.filter(({ fingerprint }) => !fingerprints.has(fingerprint)) };
}
