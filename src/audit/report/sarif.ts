// SARIF 2.1.0 (OASIS), in the form that code-scanning tools take: relative URIs, partial fingerprints that do not move with lines.
import { product, version } from '../../core/index.ts';
import { rules } from '../rules/registry.ts';
import type { Severity } from '../rules/rule.ts';
import type { AuditReport } from './json.ts';

const levels: Readonly<Record<Severity, 'error' | 'warning' | 'note'>> = {
  critical: 'error',
  high: 'error',
  medium: 'warning',
  low: 'note',
  info: 'note',
};
/** GitHub and others rank by this number. */
const scores: Readonly<Record<Severity, string>> = { critical: '9.5', high: '8.0', medium: '5.5', low: '3.0', info: '0.0' };

export function sarifReport(report: AuditReport, base: string): unknown {
  const used = rules.filter(({ id }) => report.findings.some((finding) => finding.id === id));
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: product.title,
            semanticVersion: version,
            rules: used.map((rule) => ({
              id: rule.id,
              name: rule.id.replace('-', ''),
              shortDescription: { text: rule.summary },
              fullDescription: { text: rule.summary },
              help: { text: rule.remedy, markdown: `${rule.remedy}\n\nOWASP: ${rule.owasp.join(', ') || 'none'}` },
              defaultConfiguration: { level: levels[rule.severity] },
              properties: { tags: ['security', ...rule.owasp], 'security-severity': scores[rule.severity], precision: 'high' },
            })),
          },
        },
        originalUriBaseIds: { ROOT: { uri: fileUri(base.endsWith('/') ? base : `${base}/`) } },
        columnKind: 'utf16CodeUnits',
        results: report.findings.map((finding) => ({
          ruleId: finding.id,
          ruleIndex: used.findIndex(({ id }) => id === finding.id),
          level: levels[finding.severity],
          message: { text: `${finding.agent === null ? '' : `${finding.agent}: `}${finding.message}. ${finding.remedy}` },
          // Tools drop a result without a place.
          locations: [
            {
              physicalLocation: {
                artifactLocation: { uri: relative(finding.file ?? base, base), uriBaseId: 'ROOT' },
                region: { startLine: Math.max(1, finding.line ?? 1) },
              },
            },
          ],
          partialFingerprints: { 'intramurFinding/v1': finding.fingerprint },
          properties: {
            severity: finding.severity,
            confidence: finding.confidence,
            'security-severity': scores[finding.severity],
            owasp: finding.owasp,
          },
        })),
      },
    ],
  };
}

function fileUri(file: string): string {
  return `file://${file.split('/').map(encodeURIComponent).join('/')}`;
}

function relative(file: string, base: string): string {
  const prefix = base.endsWith('/') ? base : `${base}/`;
  const rest = file === base ? '.' : file.startsWith(prefix) ? file.slice(prefix.length) : file.replace(/^\/+/, '');
  return rest.split('/').map(encodeURIComponent).join('/');
}
