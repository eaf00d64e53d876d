// What a program says of the moment, in a run whose clock was ahead: the day in any form, and times within ids and numbers. All of it
// follows openly from the clock, so it is set back by as much before anything is compared; how it is written stays as it was.
import { clockAheadMs } from './factors.ts';
import type { RunRecord } from './record.ts';
import { dayIn, escapeRegExp, formsOf } from './stated.ts';

export interface SetBack {
  /** The same run by the true clock. */
  readonly run: RunRecord;
  /** A text as the program would have written it then; the same text where it says nothing of the time. */
  text(text: string): string;
}

export function setBackOf(run: RunRecord): SetBack {
  const aheadMs = clockAheadMs(run.assignment);
  if (aheadMs === 0) return { run, text: (text) => text };
  const before = (moment: Date): Date => new Date(moment.getTime() - aheadMs);
  const words = wordsOf(run, aheadMs);
  const longestFirst = [...words.keys()].toSorted((a, b) => b.length - a.length);
  const inWords = new RegExp(`(?<![A-Za-z0-9])(?:${longestFirst.map(escapeRegExp).join('|')})(?![A-Za-z0-9])`, 'gu');
  return {
    run: { ...run, startedAt: before(run.startedAt), endedAt: before(run.endedAt) },
    text: (text) =>
      text
        .replaceAll(inWords, (found) => words.get(found) ?? found)
        .replaceAll(threeNumbers, (found) => numbersBack(found, run, aheadMs))
        .replaceAll(longWord, (found) => wordBack(found, run, aheadMs)),
  };
}

function wordsOf(run: RunRecord, aheadMs: number): Map<string, string> {
  const pairs = [run.startedAt, run.endedAt].flatMap((day) => {
    const before = formsOf(new Date(day.getTime() - aheadMs), run);
    return formsOf(day, run).map(([text], i): [string, string] => [text, before[i]?.[0] ?? text]);
  });
  return new Map(pairs);
}

/** A date in numbers, whatever stands between them and whichever comes first. */
const threeNumbers = /(?<![0-9])(\d{1,4})([^\d\n]{1,3})(\d{1,2})([^\d\n]{1,3})(\d{1,4})(?![0-9])/gu;

function numbersBack(found: string, run: RunRecord, aheadMs: number): string {
  const parts = found.split(/(\d+)/u);
  for (const moment of [run.startedAt, run.endedAt]) {
    for (const zone of [run.timezone, 'UTC']) {
      const now = dayIn(moment, zone).split('-').map(Number);
      const then = dayIn(new Date(moment.getTime() - aheadMs), zone)
        .split('-')
        .map(Number);
      const order = orders.find((places) => places.every((place, i) => Number(parts[2 * i + 1]) === now[place]));
      if (order === undefined) continue;
      return parts
        .map((part, i) =>
          i % 2 === 0 ? part : String(then[order[(i - 1) / 2] ?? 0]).padStart(part.startsWith('0') ? part.length : 1, '0'),
        )
        .join('');
    }
  }
  return found;
}

/** Places of year, month and day. */
const orders: readonly (readonly [number, number, number])[] = [
  [0, 1, 2],
  [2, 1, 0],
  [1, 2, 0],
];

/** Long enough for a time in an id. */
const longWord = /[0-9a-f]{8}-[0-9a-f]{4}-7|[0-9A-Za-z]{8,}/gu;

/** A way to write a time at the begin of a word. */
interface Spelling {
  readonly form: RegExp;
  /** Milliseconds since 1970, or undefined. */
  read(word: string): number;
  write(ms: number, word: string): string;
}

const crockford = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const hexTime = 2 ** 48;

const spellings: readonly Spelling[] = [
  { form: /^\d{13}$/u, read: Number, write: String },
  { form: /^\d{10}$/u, read: (word) => Number(word) * 1000, write: (ms) => String(Math.floor(ms / 1000)) },
  { form: /^[0-9a-z]{8}$/u, read: (word) => Number.parseInt(word, 36), write: (ms) => ms.toString(36) },
  {
    // ULID: ten characters of time.
    form: /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/u,
    read: (word) => [...word.slice(0, 10)].reduce((sum, char) => sum * 32 + crockford.indexOf(char), 0),
    write: (ms, word) => Array.from({ length: 10 }, (_, i) => crockford[Math.floor(ms / 32 ** (9 - i)) % 32]).join('') + word.slice(10),
  },
  {
    // UUID of version 7: twelve hexadecimal digits of time.
    form: /^[0-9a-f]{8}-[0-9a-f]{4}-7$/u,
    read: (word) => Number.parseInt(word.slice(0, 8) + word.slice(9, 13), 16),
    write: (ms) =>
      ms
        .toString(16)
        .padStart(12, '0')
        .replace(/^(.{8})(.{4})$/u, '$1-$2-7'),
  },
];

/** Milliseconds and a counter of twelve bits, of which 48 bits are kept; counted down by some, so that the newest comes first. */
function countedBack(word: string, { startedAt, endedAt }: RunRecord, aheadMs: number): string | undefined {
  if (!/^[0-9a-f]{12}/u.test(word)) return undefined;
  const value = Number.parseInt(word.slice(0, 12), 16);
  const turn = (ms: number): number => (((ms * 4096) % hexTime) + hexTime) % hexTime;
  for (const isDown of [false, true]) {
    const counted = isDown ? hexTime - 1 - value : value;
    const since = (((counted - turn(startedAt.getTime() - slackMs)) % hexTime) + hexTime) % hexTime;
    if (since > (endedAt.getTime() - startedAt.getTime() + 2 * slackMs) * 4096) continue;
    const before = (((counted - turn(aheadMs)) % hexTime) + hexTime) % hexTime;
    return (isDown ? hexTime - 1 - before : before).toString(16).padStart(12, '0') + word.slice(12);
  }
  return undefined;
}

/** Programs may write a time a little before they send it, or after. */
const slackMs = 120_000;

function wordBack(word: string, run: RunRecord, aheadMs: number): string {
  for (const { form, read, write } of spellings) {
    if (!form.test(word)) continue;
    const ms = read(word);
    if (ms >= run.startedAt.getTime() - slackMs && ms <= run.endedAt.getTime() + slackMs) return write(ms - aheadMs, word);
  }
  return countedBack(word, run, aheadMs) ?? word;
}
