// The door of attest: an agent in varied surroundings, and what of its requests follows them.
export { attest } from './attest.ts';
export type { Attestation, AttestOptions } from './bench.ts';
export { type AttestationDiff, compareAttestations } from './compare.ts';
export { type Assignment, clockAheadMs, type Factor, factors, type Level, levelOf, levels, usualFactors, variedIn } from './factors.ts';
export type { Disclosure, Quote } from './matrix.ts';
export type { ObservedHello, ObservedRequest, RunRecord } from './record.ts';
export { type Hint, shippedHints } from './shipped.ts';
export type { SideChannel } from './side-channel.ts';
export type { Channel, Covert } from './sign.ts';
