import { expect, it } from 'vitest';
import { levelOf, variedIn } from './factors.ts';
import type { RunRecord } from './record.ts';
import { Explainer } from './stated.ts';

const moment = new Date('2026-03-04T12:00:00Z');

function run(assignment: RunRecord['assignment'] = {}): RunRecord {
  const [timezone, locale] = [levelOf('timezone', assignment), levelOf('locale', assignment)];
  const stated = { timezone: timezone.stated, locale: locale.stated };
  const language = locale.id.replace(/\..*/, '').replace('_', '-');
  return { assignment, stated, startedAt: moment, endedAt: moment, timezone: timezone.id, locale: language, requests: [] };
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
