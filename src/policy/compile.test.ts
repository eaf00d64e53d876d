import path from 'node:path';
import type { Expr, PolicyJson } from '@cedar-policy/cedar-wasm/nodejs';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { classifications, egressClasses, labels, perimeters, purposes, type Request, vettings } from '../core/index.ts';
import { actionsOf, actionTable } from './action-index.ts';
import { compilePolicies } from './compile.ts';
import { rulingsOn } from './decide.ts';
import { compileBundle, wasmEvaluator } from './engine.ts';
import { type Cedar, createWasmEvaluator, loadCedar } from './evaluate.ts';
import { loadPolicies } from './index.ts';
import type { Facts } from './question.ts';
import { namespace, schema } from './schema.ts';
import { connection, httpRequest, modelCall, principal, target } from './testdata/request.ts';

// cedar-wasm is the oracle: for any policy and any request the compiled form gives the same decision, the same determining
// policies and the same errors.

let cedar: Cedar;
beforeAll(async () => {
  cedar = await loadCedar();
});

const hosts = [
  'git.acme.example',
  'ACME.example.',
  'evil.example',
  '169.254.169.254',
  '::ffff:169.254.169.254',
  'fd00:ec2::254',
  '10.1.2.3',
  'metadata',
  'é.example',
  'a b',
];
const anyPlace = fc.record({
  class: fc.constantFrom(...egressClasses),
  host: fc.constantFrom(...hosts),
  port: fc.constantFrom(22, 443),
  isDirect: fc.boolean(),
  isGranted: fc.boolean(),
});
const anyTarget = fc
  .record({
    id: fc.constantFrom('coder', 'far'),
    perimeter: fc.constantFrom(...perimeters),
    vetted: fc.boolean(),
    model: fc.constantFrom('qwen3', 'gpt-oss:120b-cloud'),
  })
  .map(({ id, perimeter, ...more }) => target(id, perimeter, more));
const anyRequest: fc.Arbitrary<Request> = fc.record({
  principal: fc
    .record({
      vetting: fc.constantFrom(...vettings),
      purpose: fc.constantFrom(...purposes),
      via: fc.constantFrom('sandbox' as const, 'key' as const),
      agent: fc.constantFrom('claude-code', 'x', '"\\\u0000\ud800'),
      team: fc.constantFrom('core', 'other'),
      agentVersion: fc.option(fc.constant('2.1.198'), { nil: undefined }),
    })
    .map(({ agentVersion, ...more }) => ({ ...principal, ...more, ...(agentVersion === undefined ? {} : { agentVersion }) })),
  act: fc.oneof(
    fc.array(anyTarget, { minLength: 1, maxLength: 3 }).map((targets) => modelCall(...targets)),
    anyPlace.map((more) => httpRequest(more)),
    anyPlace.map((more) => connection(more)),
  ),
});
const anyFacts: fc.Arbitrary<Facts> = fc.record({
  labels: fc.subarray([...labels]),
  classification: fc.constantFrom(...classifications),
  now: fc.date({ min: new Date('2000-01-01'), max: new Date('2100-01-01'), noInvalidDate: true }),
});

it('decides as cedar-wasm does over the packs', async () => {
  const packsDir = path.join(import.meta.dirname, '..', 'packs');
  const { bundle } = await loadPolicies({ packs: ['baseline', 'perimeter', 'research-production'], packsDir, dirs: [] });
  const compiled = compileBundle(bundle);
  const wasm = wasmEvaluator(cedar, bundle);
  if (!compiled) throw new Error('the packs do not compile');
  fc.assert(
    fc.property(anyRequest, anyFacts, (request, facts) => {
      expect(rulingsOn(request, facts, compiled)).toEqual(rulingsOn(request, facts, wasm));
    }),
    { numRuns: 300 },
  );
});

