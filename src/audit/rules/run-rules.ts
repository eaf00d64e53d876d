// Runs every rule over the facts and turns hits into findings: severity lowered where the place is a sample, confidence from what the
// catalogue knows, a fingerprint that does not move with lines, each problem once, the worst first.
import { createHash } from 'node:crypto';
import type { Facts } from '../facts.ts';
import { display } from '../read/display.ts';
import { rules } from './registry.ts';
import { type FindingConfidence, type Hit, type Rule, type Severity, severityRank } from './rule.ts';

export interface Finding {
  readonly id: string;
  readonly severity: Severity;
  readonly confidence: FindingConfidence;
  readonly agent: string | null;
  readonly message: string;
  readonly remedy: string;
  readonly file: string | null;
  readonly line: number | null;
  readonly owasp: readonly string[];
  readonly fingerprint: string;
  readonly workspace: string | null;
}

const confidences = { verified: 'high', docs: 'medium', guess: 'low' } as const;

export function runRules(facts: Facts, selected: readonly Rule[] = rules): readonly Finding[] {
  const findings = new Map<string, Finding>();
  for (const rule of selected) {
    for (const hit of rule.check(facts)) {
      const finding = findingOf(rule, hit);
      const key = [finding.id, finding.file, finding.line, finding.file === null ? finding.agent : '', finding.message].join('\0');
      if (!findings.has(key)) findings.set(key, finding);
    }
  }
  return [...findings.values()].sort(
    (a, b) =>
      severityRank(b.severity) - severityRank(a.severity) ||
      compare(a.id, b.id) ||
      compare(a.file ?? '', b.file ?? '') ||
      (a.line ?? 0) - (b.line ?? 0),
  );
}

function findingOf(rule: Rule, hit: Hit): Finding {
  const file = hit.file ?? hit.doc?.path;
  const isSample = hit.isSample ?? hit.doc?.workspace?.isSample ?? false;
  const message = display(hit.message);
  const agent = hit.agent ?? hit.doc?.agent.id ?? null;
  return {
    id: rule.id,
    severity: isSample ? 'info' : (hit.severity ?? rule.severity),
    confidence: isSample ? 'low' : (hit.confidence ?? confidences[hit.doc?.agent.confidence ?? 'verified']),
    agent,
    message,
    remedy: hit.remedy ?? rule.remedy,
    file: file === undefined ? null : display(file),
    line: file === undefined ? null : (hit.line ?? null),
    owasp: rule.owasp,
    fingerprint: createHash('sha256')
      .update([rule.id, file ?? '', agent ?? '', message].join('\0'))
      .digest('hex')
      .slice(0, 32),
    workspace: hit.doc?.workspace === undefined ? null : display(hit.doc.workspace.path),
  };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
