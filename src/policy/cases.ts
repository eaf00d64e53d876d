// A pack's cases: requests with the decision and the determining policies that its author expects. They run under `npm test`
// and by `intramur policy test`, and are the proof that a pack says what it means.
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import type { Decision, Target } from '../core/index.ts';
import { readDocument } from './document.ts';
import { loadPolicies } from './engine.ts';
import { Reader, readRequest } from './request-document.ts';

export interface CaseResult {
  readonly file: string;
  readonly name: string;
  /** What differed, one line each; empty when the case passed. */
  readonly differences: readonly string[];
}

interface Expectation {
  readonly decision: 'allow' | 'deny';
  readonly policies: readonly string[];
  /** Allowed targets in order. */
  readonly targets: readonly string[] | undefined;
  /** Part of the reason. */
  readonly reason: string | undefined;
}

/**
 * Runs `DIR/cases/*.yaml`. A case file names the packs that it is about; a directory that is not one of them is loaded beside.
 *
 * @throws IntramurError POLICY_INVALID when a file does not parse: a broken case is not a passed one
 */
export async function runCases(directory: string, packsDir: string): Promise<readonly CaseResult[]> {
  const cases = path.join(directory, 'cases');
  const files = (await readdir(cases).catch(() => [])).filter((name) => /\.(ya?ml|json)$/.test(name)).toSorted();
  const results: CaseResult[] = [];
  for (const name of files) results.push(...(await runFile(path.join(cases, name), directory, packsDir)));
  return results;
}

async function runFile(file: string, directory: string, packsDir: string): Promise<readonly CaseResult[]> {
  const document = new Reader(await readDocument(file), file, ['packs', 'cases']);
  const packs = document.list('packs').map((pack) => (typeof pack === 'string' ? pack : document.fail('packs', 'must be a list of names')));
  const isOwnPack = path.resolve(path.dirname(directory)) === path.resolve(packsDir);
  if (isOwnPack && !packs.includes(path.basename(directory))) document.fail('packs', `must name ${path.basename(directory)}`);
  const engine = await loadPolicies({ packs, packsDir, dirs: isOwnPack ? [] : [directory] });
  const cases = document.list('cases');
  if (cases.length === 0) document.fail('cases', 'must not be empty');
  const names = new Set<string>();
  return cases.map((item, i): CaseResult => {
    const one = new Reader(item, `${file}: cases[${i}]`, ['name', 'principal', 'act', 'facts', 'expect']);
    const name = one.text('name');
    if (names.has(name)) one.fail('name', 'is used twice');
    names.add(name);
    const { request, facts } = readRequest(one);
    return { file, name, differences: differencesOf(engine.decide(request, facts), readExpectation(one)) };
  });
}

function readExpectation(one: Reader): Expectation {
  const expect = one.child('expect', ['decision', 'policies', 'targets', 'reason']);
  const list = (key: string) =>
    expect.list(key).map((item) => (typeof item === 'string' ? item : expect.fail(key, 'must be a list of text')));
  // A case without its determining policies would pass for the wrong reason.
  if (!expect.has('policies')) expect.fail('policies', 'is missing');
  return {
    decision: expect.word('decision', ['allow', 'deny']),
    policies: list('policies'),
    targets: expect.has('targets') ? list('targets') : undefined,
    reason: expect.has('reason') ? expect.text('reason') : undefined,
  };
}

function differencesOf(decision: Decision, expected: Expectation): string[] {
  const differences: string[] = [];
  const differ = (what: string, got: string, wanted: string) => {
    if (got !== wanted) differences.push(`${what} is ${got}, expected ${wanted}`);
  };
  differ('decision', decision.effect, expected.decision);
  differ('policies', list(decision.policies.toSorted()), list(expected.policies.toSorted()));
  const targets = decision.effect === 'allow' && decision.route.kind === 'targets' ? decision.route.targets.map(nameOf) : [];
  if (expected.targets) differ('targets', list(targets), list(expected.targets));
  const reason = decision.effect === 'deny' ? decision.reason.text : '';
  if (expected.reason !== undefined && !reason.includes(expected.reason))
    differ('reason', JSON.stringify(reason), `to hold ${JSON.stringify(expected.reason)}`);
  return differences;
}

function nameOf({ provider, model }: Target): string {
  return `${provider}/${model}`;
}

function list(items: readonly string[]): string {
  return `[${items.join(', ')}]`;
}