const entity = (type: string, id: string): Expr => ({ Value: { __entity: { type: `Intramur::${type}`, id } } });
const leaf: fc.Arbitrary<Expr> = fc.oneof(
  fc.constantFrom<Expr>({ Var: 'principal' }, { Var: 'resource' }, { Var: 'context' }, { Var: 'action' }),
  fc.constantFrom<Expr>(
    { Value: true },
    { Value: false },
    { Value: 0 },
    { Value: 1 },
    { Value: 3 },
    { Value: 'qwen3' },
    { Value: '' },
    { Value: 'git.acme.example' },
  ),
  fc.constantFrom<Expr>(
    entity('Label', 'secret'),
    entity('Label', 'source'),
    entity('Purpose', 'production'),
    entity('Zone', 'example'),
    entity('Zone', 'acme.example'),
    entity('Team', 'core'),
    entity('Agent', 'session'),
    entity('Agent', 'absent'),
    entity('Action', 'egress.telemetry'),
    entity('Action', 'llm'),
  ),
  fc.constantFrom<Expr>(
    { ip: [{ Value: '10.0.0.0/8' }] },
    { ip: [{ Value: '169.254.169.254' }] },
    { ip: [{ Value: 'fd00::/8' }] },
    { datetime: [{ Value: '2050-01-01' }] },
    { datetime: [{ Value: '2050-01-01T12:00:00.123+0130' }] },
    { duration: [{ Value: '1d2h3m4s5ms' }] },
    { duration: [{ Value: '-90m' }] },
  ),
);
const attributes = [
  'purpose',
  'now',
  'labels',
  'dataRank',
  'perimeterRank',
  'perimeter',
  'vetted',
  'user',
  'name',
  'ip',
  'port',
  'isGranted',
  'method',
  'version',
  'nope',
  '__proto__',
  'constructor',
];
/** `bool` is mostly well typed, so that evaluation gets somewhere; `any` is whatever parses. */
const pair = (name: string, operand: fc.Arbitrary<Expr>) =>
  fc.tuple(operand, operand).map(([left, right]): Expr => ({ [name]: { left, right } }) as Expr);
