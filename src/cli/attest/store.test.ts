// What is kept: a look at a part never takes the place of the whole.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { usualFactors } from '../../attest/index.ts';
import { type AttestDocument, schema } from './document.ts';
import { keep, kept } from './store.ts';

const state = fs.mkdtempSync(path.join(os.tmpdir(), 'attest-store-'));
afterAll(() => fs.rmSync(state, { recursive: true, force: true }));

const whole: AttestDocument = {
  schema,
  agent: 'toy',
  version: '1.0.0',
  sha256: 'a'.repeat(64),
  attestedAt: '2026-11-29T10:00:00.000Z',
  varied: usualFactors.filter((factor) => factor !== 'proxy'),
  notVaried: ['proxy'],
  modelBytes: 1,
  scrubbed: [],
  shipped: [],
  runs: 19,
  tokensCompared: 9,
  covert: [{ where: 'body', channel: 'value', confidence: 0.9999, tokens: [], variesWith: ['locale'] }],
  disclosed: [],
  sideChannels: [],
  failedRuns: 0,
  unseen: [],
  failures: [],
  passed: false,
  evidence: [],
};

it('a later pass of a part leaves the finding of the whole', () => {
  const part: AttestDocument = {
    ...whole,
    attestedAt: '2026-11-29T11:00:00.000Z',
    varied: ['timezone'],
    notVaried: [],
    covert: [],
    passed: true,
  };
  expect(keep(state, part).json).not.toBe(keep(state, whole).json);
  keep(state, part);
  expect(kept(state, 'toy', '1.0.0', state)).toMatchObject({ passed: false, covert: [{ where: 'body' }] });
  keep(state, { ...whole, attestedAt: '2026-11-29T12:00:00.000Z', covert: [], passed: true });
  expect(kept(state, 'toy', '1.0.0', state)).toMatchObject({ passed: true });
});
