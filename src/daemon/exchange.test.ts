// Exchanges that are no model calls, when there are too many of them.
import { Readable } from 'node:stream';
import { describe, expect, it, vi } from 'vitest';
import { defaultConfig } from '../config/index.ts';
import type { ExchangeHead, ExchangeReply, Principal, Request } from '../core/index.ts';
import { createAdmission, createGateway, createVault } from '../gateway/index.ts';
import { loadPolicies } from '../policy/index.ts';
import { type ExchangeDeps, handleExchange } from './exchange.ts';
import { noSecrets } from './known-secrets.ts';
import { createLogins } from './login/logins.ts';
import { Sessions } from './session.ts';

const principal: Principal = {
  session: 's',
  user: 'u',
  agent: 'a',
  vetting: 'unvetted',
  purpose: 'research',
  classification: 'internal',
  workspace: '/w',
  via: 'sandbox',
};
const head: ExchangeHead = {
  scheme: 'http',
  host: 'a.example',
  port: 80,
  isDirect: false,
  via: 'transparent',
  method: 'POST',
  target: '/',
  httpVersion: '1.1',
  rawHeaders: [],
};
const engine = await loadPolicies({ packs: [], packsDir: '', dirs: [] });
const session = new Sessions().add({
  id: 's',
  principal,
  config: defaultConfig,
  engine,
  grants: [],
  program: '/usr/bin/a',
  secrets: Promise.resolve(noSecrets),
  startedAt: new Date(),
});

async function rig(limits: Parameters<typeof createAdmission>[0]) {
  const refused: string[] = [];
  const judged: Request[] = [];
  const never = new Promise<never>(() => {});
  const mediate = (request: Request) => {
    judged.push(request);
    return never;
  };
  const recordRefusal: ExchangeDeps['mediation']['recordRefusal'] = async (_request, reason) => {
    refused.push(reason);
    return { decision: { effect: 'deny', reason: { code: 'POLICY', text: reason }, policies: [] }, report: undefined, entry: { index: 7 } };
  };
  const done = async () => {};
  const mediation = { mediate, recordRefusal, recordOutcome: done, recordMissed: done, settled: done, finish: done };
  const vault = createVault();
  const gateway = await createGateway({ config: defaultConfig, vault, env: {}, now: () => new Date(), ...mediation });
  const deps: ExchangeDeps = {
    gateway,
    mediation,
    vault,
    logins: createLogins({ vault, gateway, now: () => new Date() }),
    proposals: { note: () => undefined },
    admission: createAdmission(limits),
    register: { closedBy: () => undefined },
  };
  const send = (body: Readable): Promise<ExchangeReply> => handleExchange(session, head, body, new AbortController().signal, deps);
  return { send, refused, judged, vault };
}

const textOf = ({ status, body }: ExchangeReply): string => `${status} ${body instanceof Uint8Array ? Buffer.from(body).toString() : ''}`;

describe('a flood of uploads', () => {
  it('holds no more memory than all sessions together may, and the ledger says who was refused', async () => {
    const { send, refused, judged } = await rig({ maxCalls: 10, maxHeldBytes: 100 });
    void send(Readable.from([Buffer.alloc(60)]));
    await vi.waitFor(() => expect(judged.length).toBe(1));
    expect(textOf(await send(Readable.from([Buffer.alloc(30), Buffer.alloc(30)])))).toMatch(/^403 Intramur refused: .+ \(ledger entry 7\)/);
    expect([refused.length, judged.length]).toEqual([1, 1]);
    void send(Readable.from([Buffer.alloc(40)]));
    await vi.waitFor(() => expect(judged.length).toBe(2));
  });

  it('is turned away before anything is read when too many are under way', async () => {
    const { send, judged } = await rig({ maxCalls: 1, maxHeldBytes: 100 });
    void send(new Readable({ read() {} }));
    expect(textOf(await send(Readable.from(['x'])))).toMatch(/^503 Intramur refused/);
    expect(judged).toEqual([]);
  });
});

describe('a placeholder in the body of a request to another host', () => {
  it('is a refusal in the ledger, and nobody decides any more', async () => {
    const { send, refused, judged, vault } = await rig({ maxCalls: 1, maxHeldBytes: 10_000 });
    const key = { id: 'key', value: 'real', hosts: ['api.elsewhere.example'], pathPrefix: '/', prefix: 'sk-' };
    const { key: placeholder = '' } = vault.issue(session.principal.session, [key]);
    const answer = textOf(await send(Readable.from([Buffer.from(`stolen=${placeholder}`)])));
    expect(answer).toMatch(/^403 Intramur refused: .*CREDENTIAL_MISUSED/);
    expect([refused.length, judged.length]).toEqual([1, 0]);
  });
});