const { bool: anyCondition } = fc.letrec<{ bool: Expr; any: Expr }>((tie) => {
  const [bool, any] = [tie('bool'), tie('any')];
  const attribute = fc.constantFrom(...attributes);
  const path = fc.record({ left: fc.constantFrom<Expr>({ Var: 'principal' }, { Var: 'resource' }, { Var: 'context' }), attr: attribute });
  const read = path.map((from): Expr => ({ '.': from }));
  const labels = fc.subarray(['secret', 'source', 'pii']).map((words): Expr => ({ Set: words.map((word) => entity('Label', word)) }));
  const number = fc.constantFrom<Expr>(
    { Value: 0 },
    { Value: 2 },
    { '.': { left: { Var: 'context' }, attr: 'dataRank' } },
    { '.': { left: { Var: 'resource' }, attr: 'port' } },
  );
  const known: Expr = { '.': { left: { Var: 'context' }, attr: 'labels' } };
  return {
    bool: fc.oneof(
      { maxDepth: 4, depthSize: 'medium' },
      fc.constantFrom<Expr>({ Value: true }, { Value: false }),
      path.map((from): Expr => ({ has: from })),
      pair('&&', bool),
      pair('||', bool),
      bool.map((arg): Expr => ({ '!': { arg } })),
      fc.tuple(bool, bool, bool).map(
        ([test, yes, no]): Expr =>
          ({
            'if-then-else': Object.fromEntries(['if', 'then', 'else'].map((part, i) => [part, [test, yes, no][i]])),
          }) as Expr,
      ),
      ...['<', '<=', '>', '>='].map((name) => pair(name, number)),
      fc
        .tuple(fc.constantFrom('containsAll', 'containsAny', '=='), labels)
        .map(([name, right]): Expr => ({ [name]: { left: known, right } }) as Expr),
      fc.constantFrom('secret', 'source').map((word): Expr => ({ contains: { left: known, right: entity('Label', word) } })),
      fc
        .tuple(fc.constantFrom<Expr>({ Var: 'principal' }, { Var: 'resource' }, { Var: 'action' }), leaf)
        .map(([left, right]): Expr => ({ in: { left, right } })),
      fc
        .constantFrom('Host', 'Model', 'Agent')
        .map((type): Expr => ({ is: { left: { Var: 'resource' }, entity_type: `Intramur::${type}` } })),
      read,
      any,
    ),
    any: fc.oneof(
      { maxDepth: 3, depthSize: 'small' },
      leaf,
      read,
      ...['==', '!=', '<', '<=', '>', '>=', '&&', '||', 'in', 'contains', 'containsAll', 'containsAny'].map((name) => pair(name, any)),
      any.map((arg): Expr => ({ '!': { arg } })),
      any.map((arg): Expr => ({ isEmpty: { arg } })),
      fc.array(any, { maxLength: 3 }).map((Set): Expr => ({ Set })),
      fc.tuple(any, any).map(([a, b]): Expr => ({ Record: { a, b } })),
      fc.tuple(any, fc.constantFrom('a', 'b', 'nope')).map(([left, attr]): Expr => ({ '.': { left, attr } })),
      fc.tuple(any, attribute, attribute).map(([left, a, b]): Expr => ({ has: { left, attr: [a, b] } })),
      any.map((left): Expr => ({ like: { left, pattern: ['Wildcard', { Literal: 'e' }, 'Wildcard'] } })),
      fc.tuple(any, any).map(([left, within]): Expr => ({ is: { left, entity_type: 'Intramur::Agent', in: within } })),
      fc.tuple(any, any).map((args): Expr => ({ isInRange: args })),
      fc.tuple(any, any).map((args): Expr => ({ offset: args })),
      any.map((arg): Expr => ({ isIpv4: [arg] })),
    ),
  };
});
const anyPolicy: fc.Arbitrary<PolicyJson> = fc.record({
  effect: fc.constantFrom('permit' as const, 'forbid' as const),
  principal: fc.constantFrom<PolicyJson['principal']>(
    { op: 'All' },
    { op: '==', entity: { type: 'Intramur::Agent', id: 'session' } },
    { op: 'in', entity: { type: 'Intramur::Team', id: 'core' } },
    { op: 'is', entity_type: 'Intramur::Agent', in: { entity: { type: 'Intramur::AgentTool', id: 'claude-code' } } },
  ),
  action: fc.constantFrom<PolicyJson['action']>(
    { op: 'All' },
    { op: '==', entity: { type: 'Intramur::Action', id: 'llm.invoke' } },
    { op: 'in', entity: { type: 'Intramur::Action', id: 'net' } },
    {
      op: 'in',
      entities: [
        { type: 'Intramur::Action', id: 'egress.telemetry' },
        { type: 'Intramur::Action', id: 'net.connect' },
      ],
    },
  ),
  resource: fc.constantFrom<PolicyJson['resource']>(
    { op: 'All' },
    { op: 'in', entity: { type: 'Intramur::Zone', id: 'acme.example' } },
    { op: 'is', entity_type: 'Intramur::Model' },
    { op: '==', entity: { type: 'Intramur::Host', id: 'evil.example' } },
  ),
  conditions: fc.array(fc.record({ kind: fc.constantFrom('when' as const, 'unless' as const), body: anyCondition }), { maxLength: 2 }),
});

