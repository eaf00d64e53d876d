// The door of policy, the policy decision point: Cedar policies in, decisions out.
export { type CaseResult, runCases } from './cases.ts';
export { parseRequestDocument } from './document.ts';
export { loadPolicies, type PolicyEngine, type PolicyOptions } from './engine.ts';
export type { DeterminingPolicy, Explanation } from './explain.ts';
export type { Facts } from './question.ts';
export type { RequestDocument } from './request-document.ts';
