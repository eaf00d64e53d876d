import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Decision, Request } from '../core/index.ts';
import { type Bundle, makeBundle } from './bundle.ts';
import { decide } from './decide.ts';
import { createEngine, wasmEvaluator } from './engine.ts';
import { type Answer, type Cedar, createWasmEvaluator, loadCedar } from './evaluate.ts';
import { loadPolicies, type PolicyEngine } from './index.ts';
import { modelQuestionOf, questionOf } from './question.ts';
import { connection, facts, httpRequest, modelCall, principal, target } from './testdata/request.ts';

const packsDir = path.join(import.meta.dirname, '..', 'packs');
const failed: Decision = {
  effect: 'deny',
  reason: { code: 'POLICY_EVALUATION', text: 'a policy failed to evaluate (POLICY_EVALUATION)' },
  policies: [],
};
const ask: Request = { principal, act: modelCall(target('far', 'public'), target('near', 'onprem'), target('near2', 'onprem')) };

let cedar: Cedar;
let engine: PolicyEngine;
let none: Bundle;
beforeAll(async () => {
  cedar = await loadCedar();
  none = await makeBundle([]);
  engine = await loadPolicies({ packs: ['baseline', 'perimeter', 'research-production'], packsDir, dirs: [] });
});

/** A bundle that no validation has seen, as if somebody had found a way past it. */
function unvalidated(texts: Readonly<Record<string, string>>): Bundle {
  const policies = Object.entries(texts).map(([id, text]) => {
    const parsed = cedar.policyToJson(text);
    if (parsed.type === 'failure') throw new Error(parsed.errors[0]?.message);
    return [id, { id, text, json: parsed.json, file: 'x.cedar', line: 1 }] as const;
  });
  return { ...none, digest: crypto.randomUUID(), policies: new Map(policies) };
}

describe('what fails is a refusal', () => {
  const permit = 'permit(principal, action, resource);';
  it.each<[string, Record<string, string>]>([
    ['a forbid that errors on an attribute', { permit, broken: 'forbid(principal, action, resource) when { context.nope == 1 };' }],
    ['a forbid that errors on a type', { permit, broken: 'forbid(principal, action, resource) when { context.dataRank like "x" };' }],
    [
      'a forbid about an entity that nobody passes',
      { permit, broken: 'forbid(principal, action, resource) when { Intramur::Agent::"other".vetted };' },
    ],
    [
      'a forbid that errors in one candidate only',
      { permit, broken: 'forbid(principal, action, resource) when { resource.perimeterRank == 1 && context.nope };' },
    ],
    ['a permit that errors beside one that applies', { permit, broken: 'permit(principal, action, resource) when { context.nope == 1 };' }],
    ['a condition that is no boolean', { permit, broken: 'forbid(principal, action, resource) when { context.dataRank };' }],
  ])('%s', async (_name, texts) => {
    const bundle = unvalidated(texts);
    const broken = await createEngine(bundle, []);
    expect(broken.evaluator).toBe('compiled');
    expect(broken.decide(ask, facts())).toEqual(failed);
    expect(decide(ask, facts(), wasmEvaluator(cedar, bundle), () => undefined)).toEqual(failed);
    expect((await broken.explain(ask, facts())).decision).toEqual(failed);
  });

  it.each<[string, () => Answer]>([
    [
      'an evaluator that throws',
      () => {
        throw new Error('payload text that must not be shown');
      },
    ],
    ['an allow that carries an error', () => ({ decision: 'allow', determining: ['permit'], errors: ['forbid'] })],
  ])('%s', (_name, evaluate) => {
    expect(decide(ask, facts(), evaluate, () => undefined)).toEqual(failed);
  });

  it('policies that do not parse', () => {
    const evaluate = createWasmEvaluator(cedar, 'does-not-parse', { a: 'permit(' });
    expect(decide(ask, facts(), evaluate, () => undefined)).toEqual(failed);
  });

  it('a clock that is broken', () => {
    const broken = facts({ now: new Date(Number.NaN) });
    expect(decide(ask, broken, wasmEvaluator(cedar, engine.bundle), () => undefined)).toEqual(failed);
    expect(engine.decide(ask, broken)).toEqual(failed);
  });

  it.each<[string, object, object]>([
    ['a class of data', {}, { classification: 'harmless' }],
    ['a label', {}, { labels: ['harmless'] }],
    ['a purpose', { purpose: 'harmless' }, {}],
    ['a vetting', { vetting: 'harmless' }, {}],
  ])('%s that is no word of ours', (_name, who, found) => {
    const request: Request = { principal: { ...principal, ...who }, act: ask.act };
    expect(engine.decide(request, { ...facts(), ...found })).toEqual(failed);
  });

  it('an action that the schema does not know', () => {
    const question = { ...questionOf({ principal, act: httpRequest() }, facts()), action: 'http.request.unheard-of' };
    const deny: Answer = { decision: 'deny', determining: [], errors: ['the question is not valid'] };
    expect(wasmEvaluator(cedar, engine.bundle)(question)).toEqual(deny);
  });

  it('no policy at all', async () => {
    const empty = await createEngine(none, []);
    expect(empty.decide(ask, facts())).toMatchObject({ effect: 'deny', reason: { code: 'POLICY' }, policies: [] });
    expect(empty.decide({ principal, act: httpRequest({ isGranted: true }) }, facts())).toMatchObject({ effect: 'deny' });
  });
});

