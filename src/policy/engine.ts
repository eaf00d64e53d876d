// Loads policies into an engine that decides. cedar-wasm validates what did not ship with the product and is the fallback; the compiled
// form serves the hot path.
import path from 'node:path';
import type { Decision, PolicyId, Request } from '../core/index.ts';
import { actionsOf } from './action-index.ts';
import { annotationNotes } from './annotations.ts';
import { type Bundle, makeBundle } from './bundle.ts';
import { compilePolicies } from './compile.ts';
import { decide } from './decide.ts';
import { type Cedar, createWasmEvaluator, type Evaluate, loadCedar } from './evaluate.ts';
import { type Explanation, explain } from './explain.ts';
import type { Facts } from './question.ts';
import { rechecked } from './recheck.ts';
import { isAsked } from './schema.ts';
import { packDirectory, readPolicyFiles } from './source.ts';

export interface PolicyOptions {
  /** Names of directories in `packsDir`. */
  readonly packs: readonly string[];
  readonly packsDir: string;
  /** The company's own policies; the name of the directory is the first part of their ids. */
  readonly dirs: readonly string[];
  /** Told once, when the compiled form is in force no longer: it differed from cedar-wasm, or that could not be asked. */
  onDistrust?(why: string): void;
}

export interface PolicyEngine {
  readonly digest: string;
  readonly packs: readonly string[];
  readonly bundle: Bundle;
  /** `compiled`; `wasm` when a policy uses what the compiled form does not know, or after a difference between the two. */
  readonly evaluator: 'compiled' | 'wasm';
  /** Policies that are only about acts which no enforcement point asks about yet: valid, and without effect. */
  readonly unasked: readonly PolicyId[];
  /** What policies say that nothing comes of, by their annotations. */
  readonly notes: readonly string[];
  /** True when a policy forbids some acts of this kind by name: an act that nobody would ask about otherwise must then be asked about. */
  narrows(action: string): boolean;
  /** True when a policy of the company's own permits some acts of this kind by name. */
  widens(action: string): boolean;
  decide(request: Request, facts: Facts): Decision;
  explain(request: Request, facts: Facts): Promise<Explanation>;
}

/** @throws IntramurError POLICY_INVALID; the message names file, line, column and the nearest valid word */
export async function loadPolicies({ packs, packsDir, dirs, onDistrust }: PolicyOptions): Promise<PolicyEngine> {
  const sources = [
    ...(await Promise.all(packs.map(async (pack) => ({ pack, directory: await packDirectory(packsDir, pack) })))),
    ...dirs.map((directory) => ({ pack: path.basename(path.resolve(directory)), directory })),
  ];
  const files = (await Promise.all(sources.map(({ pack, directory }) => readPolicyFiles(directory, pack)))).flat();
  return createEngine(await makeBundle(files), packs, onDistrust);
}

/** One decision of so many is checked against cedar-wasm: often enough to notice within minutes, at no cost that shows. */
const sampleEvery = 256;
const sampleRestMs = 250;
/** Loading it takes a tenth of a second, which the first exchanges of a daemon need not wait for. */
const recheckAfterMs = 1000;

export async function createEngine(
  bundle: Bundle,
  packs: readonly string[],
  onDistrust: (why: string) => void = () => {},
): Promise<PolicyEngine> {
  const compiled = compileBundle(bundle);
  const authority = async () => wasmEvaluator(await loadCedar(), bundle);
  const defer = (task: () => void) => void setTimeout(task, recheckAfterMs).unref();
  const checked = compiled && rechecked({ compiled, authority, every: sampleEvery, restMs: sampleRestMs, defer, onDistrust });
  const evaluate = checked?.evaluate ?? (await authority());
  const byName = [...bundle.policies.values()].filter(({ json }) => json.action.op !== 'All');
  const about = (those: typeof byName) => new Set(those.flatMap(({ json }) => actionsOf(bundle.actions, json.action)));
  const narrowed = about(byName.filter(({ json }) => json.effect === 'forbid'));
  const widened = about(byName.filter(({ id, json }) => json.effect === 'permit' && !packs.some((pack) => id.startsWith(`${pack}/`))));
  const reasonOf = (policy: PolicyId) => bundle.policies.get(policy)?.json.annotations?.['reason'];
  return {
    digest: bundle.digest,
    packs,
    bundle,
    get evaluator() {
      return checked?.isTrusted() ? 'compiled' : 'wasm';
    },
    unasked: [...bundle.policies.values()].filter(({ json }) => !actionsOf(bundle.actions, json.action).some(isAsked)).map(({ id }) => id),
    notes: [...bundle.policies.values()].flatMap(({ id, json }) => annotationNotes(json).map((note) => `${id}: ${note}`)),
    narrows: (action) => narrowed.has(action),
    widens: (action) => widened.has(action),
    decide: (request, facts) => decide(request, facts, evaluate, reasonOf),
    // What a person reads is the authority's own word.
    explain: async (request, facts) => explain(request, facts, await authority(), bundle),
  };
}

export function compileBundle(bundle: Bundle): Evaluate | undefined {
  return compilePolicies(new Map([...bundle.policies].map(([id, { json }]) => [id, json])), bundle.actions);
}

export function wasmEvaluator(cedar: Cedar, bundle: Bundle): Evaluate {
  const policies = Object.fromEntries([...bundle.policies].map(([id, { text }]) => [id, text]));
  return createWasmEvaluator(cedar, bundle.digest, policies);
}
