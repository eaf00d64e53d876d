import { expect, it } from 'vitest';
import { attestationEntry } from './attestation.ts';

const said = {
  agent: 'codex',
  version: '0.169.0',
  sha256: 'a'.repeat(64),
  passed: true,
  covert: 0,
  runs: 26,
  failedRuns: 0,
  varied: ['timezone', 'locale'],
};

it('is recorded in the form that a pin looks for', () => {
  const { agent, ...detail } = said;
  expect(attestationEntry(said)).toEqual({ action: 'agent.attest', agent, detail });
});

it('a marker is no pass, whatever is said', () => {
  expect(attestationEntry({ ...said, covert: 1 })?.detail).toMatchObject({ passed: false, covert: 1 });
});

it.each<[string, unknown]>([
  ['nothing', undefined],
  ['a text', 'codex passed'],
  ['no hash', { ...said, sha256: 'abc' }],
  ['a hash in capitals', { ...said, sha256: 'A'.repeat(64) }],
  ['a word that passes for yes', { ...said, passed: 'true' }],
  ['no count', { ...said, covert: -1 }],
  ['a broken count', { ...said, runs: 1.5 }],
  ['a name that writes lines', { ...said, agent: 'codex\nentry' }],
  ['an empty name', { ...said, agent: '' }],
  ['a name without end', { ...said, version: 'x'.repeat(200) }],
  ['factors that are none', { ...said, varied: [1] }],
])('%s is no attestation', (_name, value) => {
  expect(attestationEntry(value)).toBeUndefined();
});
