import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { IntramurError } from '../core/index.ts';
import { loadPolicies, parseRequestDocument, runCases } from './index.ts';

const packsDir = path.join(import.meta.dirname, '..', 'packs');
let root: string;
const at = (...parts: string[]) => path.join(root, ...parts);
const write = (file: string, text: string | Uint8Array) => {
  mkdirSync(path.dirname(at(file)), { recursive: true });
  writeFileSync(at(file), text);
};
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'policies-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const load = (packs: readonly string[] = []) => loadPolicies({ packs, packsDir, dirs: [at('own')] });

/** The refusal's message, with the test's own directory taken out. */
async function refusalOf(promise: Promise<unknown>): Promise<string> {
  const fault = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(fault instanceof IntramurError)) throw new Error(`no IntramurError but ${String(fault)}`);
  expect(fault.code).toBe('POLICY_INVALID');
  return fault.message.replaceAll(`${root}/`, '');
}

describe('a policy that is not valid stops the load, with file, line, column and the nearest word', () => {
  it.each<[string, string, string]>([
    [
      'syntax',
      '// é\n@id("a")\npermit(principal, action, resource)\nwhn { true };',
      'own/a.cedar:4:1: invalid policy condition: whn; condition must be either `when` or `unless`',
    ],
    ['no semicolon', '@id("a")\npermit(principal, action, resource)', 'own/a.cedar:2:36: unexpected end of input'],
    [
      'attribute',
      '@id("a")\nforbid(principal, action == Intramur::Action::"llm.invoke", resource)\nwhen { principal.vetd };',
      'own/a.cedar:3:8: attribute `vetd` on entity type `Intramur::Agent` not found; did you mean "vetted"?',
    ],
    [
      'context after a letter of two bytes',
      '@id("a") @reason("é")\nforbid(principal, action == Intramur::Action::"llm.invoke", resource) when { context.purpos == Intramur::Purpose::"research" };',
      'own/a.cedar:2:78: attribute `purpos` in context for Intramur::Action::"llm.invoke" not found; did you mean "purpose"?',
    ],
    [
      'word of an enumeration',
      '@id("a")\nforbid(principal, action == Intramur::Action::"llm.invoke", resource)\nwhen { resource.perimeter == Intramur::Perimeter::"onperm" };',
      'own/a.cedar:3:30: entity `Intramur::Perimeter::"onperm"` is of an enumerated entity type, but `"onperm"` is not declared as a valid eid; did you mean "onprem"?',
    ],
    [
      'action',
      '@id("a") permit(principal, action == Intramur::Action::"llm.invok", resource);',
      'own/a.cedar:1:38: unrecognized action `Intramur::Action::"llm.invok"`; did you mean "llm.invoke"?',
    ],
    [
      'entity type',
      '@id("a") permit(principal, action, resource is Intramur::Hots);',
      'own/a.cedar:1:48: unrecognized entity type `Intramur::Hots`; did you mean "Intramur::Host"?',
    ],
    [
      'string where a word belongs',
      '@id("a") forbid(principal, action == Intramur::Action::"llm.invoke", resource) when { resource.perimeter == "public" };',
      'own/a.cedar:1:87: the types String and Intramur::Perimeter are not compatible; both operands to a `==` expression must have compatible types',
    ],
    [
      'a rule that can never apply',
      '@id("a") forbid(principal, action == Intramur::Action::"net.connect", resource);',
      'own/a.cedar:1:1: unable to find an applicable action given the policy scope constraints; "net.connect" is a group of actions: write `action in`',
    ],
    [
      'an address that is none',
      '@id("a") forbid(principal, action in Intramur::Action::"net", resource) when { resource has ip && resource.ip.isInRange(ip("10.0.0.0/99")) };',
      'own/a.cedar:1:',
    ],
    [
      'an address made at run time',
      '@id("a") forbid(principal, action in Intramur::Action::"net", resource) when { ip(resource.name).isLoopback() };',
      'own/a.cedar:1:',
    ],
    [
      'a template',
      '@id("a") permit(principal == ?principal, action, resource);',
      'own/a.cedar:1:1: templates (?principal, ?resource) are not accepted',
    ],
    [
      'a word that no reason has',
      '@id("a") @reason("{clasification} data") permit(principal, action, resource);',
      'own/a.cedar:1:10: @reason knows no {clasification}; did you mean {classification}?',
    ],
    ['no id', '// why\npermit(principal, action, resource);', 'own/a.cedar:2:1: a policy needs @id("name"), of letters, digits and . _ -'],
    [
      'an odd id',
      '@id("a/b") permit(principal, action, resource);',
      'own/a.cedar:1:1: a policy needs @id("name"), of letters, digits and . _ -',
    ],
    [
      'an id used twice',
      '@id("a") permit(principal, action, resource);\n@id("a") permit(principal, action, resource);',
      'own/a.cedar:2:1: @id("a") is already used in own/a.cedar:1',
    ],
  ])('%s', async (_name, text, message) => {
    write('own/a.cedar', text);
    expect(await refusalOf(load())).toContain(message);
  });

  it('says each place once although a group stands for many actions', async () => {
    write(
      'own/a.cedar',
      '@id("a") forbid(principal, action, resource) when { context.nope };\n@id("b") forbid(principal, action, resource) when { context.nope };',
    );
    expect((await refusalOf(load())).split('\n')).toHaveLength(2);
  });

  it.each<[string, () => void, string]>([
    ['a missing directory', () => {}, 'own: not a directory that can be read'],
    ['a file for a directory', () => write('own', ''), 'own: not a directory that can be read'],
    ['not UTF-8', () => write('own/a.cedar', Uint8Array.of(0xff)), 'own/a.cedar: not UTF-8 text'],
    ['too large', () => write('own/a.cedar', ' '.repeat(1024 * 1024 + 1)), 'own/a.cedar: larger than 1048576 bytes'],
    ['a directory for a file', () => mkdirSync(at('own/a.cedar'), { recursive: true }), 'own/a.cedar: cannot be read'],
    [
      'a broken link',
      () => {
        mkdirSync(at('own'));
        symlinkSync('nowhere', at('own/a.cedar'));
      },
      'own/a.cedar: cannot be read',
    ],
    ['policies one directory too deep', () => write('own/prod/a.cedar', ''), 'own/prod: policies in a subdirectory are not read'],
    ['files of another kind only', () => write('own/a.cedr', ''), 'own: holds no *.cedar file'],
  ])('%s', async (_name, make, message) => {
    make();
    expect(await refusalOf(load())).toBe(message);
  });

  it('an unknown pack', async () => {
    mkdirSync(at('own'));
    expect(await refusalOf(load(['baselin']))).toBe('unknown pack "baselin"; did you mean "baseline"?');
    expect(await refusalOf(load(['../packs/baseline']))).toContain('unknown pack');
  });
});

