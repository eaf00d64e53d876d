// The door of core: the words of the field as types. Every other room may import it; it imports nothing.
export {
  assertNever,
  type Decision,
  deny,
  denyFor,
  failClosed,
  type OwnRule,
  ownRules,
  type PolicyId,
  type Reason,
  type Route,
} from './decision.ts';
export type { Entry, EntryAction, EntryBody } from './entry.ts';
export { type Code, codeOf, faults, IntramurError } from './error.ts';
export { type ExchangeHead, type ExchangeReply, headerOf } from './exchange.ts';
export { fileReasons } from './file-reason.ts';
export { canonicalHost } from './host.ts';
export type { KeyPath, LoginFlow, LoginToken } from './login.ts';
export { editDistance, nearest } from './nearest.ts';
export { type OtlpValue, otlpAttributes, otlpTime } from './otlp.ts';
export { packageRoot } from './package-root.ts';
export { type Places, placesFrom } from './place.ts';
export { product } from './product.ts';
export type { FindingKind, InspectFinding, Report, Tier } from './report.ts';
export type {
  Act,
  Body,
  HttpRequest,
  LlmInvoke,
  NetConnect,
  Outgoing,
  Place,
  Principal,
  ProcessExec,
  Request,
  SecretUse,
  SessionId,
  Target,
} from './request.ts';
export type { TlsFingerprint } from './tls-fingerprint.ts';
export { version } from './version.ts';
export {
  type Classification,
  classificationRank,
  classifications,
  type Dialect,
  dialects,
  type EgressClass,
  egressClasses,
  highestClassification,
  type Label,
  labels,
  type Perimeter,
  type Purpose,
  perimeterRank,
  perimeters,
  purposes,
  type Vetting,
  vettings,
} from './words.ts';