describe('decide', () => {
  it('allows the targets that the data may reach, inside first, in the order of the map', () => {
    expect(engine.decide(ask, facts())).toEqual({
      effect: 'allow',
      route: { kind: 'targets', targets: [target('near', 'onprem'), target('near2', 'onprem'), target('far', 'public')] },
      policies: ['baseline/model'],
    });
    expect(engine.decide(ask, facts({ classification: 'restricted' }))).toMatchObject({
      route: { targets: [{ provider: 'near' }, { provider: 'near2' }] },
    });
  });

  it('names policy and reason of a refusal', () => {
    expect(engine.decide({ principal, act: modelCall(target('far', 'public')) }, facts({ labels: ['secret'] }))).toEqual({
      effect: 'deny',
      reason: {
        code: 'POLICY',
        text: 'the request holds a secret, which may go to an onprem model only (policy baseline/secret-to-model)',
      },
      policies: ['baseline/secret-to-model', 'research-production/research-content'],
    });
  });

  it('goes nowhere when nothing is configured for a model', () => {
    expect(engine.decide({ principal, act: modelCall() }, facts())).toEqual({
      effect: 'deny',
      reason: { code: 'POLICY', text: 'no provider is configured for the model "claude" (default deny)' },
      policies: [],
    });
  });

  it('keeps hostile text out of its own sentence', () => {
    const decision = engine.decide({ principal, act: connection({ host: 'a\u001b[2J\nb' }) }, facts());
    expect(decision).toMatchObject({ reason: { text: 'no policy permits traffic to a?[2J?b:22 (default deny)' } });
  });

  it.each<[string, Partial<ReturnType<typeof connection>>, 'allow' | 'deny']>([
    ['granted', { isGranted: true }, 'allow'],
    ['not granted', {}, 'deny'],
    ['a name full of quotes', { host: '"};permit(principal,action,resource);' }, 'deny'],
    ['half a surrogate pair', { host: '\ud800', isGranted: true }, 'allow'],
    ['an address', { host: '203.0.113.7' }, 'deny'],
    ['an address in other notation', { host: '0xa9fea9fe', isGranted: true }, 'deny'],
  ])('%s, by both evaluators', async (_name, more, effect) => {
    const request = { principal, act: connection(more) };
    expect(engine.decide(request, facts()).effect).toBe(effect);
    expect((await engine.explain(request, facts())).decision).toEqual(engine.decide(request, facts()));
  });

  it("lets a company permit one host for one class, and no pack's forbid is lost by it", async () => {
    const file = (text: string) => ({ path: 'own.cedar', pack: 'own', bytes: Buffer.from(text) });
    const own = file(
      '@id("mirror") permit(principal, action in Intramur::Action::"egress.catalogue", resource in Intramur::Zone::"acme.example");',
    );
    const mine = await createEngine(await makeBundle([own, ...packFiles()]), []);
    const get = (host: string, more = {}) => mine.decide({ principal, act: httpRequest({ class: 'catalogue', host, ...more }) }, facts());
    expect(get('models.acme.example')).toEqual({ effect: 'allow', route: { kind: 'direct' }, policies: ['own/mirror'] });
    expect(get('acme.example.evil.example').effect).toBe('deny');
    expect(get('notacme.example').effect).toBe('deny');
    expect(get('models.acme.example', { class: 'telemetry' }).effect).toBe('deny');
    expect(
      mine.decide(
        { principal: { ...principal, vetting: 'banned' }, act: httpRequest({ class: 'catalogue', host: 'acme.example' }) },
        facts(),
      ),
    ).toMatchObject({
      effect: 'deny',
      policies: ['baseline/banned-tool'],
    });
  });

  it('falls back to cedar-wasm for what the compiled form does not know', async () => {
    const file = {
      path: 'own.cedar',
      pack: 'own',
      bytes: Buffer.from('@id("sum") permit(principal, action, resource) when { context.dataRank + 1 == 2 };'),
    };
    const slow = await createEngine(await makeBundle([file]), []);
    expect([slow.evaluator, slow.decide(ask, facts()).effect, slow.decide(ask, facts({ classification: 'restricted' })).effect]).toEqual([
      'wasm',
      'allow',
      'deny',
    ]);
  });
});

