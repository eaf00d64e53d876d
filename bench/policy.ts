// What one decision costs in CPU: the compiled policies against cedar-wasm (stateful, preparsed), which is the authority and what the
// compiled form is held to. Ratios are what to compare; the machine is shared.
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { HttpRequest, LlmInvoke, Principal, Target } from '../src/core/index.ts';
import { makeBundle } from '../src/policy/bundle.ts';
import { compileBundle, wasmEvaluator } from '../src/policy/engine.ts';
import { type Evaluate, loadCedar } from '../src/policy/evaluate.ts';
import { loadPolicies } from '../src/policy/index.ts';
import { type Facts, modelQuestionOf, questionOf } from '../src/policy/question.ts';

export interface PolicyBench {
  readonly policies: number;
  readonly act: 'llm.invoke' | 'http.request';
  readonly wasmMicroseconds: number;
  readonly compiledMicroseconds: number;
  /** CPU of the compiled form over the CPU of cedar-wasm. */
  readonly ratio: number;
}

const packs = ['baseline', 'perimeter', 'research-production'];
const packsDir = path.join(import.meta.dirname, '..', 'src', 'packs');

const principal: Principal = {
  session: '3f0c9c0e-5f0e-4a57-9f4e-8a9c2b1d7e60',
  user: 'alice',
  team: 'core',
  agent: 'claude-code',
  vetting: 'vetted',
  purpose: 'research',
  classification: 'internal',
  via: 'sandbox',
};
const target: Target = { provider: 'coder', model: 'qwen3-coder', dialect: 'openai-chat', perimeter: 'onprem', vetted: true };
const call: LlmInvoke = {
  action: 'llm.invoke',
  class: 'model',
  host: 'api.vendor.example',
  port: 443,
  dialect: 'anthropic-messages',
  method: 'POST',
  path: '/v1/messages',
  requestedModel: 'some-model-4',
  targets: [target],
};
const request: HttpRequest = {
  action: 'http.request',
  class: 'other',
  host: 'git.acme.example',
  port: 443,
  scheme: 'https',
  method: 'GET',
  path: '/core/api',
  isDirect: false,
  isGranted: true,
};
const facts: Facts = { labels: ['source'], classification: 'internal', now: new Date() };

/** Both include building the question: that is what a decision costs. */
const acts = {
  'llm.invoke': (evaluate: Evaluate) => evaluate(modelQuestionOf(principal, call, target, facts)),
  'http.request': (evaluate: Evaluate) => evaluate(questionOf({ principal, act: request }, facts)),
} as const;

/** The packs, and beside them `more` rules of a company's own. */
async function benchPolicies(more: number): Promise<PolicyBench[]> {
  const cedar = await loadCedar();
  const { bundle: own } = await loadPolicies({ packs, packsDir, dirs: [] });
  const texts = [
    ...[...own.policies.values()].map(({ text }) => text),
    ...Array.from(
      { length: more },
      (_, i) =>
        `@id("team-${i}") forbid(principal in Intramur::Team::"team-${i}", action in Intramur::Action::"net", resource in Intramur::Zone::"zone-${i}.example") unless { resource.isGranted };`,
    ),
  ];
  const bundle = await makeBundle([{ path: 'bench.cedar', pack: 'bench', bytes: Buffer.from(texts.join('\n')) }]);
  const compiled = compileBundle(bundle);
  if (!compiled) throw new Error('the policies do not compile');
  const wasm = wasmEvaluator(cedar, bundle);
  return (['llm.invoke', 'http.request'] as const).map((act) => {
    const wasmMicroseconds = cpuOf(() => acts[act](wasm), 300);
    const compiledMicroseconds = cpuOf(() => acts[act](compiled), 20_000);
    return {
      policies: bundle.policies.size,
      act,
      wasmMicroseconds,
      compiledMicroseconds,
      ratio: round(compiledMicroseconds / wasmMicroseconds, 4),
    };
  });
}

function cpuOf(decide: () => unknown, times: number): number {
  for (let i = 0; i < times / 10; i += 1) decide();
  const before = process.cpuUsage();
  for (let i = 0; i < times; i += 1) decide();
  const { user, system } = process.cpuUsage(before);
  return round((user + system) / times, 2);
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

export async function run(): Promise<PolicyBench[]> {
  return [...(await benchPolicies(0)), ...(await benchPolicies(100)), ...(await benchPolicies(1000))];
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  console.table(
    (await run()).map(({ policies, act, wasmMicroseconds, compiledMicroseconds, ratio }) => ({
      policies,
      act,
      'wasm CPU us': wasmMicroseconds,
      'compiled CPU us': compiledMicroseconds,
      'CPU ratio': ratio,
    })),
  );
}
