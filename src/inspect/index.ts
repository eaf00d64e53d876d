// The door of inspection: what is in these bytes. Other rooms import only this file.

export { isBinary } from './decode/readable.ts';
export { type Detector, detector } from './detector.ts';
export { detectors } from './detectors/registry.ts';
export { secretsOfEnvFile } from './env-file.ts';
export { type DataStore, dataStore } from './exact/data-store.ts';
export type { DataIndex, DataTableEntry } from './exact/data-table.ts';
export { type HiddenText, hiddenTexts } from './hidden-text.ts';
export { createInspector, type InspectContext, type Inspector, type InspectorOptions } from './inspector.ts';
export type { KnownSecret } from './known-secrets.ts';
export { defaultLimits, type Limits } from './limits.ts';
export { refusalOf } from './look.ts';
export { type Redacted, redact } from './redact.ts';
export {
  createSecretPlaceholders,
  openPlaceholderAt,
  type SecretPlaceholders,
  secretPlaceholder,
  secretPlaceholderPattern,
} from './secret-placeholder.ts';
export { loadBackground } from './source/background-data.ts';
export type { FingerprintIndex, SourceDocument } from './source/index-file.ts';
export { type BuildOptions, type FingerprintStore, fingerprintStore, type RepositoryEntry } from './source/store.ts';
export { createWorkers, type Workers } from './workers.ts';
