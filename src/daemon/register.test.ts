import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Config, defaultConfig, readRegister, registerFileIn } from '../config/index.ts';
import type { Entry, EntryBody } from '../core/index.ts';
import { openRegister } from './register.ts';

const now = () => new Date('2026-01-02T03:04:05Z');
const [a, b] = ['a'.repeat(64), 'b'.repeat(64)];
let stateDirectory = '';
beforeEach(() => {
  stateDirectory = fs.mkdtempSync(path.join(os.tmpdir(), 'register-'));
});
afterEach(() => fs.rmSync(stateDirectory, { recursive: true }));

interface Given {
  readonly attestations?: readonly EntryBody[];
  readonly config?: Partial<Config>;
  append?(): never;
}

function opened({ attestations = [], config = {}, append }: Given = {}) {
  const appended: EntryBody[] = [];
  const register = openRegister({
    stateDirectory,
    config: { ...defaultConfig, ...config },
    async append(entry) {
      append?.();
      appended.push(entry);
      return { index: appended.length - 1 };
    },
    attestations: async () => attestations.map((body, index): Entry => ({ ...body, index, time: now().toISOString() })),
    now,
  });
  return { register, appended };
}

describe('the register of the daemon', () => {
  it('records who and why before the statement is in force, and keeps it', async () => {
    const { register, appended } = opened();
    await register.state({ verb: 'ban', agent: 'codex', reason: 'telemetry', hosts: ['ab.chatgpt.com', 'api.openai.com'] });
    const by = os.userInfo().username;
    expect(appended).toEqual([
      { action: 'agent.ban', user: by, agent: 'codex', reason: 'telemetry', detail: { hosts: ['ab.chatgpt.com', 'api.openai.com'] } },
    ]);
    expect(readRegister(registerFileIn(stateDirectory))).toEqual(register.current());
    expect(register.closedBy('ab.chatgpt.com')).toBe('codex');
    // The address of a provider of ours stays open to other tools.
    expect(register.closedBy('api.openai.com')).toBe(undefined);
    expect(opened().register.current()).toEqual(register.current());
  });

  it('a ban holds until something is said of the whole tool; what lifts it says so', async () => {
    const { register, appended } = opened();
    await register.state({ verb: 'ban', agent: 'codex', reason: 'telemetry' });
    for (const part of [{ versions: '>=2' }, { sha256: a }, { versions: '2.0.0', sha256: a }])
      await expect(register.state({ verb: 'vet', agent: 'codex', ...part })).rejects.toThrow(
        /^codex is banned by .+ since 2026-01-02, and stays so/,
      );
    expect([appended.length, register.current().length]).toEqual([1, 1]);
    const { lifted } = await register.state({ verb: 'vet', agent: 'codex' });
    expect(lifted).toMatchObject([{ verb: 'ban', reason: 'telemetry' }]);
    expect((await register.state({ verb: 'vet', agent: 'codex', versions: '>=2' })).lifted).toEqual([]);
  });

  it('what cannot be recorded is not in force', async () => {
    const { register } = opened({
      append() {
        throw new Error('full');
      },
    });
    await expect(register.state({ verb: 'vet', agent: 'codex' })).rejects.toThrow('full');
    expect([register.current(), fs.readdirSync(stateDirectory)]).toEqual([[], []]);
  });

  it('two at once do not forget each other', async () => {
    const { register } = opened();
    await Promise.all(['a', 'b', 'c'].map((agent) => register.state({ verb: 'ban', agent })));
    expect(register.current().map(({ agent }) => agent)).toEqual(['a', 'b', 'c']);
  });

  it('does not open with a file that does not read', () => {
    fs.writeFileSync(registerFileIn(stateDirectory), 'half of a');
    expect(() => opened()).toThrow(/does not read/);
  });

  const attest = (passed: boolean, sha256 = a, version = '2.1.330'): EntryBody => ({
    action: 'agent.attest',
    agent: 'claude-code',
    detail: { passed, sha256, version },
  });
  const pin = { verb: 'pin', agent: 'claude-code', versions: '2.1.330', sha256: a } as const;
  it.each<[string, readonly EntryBody[], Parameters<ReturnType<typeof opened>['register']['state']>[0], RegExp | undefined]>([
    ['a pin with an attestation that passed', [attest(true)], pin, undefined],
    ['a vetting with an attestation that passed', [attest(true)], { ...pin, verb: 'vet' }, undefined],
    ['a ban without any', [], { verb: 'ban', agent: 'claude-code' }, undefined],
    ['a pin without any', [], pin, /there is no attestation/],
    ['a pin of another program', [attest(true, b)], pin, /there is no attestation/],
    ['a pin of another version', [attest(true, a, '2.1.197')], pin, /there is no attestation/],
    ['a pin that failed since', [attest(true), attest(false)], pin, /ledger entry 1\) did not pass/],
    ['a pin that passes now', [attest(false), attest(true)], pin, undefined],
    ['a pin without a hash', [attest(true)], { verb: 'pin', agent: 'claude-code', versions: '2.1.330' }, /one version and one hash/],
    ['a vetting of everything', [attest(true)], { verb: 'vet', agent: 'claude-code' }, /one version and one hash/],
    ['a vetting of a range', [attest(true)], { ...pin, verb: 'vet', versions: '>=2.1.330' }, /one version and one hash/],
  ])('where attestation is required: %s', async (_name, attestations, request, refusal) => {
    const { register, appended } = opened({ attestations, config: { attestation: 'required' } });
    if (refusal === undefined) await register.state(request);
    else await expect(register.state(request)).rejects.toThrow(refusal);
    expect(appended.length).toBe(refusal === undefined ? 1 : 0);
    expect(register.current().length).toBe(appended.length);
  });
});
