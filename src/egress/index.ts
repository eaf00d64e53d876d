// The door of egress: the sandbox's only way out, as the launcher sees it.
export { type Authority, type AuthoritySecret, createAuthority, makeAuthority } from './authority.ts';
export { createEgress, type Egress, type EgressOptions } from './egress.ts';
export { type GpgAgentDeps, serveGpgAgent } from './gpg-agent/filter.ts';
export { defaultLimits, type Limits } from './limits.ts';
export type { Role } from './listener.ts';
export type { Connect } from './raw.ts';
export type { Attempt } from './report.ts';
export { type SshAgentDeps, serveSshAgent } from './ssh-agent/filter.ts';
export { trustEnv } from './trust-env.ts';
