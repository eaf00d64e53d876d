// The door of the sandbox: what a contained program is started with, and what can be said of it.
export { type Diagnosis, doctor, type Layer } from './doctor.ts';
export { trustPaths } from './inside-etc.ts';
export { launch } from './launch.ts';
export type { Exit, Launched, LaunchPlan, ListenHandle, Listeners, Listening, Role } from './plan.ts';
export { type ResolvedProgram, resolveProgram } from './program.ts';