it('decides and errs as cedar-wasm does over any policies, badly typed ones included', () => {
  let satisfied = 0;
  let failed = 0;
  let sets = 0;
  fc.assert(
    fc.property(
      fc.array(anyPolicy, { minLength: 1, maxLength: 6 }),
      fc.array(fc.tuple(anyRequest, anyFacts), { minLength: 4, maxLength: 4 }),
      (policies, asked) => {
        const texts = policies.map((policy) => {
          const text = cedar.policyToText(policy);
          return text.type === 'success' ? text.text : fc.pre(false);
        });
        const byId = Object.fromEntries(texts.map((text, i) => [`p${i}`, String(text)]));
        const json = new Map(
          Object.entries(byId).map(([id, text]) => {
            const parsed = cedar.policyToJson(text);
            if (parsed.type === 'failure') throw new Error(JSON.stringify(parsed.errors));
            return [id, parsed.json] as const;
          }),
        );
        const compiled = compilePolicies(json, actionTable);
        if (!compiled) throw new Error('does not compile');
        const wasm = createWasmEvaluator(cedar, `differential-${sets++}`, byId);
        for (const [request, facts] of asked) {
          const ours = rulingsOn(request, facts, compiled);
          expect(ours).toEqual(rulingsOn(request, facts, wasm));
          satisfied += ours.filter(({ answer }) => answer.determining.length > 0).length;
          failed += ours.filter(({ answer }) => answer.errors.length > 0).length;
        }
      },
    ),
    { numRuns: 200 },
  );
  // The generator is worth something only while it finds policies that apply and policies that fail.
  expect(Math.min(satisfied, failed)).toBeGreaterThan(50);
});

describe('the table of actions', () => {
  it.each<[string, PolicyJson['action'], (action: string) => boolean]>([
    ['a class', { op: 'in', entity: { type: 'Intramur::Action', id: 'egress.telemetry' } }, (a) => a.endsWith('.telemetry')],
    ['a kind', { op: 'in', entity: { type: 'Intramur::Action', id: 'http.request' } }, (a) => a.startsWith('http.request.')],
    ['all of the net', { op: 'in', entity: { type: 'Intramur::Action', id: 'net' } }, (a) => /^(http\.request|net\.connect)\./.test(a)],
    ['one', { op: '==', entity: { type: 'Intramur::Action', id: 'llm.invoke' } }, (a) => a === 'llm.invoke'],
    ['a group by ==', { op: '==', entity: { type: 'Intramur::Action', id: 'net' } }, () => false],
    ['everything', { op: 'All' }, () => true],
  ])('%s', (_name, constraint, isIn) => {
    expect(actionsOf(actionTable, constraint)).toEqual(actionTable.concrete.filter(isIn));
  });

  it('says what Cedar reads in the schema', () => {
    const answer = cedar.schemaToJson(schema);
    const read = answer.type === 'success' ? answer.json[namespace] : undefined;
    if (!read) throw new Error('the schema does not parse');
    const parents = (action: string) => read.actions[action]?.memberOf?.map(({ id }) => id) ?? [];
    const closure = (action: string): string[] => [action, ...parents(action).flatMap(closure)];
    const sorted = (lists: Iterable<readonly [string, readonly string[]]>) =>
      Object.fromEntries([...lists].map(([name, list]) => [name, [...new Set(list)].sort()]));
    expect(sorted(actionTable.groupsOf)).toEqual(sorted(Object.keys(read.actions).map((action) => [action, closure(action)])));
    expect(actionTable.concrete.toSorted()).toEqual(
      Object.keys(read.actions)
        .filter((action) => (read.actions[action]?.appliesTo?.resourceTypes.length ?? 0) > 0)
        .sort(),
    );
    const enumerated = Object.entries(read.entityTypes).flatMap(([name, type]) => ('enum' in type ? [[name, type.enum] as const] : []));
    expect(sorted(actionTable.words)).toEqual(sorted(enumerated));
  });

  it('has each class of egress for each kind of traffic', () => {
    const expected = egressClasses.flatMap((name) => [`http.request.${name}`, `net.connect.${name}`]);
    expect(actionTable.concrete).toEqual(expect.arrayContaining(['llm.invoke', ...expected]));
  });
});
