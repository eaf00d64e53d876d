import path from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { classificationRank, classifications, IntramurError, purposes, vettings } from '../core/index.ts';
import { type Config, classificationOf, vettingOf } from './index.ts';
import type { Origin } from './layer.ts';
import { parseLayer } from './load.ts';
import { merge } from './merge.ts';

const home = '/home/alice';
const layer = (origin: Origin, text: string) =>
  parseLayer(path.join('/home/alice/work/core', 'intramur.yaml'), Buffer.from(text), origin, home);

/** The value, or the fault; anything that is no fault of ours is thrown. */
function attempt<T>(step: () => T): T | IntramurError {
  try {
    return step();
  } catch (fault) {
    if (fault instanceof IntramurError) return fault;
    throw fault;
  }
}

const piece = fc.constantFrom(
  ...[
    'providers',
    'models',
    '"*"',
    'id',
    'url',
    'http://a',
    'public',
    'perimeter',
    '~',
    'null',
    '1e400',
    '-',
    '&a',
    '*a',
    '!x',
    '!!set',
    '<<',
    '? ',
    '|',
    '>',
    '"',
    "'",
    '\\',
    '#',
  ],
  ...[
    ': ',
    '\n',
    '  ',
    '\t',
    '{',
    '}',
    '[',
    ']',
    ',',
    '---\n',
    '...\n',
    '%YAML 9\n',
    '\u0000',
    '\uFEFF',
    '\ud800',
    '__proto__',
    'constructor',
    '\r',
    '@',
    '`',
  ],
);

it('any text is a configuration or an error that names its place', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join('')),
      ),
      (text) => {
        const outcome = attempt(() => layer('user', text));
        if (outcome instanceof IntramurError) {
          expect([outcome.code, outcome.message.startsWith('/home/alice/work/core/intramur.yaml:')]).toEqual(['CONFIG_INVALID', true]);
          expect(outcome.message).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
        }
      },
    ),
    { numRuns: 2000 },
  );
});

it('any bytes are a configuration or an error', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      attempt(() => parseLayer('/x', bytes, 'user', home));
    }),
    { numRuns: 500 },
  );
});

const match = fc.constantFrom(
  '**',
  './**',
  '~/work/**',
  '~/work/core',
  '/home/**',
  'git.acme.example/**',
  'git.acme.example/core/*',
  '~/oss/**',
);
const repositories = fc.array(fc.record({ match, classification: fc.constantFrom(...classifications) }), { maxLength: 3 });
const tool = fc.record({ status: fc.constantFrom(...vettings), versions: fc.constantFrom('>=2', '<2') }, { requiredKeys: ['status'] });
const restricting = {
  repositories,
  purposes: fc.record({ default: fc.constantFrom(...purposes) }, { requiredKeys: [] }),
  tools: fc.dictionary(fc.constantFrom('codex', 'qwen-code'), tool),
  packs: fc.subarray(['baseline', 'perimeter', 'research-production']),
  inspect: fc.record({ secrets: fc.constantFrom('placeholder', 'block') }, { requiredKeys: [] }),
};
const own = fc.record(
  {
    ...restricting,
    egress: fc.constant({ allow: [{ host: 'git.acme.example' }] }),
    providers: fc.constant([{ id: 'p', dialect: 'openai-chat', url: 'http://127.0.0.1:1', perimeter: 'onprem' }]),
  },
  { requiredKeys: [] },
);
const foreign = fc.oneof(
  { weight: 9, arbitrary: fc.record(restricting, { requiredKeys: [] }) },
  {
    weight: 1,
    arbitrary: fc.record(
      {
        egress: fc.constant({ allow: [{ host: 'evil.example' }] }),
        trust: fc.constant(['./evil.pem']),
        policies: fc.constant(['.']),
        models: fc.constant({ '*': ['p/x'] }),
      },
      { requiredKeys: [] },
    ),
  },
);

const places = [
  { paths: ['/home/alice/work/core'], remotes: ['git.acme.example/core/api'] },
  { paths: ['/home/alice/work'], remotes: [] },
  { paths: ['/home/alice/oss/x'], remotes: ['forge.example/x'] },
  { paths: ['/srv/x'], remotes: [] },
];

/** Everything about `after` is at least as strict as about `before`. */
function expectNoLooser(before: Config, after: Config): void {
  const rank = <T>(words: readonly T[], word: T) => words.indexOf(word);
  for (const place of places) {
    expect(classificationRank(classificationOf(after, place))).toBeGreaterThanOrEqual(classificationRank(classificationOf(before, place)));
  }
  expect(rank(purposes, after.defaultPurpose)).toBeGreaterThanOrEqual(rank(purposes, before.defaultPurpose));
  expect(after.packs).toEqual(expect.arrayContaining([...before.packs]));
  expect([before.inspect.secrets, after.inspect.secrets]).not.toEqual(['block', 'placeholder']);
  for (const id of ['codex', 'qwen-code', 'other']) {
    for (const version of ['1.0.0', '2.0.0', undefined]) {
      expect(rank(vettings, vettingOf(after, { id, version }))).toBeGreaterThanOrEqual(rank(vettings, vettingOf(before, { id, version })));
    }
  }
  const { providers, models, keys, egress, inside, resolve, resolvers, trust, policies, organization } = before;
  expect(after).toMatchObject({ providers, models, keys, egress, inside, resolve, resolvers, trust, policies, organization });
}

it('nothing in a workspace file loosens anything', () => {
  let accepted = 0;
  fc.assert(
    fc.property(own, foreign, (mine, theirs) => {
      const user = layer('user', JSON.stringify(mine));
      const before = attempt(() => merge([user], []));
      const after = attempt(() => merge([user, layer('workspace', JSON.stringify(theirs))], []));
      if (before instanceof IntramurError) throw before;
      if (after instanceof IntramurError) return;
      accepted += 1;
      expectNoLooser(before, after);
    }),
    { numRuns: 1000 },
  );
  // Worth something only while some of them are accepted.
  expect(accepted).toBeGreaterThan(20);
});

it('no other file loosens what the system file restricts', () => {
  fc.assert(
    fc.property(own, foreign, own, (system, theirs, named) => {
      const top = layer('system', JSON.stringify(system));
      const alone = attempt(() => merge([top], []));
      const rest = attempt(() => [layer('user', JSON.stringify(theirs)), layer('named', JSON.stringify(named))]);
      if (alone instanceof IntramurError) throw alone;
      if (rest instanceof IntramurError) return;
      const all = attempt(() => merge([...rest, top], []));
      // The user's file may name a model provider that is not there.
      if (all instanceof IntramurError) return;
      for (const { match: glob, classification } of alone.repositories) {
        expect(all.repositories).toContainEqual({ match: glob, classification });
      }
      expect(all.packs).toEqual(expect.arrayContaining(system.packs ?? []));
      if (system.packs && !system.packs.includes('baseline')) expect(all.packs).not.toContain('baseline');
      if (system.purposes?.default === 'production') expect(all.defaultPurpose).toBe('production');
      if (system.inspect?.secrets === 'block') expect(all.inspect.secrets).toBe('block');
      if (system.egress) expect(all.egress).toEqual(alone.egress);
      if (system.providers) expect(all.providers).toEqual(alone.providers);
      for (const id of Object.keys(system.tools ?? {})) {
        for (const version of ['1.0.0', '2.0.0']) {
          const rank = (config: Config) => vettings.indexOf(vettingOf(config, { id, version }));
          expect(rank(all)).toBeGreaterThanOrEqual(rank(alone));
        }
      }
    }),
    { numRuns: 1000 },
  );
});
