// The door of the agents: our descriptions of the coding agents, and the questions asked over all of them.
export type { Adapter, ContainInput, Containment, Credential, Endpoint, McpPlace, SettingsFile, UserView } from './adapter.ts';
export { withoutIdentity } from './login.ts';
export { agentOf } from './names.ts';
export { adapterFor, adapters, endpointClass, knownForModels, type LoginPlace, loginAt } from './registry.ts';
export { type SeenTool, toolBehind } from './user-agent.ts';
