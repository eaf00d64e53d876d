import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadPolicies, runCases } from './index.ts';

const packsDir = path.join(import.meta.dirname, '..', 'packs');
const names = readdirSync(packsDir, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));

describe.each(names)('pack %s', async (name) => {
  const directory = path.join(packsDir, name);
  const engine = await loadPolicies({ packs: [name], packsDir, dirs: [] });
  const policies = [...engine.bundle.policies.values()];
  const results = await runCases(directory, packsDir);

  it('describes itself', () => {
    const pack: unknown = JSON.parse(readFileSync(path.join(directory, 'pack.json'), 'utf8'));
    expect(pack).toEqual({ name, description: expect.stringMatching(/\.$/), requires: expect.any(Array) });
  });

  it('gives a reason with every policy', () => {
    expect(policies.filter(({ json }) => !json.annotations?.['reason']).map(({ id }) => id)).toEqual([]);
  });

  it('is served by the compiled evaluator', () => {
    expect([engine.evaluator, engine.unasked]).toEqual(['compiled', []]);
  });

  it.each(results.map((result) => [result.name, result] as const))('%s', (_name, { differences }) => {
    expect(differences).toEqual([]);
  });

  it('has a case in which each of its policies determines the decision', () => {
    const text = readdirSync(path.join(directory, 'cases'))
      .map((file) => readFileSync(path.join(directory, 'cases', file), 'utf8'))
      .join('\n');
    expect(policies.filter(({ id }) => !text.includes(id)).map(({ id }) => id)).toEqual([]);
  });

  // A repository may add packs (configuration, "may only tighten"): so no pack but the first may open anything.
  if (name !== 'baseline')
    it('only forbids', () => {
      expect(policies.filter(({ json }) => json.effect === 'permit').map(({ id }) => id)).toEqual([]);
    });
});
