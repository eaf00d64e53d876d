// The door of the monitor: one entry for every act of an agent.
export type { Facts } from './facts.ts';
export { type MonitorDeps, mediate, type Recorded } from './mediate.ts';
export type { FileClasses } from './opened.ts';
export { recordRefusal } from './record-refusal.ts';
export type { Replaced } from './replace-secrets.ts';
export { createTaint, type Seen, type Taint } from './taint.ts';
