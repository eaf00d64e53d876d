// What an agent sends by itself is no disguise: a guess that goes wrong is guessed back and forth until it is too deep, and refused.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createInspector } from '../inspector.ts';

const inspector = createInspector();
const words = ['complete', 'blocked', 'paused', 'status', 'auto', 'reasoning.encrypted_content', 'turn_id', 'sandbox', 'none', 'user'];

it('a list of ids and settings is read as it stands', async () => {
  const id = fc.uuid();
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(id, id, fc.constantFrom(...words)), { minLength: 20, maxLength: 60 }), async (lines) => {
      const bytes = Buffer.from(JSON.stringify({ model: 'm', metadata: Object.fromEntries(lines.map((line, i) => [`k${i}`, line])) }));
      const { refused } = await inspector.inspect({ bytes, contentType: 'application/json', views: [] });
      expect(refused).toBeUndefined();
    }),
    { numRuns: 1500, seed: 7 },
  );
});
