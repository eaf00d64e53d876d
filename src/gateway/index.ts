// The door of the gateway: model calls to targets that policy allows, keys of callers, credentials of users.
export { type Admission, type Admitted, createAdmission } from './admission.ts';
export { usedBy } from './budget.ts';
export type { Allowance, CallLimits, Mediated } from './call-input.ts';
export { type ClientServerDeps, createClientServer } from './client-server.ts';
export { type ClientDeps, handleClient } from './clients.ts';
export type { DirectInput } from './direct.ts';
export { type AskAnswer, createGateway, type Gateway, type GatewayOptions } from './gateway.ts';
export { endToEnd } from './headers.ts';
export { keyFileIn, readKeys, writeKeys } from './key-file.ts';
export { type Caller, createKeyring, hashOf, type Keyring, type KeyringOptions } from './keyring.ts';
export { createScrubber } from './scrub.ts';
export { createVault, type Destination, type Secret, type Vault } from './vault.ts';
