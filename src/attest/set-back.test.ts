// What follows openly from the clock is set back, in the spelling that it has; everything else stays.
import { expect, it } from 'vitest';
import { clockAheadMs, levels } from './factors.ts';
import type { RunRecord } from './record.ts';
import { setBackOf } from './set-back.ts';

const assignment = { date: levels.date.others[0]?.id ?? '' };
const aheadMs = clockAheadMs(assignment);
const startedAt = new Date(Date.UTC(2027, 5, 10, 13, 5));
const ms = startedAt.getTime() + 1500;
const run: RunRecord = {
  assignment,
  stated: {},
  startedAt,
  endedAt: new Date(startedAt.getTime() + 9000),
  timezone: 'Asia/Shanghai',
  locale: 'de-DE',
  requests: [],
};
const { text } = setBackOf(run);

const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const ulid = (time: number): string =>
  `${Array.from({ length: 10 }, (_, i) => alphabet[Math.floor(time / 32 ** (9 - i)) % 32]).join('')}7ZZZZZZZZZZZZZZZ`;

it.each<[string, string, string]>([
  ['ISO 8601', '2027-06-10T13:05:01.500Z', '2026-11-22T13:05:01.500Z'],
  ['another separator, which stays', 'on 2027/06/10.', 'on 2026/11/22.'],
  ['day first, without zeros', '10.6.2027', '22.11.2026'],
  ['month first', '06/10/2027', '11/22/2026'],
  ['words of the locale', 'Donnerstag, 10. Juni 2027', 'Sonntag, 22. November 2026'],
  ['English words', 'Thu Jun 10 2027', 'Sun Nov 22 2026'],
  ['milliseconds', `{"at":${ms}}`, `{"at":${ms - aheadMs}}`],
  ['seconds', `t=${Math.floor(ms / 1000)};`, `t=${Math.floor((ms - aheadMs) / 1000)};`],
  ['base 36', ms.toString(36), (ms - aheadMs).toString(36)],
  ['ULID', ulid(ms), ulid(ms - aheadMs)],
])('%s', (_name, sent, expected) => {
  expect(text(sent)).toBe(expected);
});

it.each([
  ['another day', '2027-06-12'],
  ['a version', '10.6.2028'],
  ['an address', '192.168.10.6'],
  ['a time of last year', String(ms - 365 * 86_400_000)],
  ['a word', 'platform constants'],
  ['a digest', 'da39a3ee5e6b4b0d3255bfef95601890afd80709'],
])('%s stays', (_name, sent) => {
  expect(text(sent)).toBe(sent);
});

it('by the true clock nothing is set back', () => {
  expect(setBackOf({ ...run, assignment: {} }).text('2027-06-10')).toBe('2027-06-10');
});
