import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Vetting } from '../core/index.ts';
import {
  closedHosts,
  judge,
  type Register,
  type RunningTool,
  readRegister,
  type Statement,
  statementFrom,
  vettingOf,
  withStatement,
  writeRegister,
} from './index.ts';

const [a, b] = ['a'.repeat(64), 'b'.repeat(64)];
const said = (verb: Statement['verb'], more: Partial<Statement> = {}): Statement => ({
  verb,
  agent: 'x',
  by: 'alice',
  at: '2026-01-01T00:00:00.000Z',
  ...more,
});
const of = (...statements: Statement[]): Register => statements.reduce<Register>(withStatement, []);

describe('what holds for a tool', () => {
  it.each<[string, Register, Omit<RunningTool, 'id'>, Vetting | undefined]>([
    ['nothing is said', [], {}, undefined],
    ['banned', of(said('ban')), { version: '1.0.0' }, 'banned'],
    ['a ban of some versions, inside', of(said('ban', { versions: '<2' })), { version: '1.0.0' }, 'banned'],
    ['a ban of some versions, outside', of(said('ban', { versions: '<2' })), { version: '2.0.0' }, undefined],
    ['a ban of some versions, of which this may be one', of(said('ban', { versions: '<2' })), {}, 'banned'],
    ['vetted', of(said('vet')), {}, 'vetted'],
    ['vetted from a version on, version unknown', of(said('vet', { versions: '>=2' })), {}, undefined],
    ['banned, then vetted from a version on', of(said('ban'), said('vet', { versions: '>=2' })), { version: '2.1.0' }, 'vetted'],
    ['banned, then vetted from a version on, older', of(said('ban'), said('vet', { versions: '>=2' })), { version: '1.0.0' }, 'banned'],
    ['vetted, then one version banned', of(said('vet'), said('ban', { versions: '2.0.1' })), { version: '2.0.1' }, 'banned'],
    ['vetted, then one version banned, another', of(said('vet'), said('ban', { versions: '2.0.1' })), { version: '2.0.2' }, 'vetted'],
    [
      'one version banned, then a range around it vetted',
      of(said('ban', { versions: '2.0.1' }), said('vet', { versions: '>=2' })),
      { version: '2.0.1' },
      'banned',
    ],
    [
      'one version banned, then a range around it vetted, another',
      of(said('ban', { versions: '2.0.1' }), said('vet', { versions: '>=2' })),
      { version: '2.0.2' },
      'vetted',
    ],
    [
      'one version banned, then vetted',
      of(said('ban', { versions: '2.0.1' }), said('vet', { versions: '2.0.1' })),
      { version: '2.0.1' },
      'vetted',
    ],
    [
      'vetted under its name, banned by its hash under another',
      of(said('ban', { agent: 'y', sha256: a }), said('vet')),
      { sha256: a },
      'banned',
    ],
    ['pinned, the one', of(said('pin', { sha256: a })), { sha256: a }, 'vetted'],
    ['pinned, another', of(said('pin', { sha256: a })), { sha256: b }, 'banned'],
    ['pinned, not known which', of(said('pin', { sha256: a })), {}, 'banned'],
    [
      'pinned by version and hash, one of them differs',
      of(said('pin', { sha256: a, versions: '1.0.0' })),
      { sha256: a, version: '1.0.1' },
      'banned',
    ],
    ['pinned anew', of(said('pin', { sha256: a }), said('pin', { sha256: b })), { sha256: a }, 'banned'],
    ['pinned, then vetted as a whole', of(said('pin', { sha256: a }), said('vet')), { sha256: b }, 'vetted'],
    ['a banned program under another name', of(said('ban', { agent: 'y', sha256: a })), { sha256: a }, 'banned'],
    ['a pin of another tool', of(said('pin', { agent: 'y', sha256: a })), { sha256: b }, undefined],
  ])('%s', (_name, register, tool, expected) => {
    expect(judge(register, { id: 'x', ...tool })?.vetting).toBe(expected);
  });

  it.each<[string, Vetting | undefined, Statement | undefined, Vetting]>([
    ['neither speaks', undefined, undefined, 'unvetted'],
    ['the register alone', undefined, said('vet'), 'vetted'],
    ['the configuration is not loosened: unvetted', 'unvetted', said('vet'), 'unvetted'],
    ['the configuration is not loosened: banned', 'banned', said('vet'), 'banned'],
    ['the configuration is tightened', 'vetted', said('ban'), 'banned'],
  ])('with the configuration: %s', (_name, status, statement, expected) => {
    const tools = status === undefined ? {} : { x: { status } };
    expect(vettingOf({ tools }, { id: 'x' }, statement === undefined ? [] : [statement])).toBe(expected);
  });

  const statements = fc.array(
    fc.record({
      verb: fc.constantFrom('ban', 'vet', 'pin'),
      sha256: fc.constantFrom(undefined, a, b),
      versions: fc.constantFrom(undefined, '1.0.0', '>=1', '<1'),
    }),
    { maxLength: 12 },
  );
  it('whatever is said, a tool of which nothing is known is never better off than a known one, and a ban is in force when it is said', () => {
    fc.assert(
      fc.property(statements, (all) => {
        const register = of(
          ...all.map(({ verb, sha256, versions }) =>
            said(verb, { ...(verb === 'pin' || sha256 ? { sha256: sha256 ?? a } : {}), ...(versions ? { versions } : {}) }),
          ),
        );
        if (judge(register, { id: 'x' })?.vetting === 'vetted')
          for (const tool of [
            { version: '1.0.0', sha256: a },
            { version: '0.1.0', sha256: b },
          ])
            expect(judge(register, { id: 'x', ...tool })?.vetting).not.toBe(undefined);
        expect(judge(withStatement(register, said('ban')), { id: 'x', version: '1.0.0', sha256: a })?.vetting).toBe('banned');
      }),
    );
  });
});

