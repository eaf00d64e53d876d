// The door of the sandbox: what a contained program is started with, and what can be said of it.

export { installProfile, profilePlan } from './apparmor.ts';
export type { FileChanges } from './direct-changes.ts';
export { auditLayer, type Diagnosis, doctor, type Probe } from './doctor.ts';
export { hardLimit } from './hard-limit.ts';
export { trustPaths } from './inside-etc.ts';
export { launch } from './launch.ts';
export { applyChanges, type Outcome } from './overlay/apply.ts';
export type { Change, ChangeClass, ChangeKind } from './overlay/change.ts';
export { chooseLayer } from './overlay/choose.ts';
export { discardChanges, discardLayer } from './overlay/discard.ts';
export { type Layer, readLayer } from './overlay/manifest.ts';
export { removeOverlay } from './overlay/remove.ts';
export type { Exit, Launched, LaunchPlan, LimitsInForce, Listeners, ListenHandle, Listening, Role } from './plan.ts';
export { bubblewrap, type Prepared, prepare } from './prepare.ts';
export { type ResolvedProgram, resolveProgram } from './program.ts';
export { sensitiveReason } from './sensitive.ts';
export { surroundingsOf } from './surroundings.ts';
export { lackingLayer } from './unavailable.ts';
