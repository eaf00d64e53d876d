// The door of the audit: which agents are here, what may they really do, and who said so. Passive: it reads, and nothing else.

export { type Answers, ask, parseQuestions } from './ask.ts';
export { type Audit, type AuditOptions, audit, conclude, type FoundAgent, gather, installed, type Progress } from './audit.ts';
export { catalogue } from './catalogue/index.ts';
export { type BundleSignature, bundleSignatures } from './catalogue/signatures.ts';
export type { Drifted, Facts } from './facts.ts';
export { type Fix, fixesFor } from './fix.ts';
export type { GitPlace } from './git.ts';
export type { Doc } from './load.ts';
export { managedAgents, managedFor } from './managed.ts';
export { isDirectoryInside } from './places.ts';
export { probePlans } from './probe.ts';
export type { Probed, ProbePlan, ProbeResult, Unprobed } from './probe-result.ts';
export { display } from './read/display.ts';
export { parseBaseline, withoutKnown } from './report/baseline.ts';
export { cyclonedxReport } from './report/cyclonedx.ts';
export { htmlReport } from './report/html.ts';
export { type AuditReport, jsonReport } from './report/json.ts';
export { sarifReport } from './report/sarif.ts';
export { textReport } from './report/text.ts';
export { type RepositoryFile, repositoryFiles } from './repository.ts';
export { type Severity, severities, severityRank } from './rules/rule.ts';
