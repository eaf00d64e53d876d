import { describe, expect, it } from 'vitest';
import { levelOf, variedIn } from './factors.ts';
import type { RunRecord } from './record.ts';
import { Explainer } from './stated.ts';

const moment = new Date('2026-03-04T12:00:00Z');

function run(assignment: RunRecord['assignment'] = {}, at = moment): RunRecord {
  const [timezone, locale] = [levelOf('timezone', assignment), levelOf('locale', assignment)];
  const stated = { timezone: timezone.stated, locale: locale.stated };
  const language = locale.id.replace(/\..*/, '').replace('_', '-');
  return { assignment, stated, startedAt: at, endedAt: at, timezone: timezone.id, locale: language, requests: [] };
}

const dateIn = (language: string, timeZone = 'UTC') => new Intl.DateTimeFormat(language, { timeZone, dateStyle: 'long' }).format(moment);
const zoneIn = (language: string, timeZone: string) =>
  new Intl.DateTimeFormat(language, { timeZone, timeZoneName: 'long' }).formatToParts(moment).find(({ type }) => type === 'timeZoneName')
    ?.value;

it.each<[string, RunRecord['assignment'], string, string, string[]]>([
  [
    'a zone, in a run that varies the locale too',
    { timezone: 'Asia/Shanghai', locale: 'de_DE.UTF-8' },
    'UTC UTC',
    'CST Asia/Shanghai',
    ['timezone'],
  ],
  [
    'a zone by its name in the language',
    { timezone: 'Asia/Shanghai', locale: 'de_DE.UTF-8' },
    `in ${zoneIn('en-US', 'UTC')}`,
    `in ${zoneIn('de-DE', 'Asia/Shanghai')}`,
    ['timezone', 'locale'],
  ],
  [
    'a date in the language',
    { timezone: 'Asia/Shanghai', locale: 'de_DE.UTF-8' },
    dateIn('en-US'),
    dateIn('de-DE', 'Asia/Shanghai'),
    ['timezone', 'locale'],
  ],
  ['the locale itself', { timezone: 'Asia/Shanghai', locale: 'de_DE.UTF-8' }, 'en_US UTC', 'de_DE CST', ['timezone', 'locale']],
  ['a date in the language, and no other zone', { locale: 'de_DE.UTF-8' }, dateIn('en-US'), dateIn('de-DE'), ['locale']],
])('%s', (_name, assignment, ref, line, shown) => {
  const { residuals, shown: found } = new Explainer(run(), run(assignment)).explain(ref, line);
  expect([residuals, [...found].toSorted()]).toEqual([[], shown.toSorted()]);
  expect(variedIn(assignment)).toEqual(expect.arrayContaining(shown));
});

describe('an hour in which another zone has another day', () => {
  const eve = new Date('2026-11-30T17:00:00Z');
  const shanghai = { timezone: 'Asia/Shanghai' } as const;
  const explained = (ref: string, line: string, at = eve) => new Explainer(run({}, at), run(shanghai, at)).explain(ref, line);

  it.each([
    ['The month is November 2026', 'The month is December 2026'],
    ['on a Monday', 'on a Tuesday'],
    ['2026/11/30', '2026/12/01'],
    ['on Nov 30, as ever', 'on Dec 1, as ever'],
  ])('a part of the date states the zone: %s, %s', (ref, line) => {
    expect(explained(ref, line)).toMatchObject({ residuals: [], stated: new Set(['timezone']) });
  });

  it.each([
    ['another month than it is there', 'The month is November', 'The month is January', eve],
    ['a month that is the same there', 'The month is March', 'The month is April', moment],
    ['another form', "Today's date is 2026-11-30", 'Today\u02bcs date is 2026/12/01', eve],
  ])('%s stays', (_name, ref, line, at) => {
    expect(explained(ref, line, at).residuals).not.toEqual([]);
  });
});
