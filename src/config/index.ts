// The door of configuration: finds, checks and merges `intramur.yaml`, and answers what follows from it alone.
export { isInside } from './address.ts';
export type { CollectorConfig, Config, HostGrant, KeyConfig, ModelRoute, ProviderConfig, ResolveRule } from './config.ts';
export { defaultConfig } from './defaults.ts';
export { configFilesFor, type LoadOptions, loadConfig, workspaceFileCheck } from './load.ts';
export { maxConfigBytes } from './located.ts';
export {
  closedHosts,
  isVersionRange,
  isWhole,
  type Judgement,
  judge,
  needsHash,
  type Register,
  type RunningTool,
  readRegister,
  registerFileIn,
  type Statement,
  statementFrom,
  type Verb,
  verbs,
  wholeBanOf,
  withStatement,
  writeRegister,
} from './register.ts';
export { classificationOf, parseRemote, type Repository, readRepository, remoteUrls } from './repository.ts';
export { targetsFor } from './route.ts';
export { configSchema } from './schema.ts';
export { vettingOf } from './vetting.ts';
export { matchGlob, matchWildcard } from './wildcard.ts';