it('closes the hosts of what is banned as a whole, until it is vetted or pinned', () => {
  const ban = said('ban', { hosts: ['model.example'] });
  expect([...closedHosts(of(ban))]).toEqual([['model.example', 'x']]);
  expect([...closedHosts(of(ban, said('ban', { versions: '1.0.0' })))]).toEqual([['model.example', 'x']]);
  expect([...closedHosts(of(ban, said('vet', { versions: '>=2' })))]).toEqual([]);
  expect([...closedHosts(of(ban, said('pin', { sha256: a })))]).toEqual([]);
});

describe('the file', () => {
  const inFile = (work: (file: string) => void) => {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'register-'));
    try {
      work(path.join(dir, 'agents.json'));
    } finally {
      fs.rmSync(dir, { recursive: true });
    }
  };

  it('keeps what was said, for the user alone', () =>
    inFile((file) => {
      const register = of(said('ban', { reason: 'no', versions: '<2' }), said('pin', { agent: 'y', sha256: a }));
      writeRegister(file, register);
      expect(readRegister(file)).toEqual(register);
      expect(fs.statSync(file).mode & 0o777).toBe(0o600);
    }));

  it.each([
    '',
    '{',
    '[]',
    '{"statements":[{"verb":"ban"}]}',
    '{"statements":[{"verb":"allow","agent":"x","by":"a","at":"2026-01-01T00:00:00Z"}]}',
  ])('that does not read is no empty register: %j', (text) =>
    inFile((file) => {
      fs.writeFileSync(file, text);
      expect(() => readRegister(file)).toThrow(/agents\.json/);
    }),
  );

  it('does not grow without end', () => {
    let register: Register = [];
    for (let i = 0; i < 64; i++) register = withStatement(register, said('ban', { versions: `1.0.${i}` }));
    expect(() => withStatement(register, said('ban', { versions: '2' }))).toThrow(/more than 64/);
    expect(withStatement(register, said('vet'))).toEqual([said('vet')]);
  });

  it.each([
    { agent: '../x' },
    { agent: 'x\n' },
    { sha256: 'A'.repeat(64) },
    { versions: 'latest' },
    { reason: 'two\nlines' },
    { hosts: ['*'] },
    { verb: 'pin', sha256: undefined },
  ])('takes no statement with %j', (more) => {
    expect(statementFrom({ ...said('ban'), ...more })).toBe(undefined);
  });
});