describe('explain', () => {
  it('names determining policies with their annotations and what would turn the decision', async () => {
    const { decision, rulings, changes } = await engine.explain(
      { principal, act: modelCall(target('far', 'public')) },
      facts({ classification: 'restricted' }),
    );
    expect(decision.effect).toBe('deny');
    expect(rulings).toEqual([
      {
        target: 'far/model',
        decision: 'deny',
        errors: [],
        policies: [
          {
            id: 'perimeter/data-class',
            effect: 'forbid',
            reason: 'restricted data may not go to a public model',
            annotations: { id: 'data-class', reason: '{classification} data may not go to a {perimeter} model' },
            file: path.join(packsDir, 'perimeter', 'perimeter.cedar'),
            line: expect.any(Number),
          },
          expect.objectContaining({ id: 'research-production/research-class' }),
        ],
      },
    ]);
    expect(changes).toEqual(['with internal data', 'with public data', 'with an onprem target']);
  });

  it('says what would turn an allow', async () => {
    const who = { ...principal, vetting: 'vetted', purpose: 'production' } as const;
    const { changes } = await engine.explain({ principal: who, act: modelCall(target('bedrock', 'vpc')) }, facts());
    expect(changes).toEqual(['with restricted data', 'with an unvetted tool']);
  });

  it('says that a grant would open a host', async () => {
    expect((await engine.explain({ principal, act: httpRequest() }, facts())).changes).toEqual(['with a grant for git.acme.example:443']);
  });
});

it('a question holds the slice of its own request and nothing else', () => {
  const types = (entities: readonly { uid: { type: string; id: string } }[]) =>
    entities.map(({ uid }) => `${uid.type.replace('Intramur::', '')} ${uid.id}`).toSorted();
  expect(types(modelQuestionOf({ ...principal, team: 'core' }, modelCall(), target('near', 'onprem'), facts()).entities)).toEqual([
    'Agent session',
    'AgentTool claude-code',
    'Model near/model',
    'Provider near',
    'Team core',
    'User alice',
  ]);
  expect(types(questionOf({ principal, act: httpRequest() }, facts()).entities)).toEqual([
    'Agent session',
    'AgentTool claude-code',
    'Host git.acme.example',
    'User alice',
    'Zone acme.example',
    'Zone example',
    'Zone git.acme.example',
  ]);
});

function packFiles() {
  return [...engine.bundle.policies.values()].map(({ id, text }) => ({
    path: `${id}.cedar`,
    pack: id.split('/')[0] ?? '',
    bytes: Buffer.from(text),
  }));
}