describe('a bundle', () => {
  it('has one digest for the same policies, however they lie in files, and another for other ones', async () => {
    const [a, b] = ['@id("a") permit(principal, action, resource);', '@id("b") forbid(principal, action, resource);'];
    write('own/one.cedar', `${a}\n${b}`);
    const together = await load();
    rmSync(at('own'), { recursive: true });
    write('own/x.cedar', b);
    write('own/y.cedar', a);
    const apart = await load();
    write('own/y.cedar', a.replace('permit', 'forbid'));
    const other = await load();
    expect([together.digest === apart.digest, other.digest === apart.digest]).toEqual([true, false]);
    expect([...apart.bundle.policies.keys()].toSorted()).toEqual(['own/a', 'own/b']);
  });

  it('takes an empty directory, and says of a policy that nothing asks about it yet', async () => {
    mkdirSync(at('own'));
    expect((await load()).bundle.policies.size).toBe(0);
    write(
      'own/a.cedar',
      '@id("push") forbid(principal, action == Intramur::Action::"mcp.call", resource) when { context.argKeys.contains("push") };',
    );
    expect((await load()).unasked).toEqual(['own/push']);
  });
});

describe('cases', () => {
  const permit = '@id("all") permit(principal, action, resource);';
  const run = () => runCases(at('own'), packsDir);
  const one = 'name: x, act: { action: net.connect, host: a.example, port: 22 }';

  it('load the directory beside the packs that they name, and say what differs', async () => {
    write('own/a.cedar', permit);
    write(
      'own/cases/a.yaml',
      `packs: [baseline]\ncases:\n  - { ${one}, expect: { decision: deny, policies: [] } }\n  - { ${one.replace('x', 'y')}, expect: { decision: allow, policies: [own/all] } }`,
    );
    expect(await run()).toEqual([
      { file: at('own/cases/a.yaml'), name: 'x', differences: ['decision is allow, expected deny', 'policies is [own/all], expected []'] },
      { file: at('own/cases/a.yaml'), name: 'y', differences: [] },
    ]);
  });

  it('differ in targets and reason', async () => {
    write('own/a.cedar', '@id("no") @reason("never") forbid(principal, action, resource);');
    const act = 'act: { action: llm.invoke, targets: [{ id: a/b, perimeter: vpc }] }';
    write(
      'own/cases/a.yaml',
      `cases: [{ name: x, ${act}, expect: { decision: deny, policies: [own/no], reason: always, targets: [a/b] } }]`,
    );
    expect((await run())[0]?.differences).toEqual([
      'targets is [], expected [a/b]',
      'reason is "never (policy own/no)", expected to hold "always"',
    ]);
  });

  it.each<[string, string, string]>([
    ['broken YAML', 'cases: [', 'own/cases/a.yaml:1:9: not valid YAML'],
    ['a duplicate key', 'cases: []\ncases: []', 'own/cases/a.yaml:2:1: not valid YAML'],
    ['no case', 'cases: []', 'own/cases/a.yaml.cases: must not be empty'],
    ['an unknown key', 'case: []', 'own/cases/a.yaml: unknown key "case"; did you mean "cases"?'],
    ['no expectation', `cases: [{ ${one} }]`, 'own/cases/a.yaml: cases[0].expect.policies: is missing'],
    [
      'no determining policies',
      `cases: [{ ${one}, expect: { decision: deny } }]`,
      'own/cases/a.yaml: cases[0].expect.policies: is missing',
    ],
    ['no name', `cases: [{ ${one.replace('name: x, ', '')} }]`, 'own/cases/a.yaml: cases[0].name: is missing'],
    [
      'an unknown label',
      `cases: [{ ${one}, facts: { labels: [sorce] } }]`,
      'own/cases/a.yaml: cases[0].facts.labels: does not know "sorce"; did you mean "source"?',
    ],
    [
      'a key of another act',
      `cases: [{ ${one.replace('port: 22', 'method: GET')} }]`,
      'own/cases/a.yaml: cases[0].act: unknown key "method"',
    ],
    [
      'a name used twice',
      `cases: [{ ${one}, expect: { decision: allow, policies: [own/all] } }, { ${one} }]`,
      'own/cases/a.yaml: cases[1].name: is used twice',
    ],
    ['an unknown pack', `packs: [nope]\ncases: [{ ${one} }]`, 'unknown pack "nope"'],
    [
      'aliases without end',
      `a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c]`,
      'own/cases/a.yaml: too many aliases',
    ],
  ])('%s is an error, not a pass', async (_name, text, message) => {
    write('own/a.cedar', permit);
    write('own/cases/a.yaml', text);
    expect(await refusalOf(run())).toContain(message);
  });

  it('a request document is as strict', () => {
    expect(() => parseRequestDocument('r.yaml', '{}')).toThrow('r.yaml: act.action: is missing');
    expect(() => parseRequestDocument('r.yaml', 'act: { action: llm.invoke }\nfact: {}')).toThrow(
      'r.yaml: unknown key "fact"; did you mean "facts"?',
    );
    expect(() => parseRequestDocument('r.yaml', 'act: { action: net.conect }')).toThrow('did you mean "net.connect"?');
    expect(() => parseRequestDocument('r.yaml', 'act: { action: llm.invoke, targets: [{ id: x }] }')).toThrow(
      'targets[0].id: must be PROVIDER/MODEL',
    );
  });
});
