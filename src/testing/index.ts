// The test kit, exported as `intramur/testing`: a rehearsal model that speaks every dialect, and a sink for what should not leave.
export { type AgentRecipe, agentRecipes, claudeCode2x1x197 } from './agent-recipes.ts';
export { type FakeSink, type FakeSinkOptions, startFakeSink } from './fake-sink.ts';
export { createFakeTokenEndpoint, type FakeTokenEndpoint, type RehearsedTokens, type TokenEndpointAnswer } from './fake-token-endpoint.ts';
export { type FakeUpstream, type FakeUpstreamOptions, type Recorded, startFakeUpstream } from './fake-upstream.ts';
export { type Rehearsed, rehearse } from './rehearse.ts';
export { rehearsalModel } from './reply.ts';
export type { Act, Fault, ModelRequest, OfferedTool, Script, Turn } from './script.ts';
