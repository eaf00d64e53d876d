// The door of the daemon. The client is light and comes first; what starts a daemon is loaded when a daemon is started.
export { createClient, type DaemonClient } from './client.ts';
export { isOutOfReach, isSilent } from './fault.ts';
export { modelCall } from './model-call.ts';
export type { Grant, NextStep } from './next-steps.ts';
export type { Proposal } from './proposals.ts';
export type { AttestRequest, CloseRequest, Confinement, DaemonStatus, OpenReply, StateReply, StateRequest, Summary } from './protocol.ts';
export type { RunningDaemon, StartOptions } from './start.ts';

export async function startDaemon(options: import('./start.ts').StartOptions): Promise<import('./start.ts').RunningDaemon> {
  const start = await import('./start.ts');
  return await start.startDaemon(options);
}
