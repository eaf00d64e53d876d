import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { codeOf } from '../core/index.ts';
import { openLedger } from '../ledger/index.ts';
import { run } from './policy.ts';

let home: string;
const at = (...parts: string[]) => path.join(home, ...parts);
const write = (file: string, text: string) => {
  mkdirSync(path.dirname(at(file)), { recursive: true });
  writeFileSync(at(file), text);
};

beforeAll(async () => {
  home = mkdtempSync(path.join(tmpdir(), 'cli-policy-'));
  mkdirSync(at('work'));
  write('intramur.yaml', 'packs: [baseline, perimeter, research-production]\npolicies: [own]');
  write(
    'own/a.cedar',
    '@id("mirror") permit(principal, action in Intramur::Action::"egress.catalogue", resource in Intramur::Zone::"acme.example");',
  );
  write(
    'own/cases/a.yaml',
    'packs: [baseline]\ncases:\n  - name: the mirror is open\n    act: { action: http.request, class: catalogue, host: mirror.acme.example }\n    expect: { decision: allow, policies: [own/mirror] }\n',
  );
  const ledger = await openLedger({
    dir: at('state/ledger'),
    keyFile: at('state/ledger.key'),
    origin: 'log.example/policy',
    now: () => new Date(0),
  });
  await ledger.append({ action: 'session.open', session: 's' });
  const who = { session: 's', user: 'alice', agent: 'codex', purpose: 'research' } as const;
  await ledger.append({
    action: 'llm.invoke',
    ...who,
    class: 'model',
    host: 'api.openai.com',
    port: 443,
    path: '/v1/responses',
    requestedModel: 'gpt-5',
    classification: 'restricted',
    labels: ['source'],
    decision: 'deny',
    reason: 'as it was then',
    policies: ['perimeter/gone'],
  });
  await ledger.append({
    action: 'http.request',
    ...who,
    class: 'telemetry',
    host: 'telemetry.example',
    port: 443,
    decision: 'deny',
    reason: 'no policy permits telemetry traffic to telemetry.example:443 (default deny)',
    policies: [],
  });
  const asked = { action: 'llm.invoke', ...who, class: 'model', host: '127.0.0.1', port: 4180, requestedModel: 'gpt-5' } as const;
  await ledger.append({ ...asked, decision: 'deny', reason: 'the budget of key ci is used up: 1 requests per day', policies: ['budget'] });
  await ledger.append({ ...asked, classification: 'internal', labels: [], decision: 'allow', policies: ['perimeter/model'] });
  const why = 'internal data may not be shown to what the provider runs by itself (web_search)';
  await ledger.append({ ...asked, outcomeOf: 4, decision: 'deny', reason: why, policies: ['provider-tools'], status: 400 });
  await ledger.append({ ...asked, decision: 'deny', reason: 'inspection reached a limit (INSPECT_LIMIT)', policies: [] });
  await ledger.close();
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

async function cli(...args: string[]): Promise<{ code: number | string; out: string }> {
  const stdout = new PassThrough();
  const io = { stdout, stderr: new PassThrough(), stdin: new PassThrough(), env: { INTRAMUR_HOME: home }, cwd: at('work'), home };
  const code = await run(args, io).catch((fault: unknown) => `${codeOf(fault)}: ${fault instanceof Error ? fault.message : ''}`);
  return { code, out: String(stdout.read() ?? '') };
}

describe('policy check', () => {
  it('says as data, too, what is not valid, and exits as without', async () => {
    write('odd/a.cedar', '@id("a")\n@efect("ask")\npermit(principal, action, resource);');
    const { code, out } = await cli('check', '--json', '../odd');
    expect(code).toBe(`POLICY_INVALID: ${at('odd/a.cedar')}:2:1: unknown annotation @efect; did you mean @effect?`);
    expect(JSON.parse(out)).toEqual({
      schema: 'intramur/policy-check/1',
      ok: false,
      faults: [{ file: at('odd/a.cedar'), line: 2, column: 1, message: 'unknown annotation @efect; did you mean @effect?' }],
    });
    expect((await cli('check', '../odd')).out).toBe('');
  });

  it('checks what is configured', async () => {
    const { code, out } = await cli('check', '--json');
    expect([code, JSON.parse(out)]).toMatchObject([
      0,
      { schema: 'intramur/policy-check/1', ok: true, packs: ['baseline', 'perimeter', 'research-production'], notes: [] },
    ]);
    expect(JSON.parse(out).policies).toContainEqual({ id: 'own/mirror', effect: 'permit', file: at('own/a.cedar'), line: 1 });
  });

  it('checks one directory, and names file, line, column and the nearest word', async () => {
    write('bad/a.cedar', '\n@id("a") forbid(principal, action == Intramur::Action::"llm.invoke", resource) when { principal.vetd };');
    const file = at('bad/a.cedar');
    expect(await cli('check', '../bad')).toEqual({
      code: `POLICY_INVALID: ${file}:2:87: attribute \`vetd\` on entity type \`Intramur::Agent\` not found; did you mean "vetted"?`,
      out: '',
    });
  });

  it('says which policies nothing asks about yet', async () => {
    write('early/a.cedar', '@id("a") forbid(principal, action == Intramur::Action::"tool.use", resource);');
    expect((await cli('check', '../early')).out).toMatch(
      /^note: early\/a has no effect yet: nothing asks about its actions\n1 policy is valid \([0-9a-f]{12}\)\n$/,
    );
  });

  it('wants a directory that is there', async () => {
    expect((await cli('check', 'gone')).code).toBe(`POLICY_INVALID: ${at('work/gone')}: not a directory that can be read`);
  });
});

describe('policy test', () => {
  it("runs the cases of packs and of one's own policies", async () => {
    const { code, out } = await cli('test', '--json');
    const { failed, results } = JSON.parse(out);
    expect([code, failed]).toEqual([0, 0]);
    expect(results).toContainEqual({ file: at('own/cases/a.yaml'), name: 'the mirror is open', ok: true, differences: [] });
    expect(results.length).toBeGreaterThan(40);
  });

  it('exits 1 and says what differs', async () => {
    write('wrong/a.cedar', '@id("a") @reason("never") forbid(principal, action, resource);');
    write(
      'wrong/cases/a.yaml',
      'cases: [{ name: x, act: { action: net.connect, host: a }, expect: { decision: allow, policies: [wrong/a] } }]',
    );
    expect(await cli('test', '../wrong')).toEqual({
      code: 1,
      out: 'FAILED ../wrong/cases/a.yaml: x\n       decision is deny, expected allow\n0 passed, 1 failed\n',
    });
  });

  it('does not call it a pass when there is no case', async () => {
    expect((await cli('test', '../bad')).code).toBe(`POLICY_INVALID: there is no case in ${at('bad/cases')}`);
  });
});

describe('policy explain', () => {
  it('says why a request is refused, and what would change it', async () => {
    write(
      'work/request.yaml',
      'act: { action: llm.invoke, targets: [{ id: anthropic/claude, perimeter: public }] }\nfacts: { labels: [secret], classification: internal }',
    );
    const { code, out } = await cli('explain', '--request', 'request.yaml');
    expect([code, out.replaceAll(/\(\/.*?\/(\w+\.cedar:\d+)\)/g, '($1)')]).toEqual([
      0,
      `deny: the request holds a secret, which may go to an onprem model only (policy baseline/secret-to-model)
  anthropic/claude: deny
    forbid baseline/secret-to-model (model.cedar:8): the request holds a secret, which may go to an onprem model only
    forbid research-production/research-content (research.cedar:12): research may not send a secret or the company's own source to a public model
It would be allowed:
  without the label secret
  with an onprem target
`,
    ]);
  });

  it('explains an entry of the ledger by the policies of today', async () => {
    const { code, out } = await cli('explain', '--ledger', '1', '--json');
    expect([code, JSON.parse(out)]).toMatchObject([
      0,
      {
        schema: 'intramur/policy-explain/1',
        recorded: { index: 1, decision: 'deny', reason: 'as it was then', policies: ['perimeter/gone'] },
        decision: {
          effect: 'deny',
          policies: ['perimeter/data-class', 'research-production/research-class', 'research-production/research-content'],
        },
        rulings: [{ target: 'openai/gpt-5', decision: 'deny' }],
      },
    ]);
    expect(
      (await cli('explain', '--ledger', '2')).out,
    ).toBe(`entry 2: deny: no policy permits telemetry traffic to telemetry.example:443 (default deny) []
The same by the policies of today:
deny: no policy permits telemetry traffic to telemetry.example:443 (default deny)
    no policy permits it (default deny)
It would be allowed:
  with a grant for telemetry.example:443
`);
  });

  it.each([
    ['3', 'entry 3: deny: the budget of key ci is used up: 1 requests per day [budget]', 'budget'],
    [
      '4',
      'entry 4: allow, then refused (entry 5): internal data may not be shown to what the provider runs by itself (web_search) [provider-tools]',
      'provider-tools',
    ],
    ['6', 'entry 6: deny: inspection reached a limit (INSPECT_LIMIT) []', 'fail-closed'],
  ])("entry %s, which an enforcement point refused by itself, is not said to be a policy's", async (index, first, rule) => {
    expect((await cli('explain', '--ledger', index)).out.split('\n').slice(0, 2)).toEqual([
      first,
      `It was refused by a rule that stands beside policy (${rule}), which no policy turns. What policy says of it today:`,
    ]);
    expect(JSON.parse((await cli('explain', '--ledger', index, '--json')).out).recorded.rule).toBe(rule);
  });

  it.each<[string, readonly string[], string]>([
    ['an entry that decides nothing', ['explain', '--ledger', '0'], 'USAGE: entry 0 records no decision but session.open'],
    ['neither', ['explain'], 'USAGE: policy explain needs one of --ledger N and --request FILE'],
    ['both', ['explain', '--ledger', '1', '--request', 'x'], 'USAGE: policy explain needs one of --ledger N and --request FILE'],
    ['no number', ['explain', '--ledger', 'x'], 'USAGE: not the index of an entry: "x"'],
  ])('%s', async (_name, args, message) => {
    expect((await cli(...args)).code).toBe(message);
  });

  it('a missing or broken request is an error', async () => {
    expect((await cli('explain', '--request', 'gone.yaml')).code).toBe(`CONFIG_NOT_FOUND: ${at('work/gone.yaml')}: cannot be read`);
    write('work/broken.yaml', 'act: [');
    expect((await cli('explain', '--request', 'broken.yaml')).code).toContain(
      `POLICY_INVALID: ${at('work/broken.yaml')}:1:7: not valid YAML`,
    );
  });
});

describe('a draft', () => {
  const draft = () =>
    write(
      'draft/own/a.cedar',
      '@id("telemetry") permit(principal, action in Intramur::Action::"egress.telemetry", resource == Intramur::Host::"telemetry.example");',
    );

  it('is replayed against what was recorded', async () => {
    draft();
    const { code, out } = await cli('replay', '--policy', '../draft/own', '--since', '1970-01-01', '--json');
    expect([code, JSON.parse(out)]).toEqual([
      0,
      {
        schema: 'intramur/policy-replay/1',
        since: '1970-01-01T00:00:00.000Z',
        replayed: 3, // what enforcement points refused by themselves is no decision of policy
        unclear: 0,
        flips: [
          {
            index: 2,
            time: '1970-01-01T00:00:00.000Z',
            agent: 'codex',
            act: 'http.request "telemetry.example:443"',
            from: 'deny',
            to: 'allow',
            policies: ['own/telemetry'],
          },
        ],
      },
    ]);
    expect((await cli('replay', '--policy', '../draft/own', '--since', '1970-01-01')).out).toBe(
      '2  deny → allow  codex  http.request "telemetry.example:443"  [own/telemetry]\n1 of 3 recorded decisions would flip; 0 cannot be told from the record\n',
    );
  });

  it('is compared with what is configured', async () => {
    draft();
    expect((await cli('diff', '../draft/own')).out).toBe('removed  permit own/mirror\nadded    permit own/telemetry\n');
    expect((await cli('diff', '../own')).out).toBe('no difference\n');
  });

  it('looks back no further than it is told', async () => {
    draft();
    expect(JSON.parse((await cli('replay', '--policy', '../draft/own', '--json')).out)).toMatchObject({ replayed: 0, flips: [] });
  });

  it('must be named', async () => {
    expect((await cli('replay')).code).toBe('USAGE: policy replay needs --policy DIR');
    expect((await cli('diff')).code).toBe('USAGE: policy diff needs the directory of a draft');
  });
});

it('an unknown subcommand is refused', async () => {
  expect((await cli('chek')).code).toBe('USAGE: unknown subcommand "policy chek"');
});
