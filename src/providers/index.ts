// The door of providers: who serves models, and by what they are recognised.
export { isModelHost, modelHost } from './model-host.ts';
export { leavesThroughOllama } from './ollama.ts';
export { serviceAt, services } from './registry.ts';
export type { ModelEndpoint, Outgoing, Service } from './service.ts';
