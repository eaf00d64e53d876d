// What a line openly states of the surroundings, and what is left when that is set aside. A localised date and the time of day follow from
// locale and time zone; they are set aside only in exactly the form that the run's locale gives them, so that a date in another form stays.
import { type Factor, variedIn } from './factors.ts';
import type { RunRecord } from './record.ts';
import { differences, type Token, tokenize } from './tokens.ts';

export interface Residual {
  /** Position in the line of the reference run. */
  readonly at: number;
  readonly ref: readonly string[];
  readonly run: readonly string[];
}

export interface Explained {
  readonly residuals: readonly Residual[];
  /** Factors whose value the line states in one of the two runs. */
  readonly stated: ReadonlySet<Factor>;
  /** Those of them that this run shows by itself: a zone or a day that varies too may be all that the line says. */
  readonly shown: ReadonlySet<Factor>;
}

/** The words that stand for something in one run, as one pattern. */
class Words {
  readonly #kinds = new Map<string, string>();
  readonly #pattern: RegExp | undefined;
  readonly #run: RunRecord;
  readonly #isLocalised: boolean;

  constructor(run: RunRecord, factors: readonly Factor[]) {
    this.#run = run;
    this.#isLocalised = factors.includes('locale');
    const sources: string[] = [];
    const add = (key: string, source: string, kind: string): void => {
      if (key === '' || this.#kinds.has(key)) return;
      this.#kinds.set(key, kind);
      sources.push(source);
    };
    for (const factor of factors) for (const text of run.stated[factor] ?? []) add(plain(text), sourceOf(text), factor);
    for (const text of zoneNames(run)) add(plain(text), sourceOf(text), 'timezone');
    // A date in exactly this form: another separator is another form.
    for (const [text, form] of dates(run)) add(text.toLowerCase(), escapeRegExp(text), `date:${form}`);
    const longestFirst = sources.toSorted((a, b) => b.length - a.length);
    this.#pattern = new RegExp(`(?<![A-Za-z0-9])(?:${[...longestFirst, timeOfDay].join('|')})(?![A-Za-z0-9])`, 'giu');
  }

  knows(text: string): boolean {
    return this.#kinds.has(text) || this.#kinds.has(plain(text));
  }

  /** The line with a placeholder for each stated value. */
  tokens(line: string, found: Map<string, string>): Token[] {
    const tokens: Token[] = [];
    let at = 0;
    for (const match of this.#pattern === undefined ? [] : line.matchAll(this.#pattern)) {
      const kind =
        this.#kinds.get(match[0].toLowerCase()) ??
        this.#kinds.get(plain(match[0])) ??
        (isNow(match[0], this.#run) ? 'date:time' : undefined);
      if (kind === undefined) continue;
      tokens.push(...tokenize(line.slice(at, match.index), at), { text: `⟨${kind}⟩`, at: match.index });
      found.set(kind, `${found.get(kind) ?? ''}\n${match[0].toLowerCase()}`);
      at = match.index + match[0].length;
    }
    const all = [...tokens, ...tokenize(line.slice(at), at)];
    return this.#isLocalised ? withMoments(all) : all;
  }
}

/** A date and a time of day are one moment, however the language of the locale joins them. */
function withMoments(tokens: readonly Token[]): Token[] {
  const joined: Token[] = [];
  for (const token of tokens) {
    const date = joined.findLastIndex(({ text }) => text.startsWith('⟨date:') && text !== '⟨date:time⟩');
    const between = joined.slice(date + 1).map(({ text }) => text);
    const isMoment =
      token.text === '⟨date:time⟩' &&
      date >= 0 &&
      between.length <= 6 &&
      /^[\s,]*(?:at|um|上午|下午|凌晨|晚上)?\s*$/u.test(between.join(''));
    const start = joined[date];
    if (isMoment && start !== undefined) joined.splice(date, joined.length, { text: '⟨date:moment⟩', at: start.at });
    else joined.push(token);
  }
  return joined;
}

const timeOfDay = String.raw`(?:\d{4}-\d\d-\d\dT)?\d{1,2}:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?:\s?[AP]M)?`;

/** Compares lines of one run with those of the reference. */
export class Explainer {
  readonly #factors: readonly Factor[];
  readonly #ofRef: Words;
  readonly #ofRun: Words;
  /** The same run in the reference's language, where locale and zone or day vary together. */
  readonly #inRefLocale: Words | undefined;
  readonly #refDay: readonly string[];
  readonly #runDays: readonly (readonly string[])[];

  /** @param sent the run by the clock that the program saw, where that was another one */
  constructor(ref: RunRecord, run: RunRecord, sent = run) {
    this.#refDay = dayParts(ref);
    this.#runDays = run === sent ? [dayParts(run)] : [dayParts(run), dayParts(sent)];
    this.#factors = variedIn(run.assignment);
    this.#ofRef = new Words(ref, this.#factors);
    this.#ofRun = new Words(run, this.#factors);
    const isMixed = this.#factors.includes('locale') && this.#factors.some((factor) => factor === 'timezone' || factor === 'date');
    this.#inRefLocale = isMixed ? new Words({ ...run, locale: ref.locale }, this.#factors) : undefined;
  }

  /** Whether nothing varies in the run: what differs is chance. */
  get isBase(): boolean {
    return this.#factors.length === 0;
  }

  explain(ref: string, run: string): Explained {
    const inRef = new Map<string, string>();
    const inRun = new Map<string, string>();
    const setAside = compare(this.#ofRef.tokens(ref, inRef), this.#ofRun.tokens(run, inRun), ref.length);
    const residuals = setAside.filter(({ run: tokens }) => !tokens.some((text) => this.#isStated(text)));
    const raw = compare(tokenize(ref), tokenize(run), ref.length);
    // A placeholder must not make a small difference large: then the plain comparison says more.
    if (weight(raw) < weight(residuals)) {
      const left = raw.filter((residual) => !this.#isNextDay(residual));
      const isDated = left.length < raw.length;
      const stated = new Set(isDated ? this.#factors.filter(movesTheDay) : []);
      return { residuals: left, stated, shown: stated };
    }
    const changed = [...new Set([...inRef.keys(), ...inRun.keys()])].filter((kind) => inRef.get(kind) !== inRun.get(kind));
    const left = this.#factors.some(movesTheDay) ? residuals.filter((residual) => !this.#isNextDay(residual)) : residuals;
    const isStated = (factor: Factor): boolean =>
      changed.includes(factor) || follows(factor, changed) || (movesTheDay(factor) && left.length < residuals.length);
    const stated = this.#factors.filter(isStated);
    const words = this.#inRefLocale;
    // Only what the reference's language would have put otherwise tells of the locale.
    const isOtherwise = (kind: string): boolean =>
      words === undefined || (inRun.get(kind) ?? '').split('\n').some((text) => text !== '' && !words.knows(text));
    const isShown = (factor: Factor): boolean =>
      factor !== 'locale' || changed.includes('locale') || changed.some((kind) => follows('locale', [kind]) && isOtherwise(kind));
    return { residuals: left, stated: new Set(stated), shown: new Set(stated.filter(isShown)) };
  }

  /** A part of the date that is another one in the run: it follows from its zone or its clock, whatever stands between the parts. */
  #isNextDay({ ref, run }: Residual): boolean {
    const isPart = (after: readonly string[]): boolean =>
      this.#refDay.some((part, i) => part !== after[i] && ref.join('') === part && run.join('') === after[i]);
    return this.#runDays.some(isPart);
  }

  #isStated(text: string): boolean {
    return this.#factors.some((factor) => text === `⟨${factor}⟩`);
  }
}

function movesTheDay(factor: Factor): boolean {
  return factor === 'timezone' || factor === 'date';
}

/** A date or time of day follows from the zone, and its form from the locale. */
function follows(factor: Factor, changed: readonly string[]): boolean {
  const form = movesTheDay(factor) ? /^date:/ : factor === 'locale' ? /^(?:date:(?:full|long|medium|short|default)|timezone)$/ : undefined;
  return form !== undefined && changed.some((kind) => form.test(kind));
}

function compare(ref: readonly Token[], run: readonly Token[], end: number): Residual[] {
  const texts = (tokens: readonly Token[]): string[] => tokens.map(({ text }) => text);
  return differences(texts(ref), texts(run)).flatMap(({ aStart, aEnd, bStart, bEnd }) => {
    const [before, after] = [ref.slice(aStart, aEnd), run.slice(bStart, bEnd)];
    // As many on both sides: one for one, so that each position is judged by itself.
    if (before.length === after.length)
      return before.map((token, i) => ({ at: token.at, ref: [token.text], run: texts(after.slice(i, i + 1)) }));
    return [{ at: ref[aStart]?.at ?? end, ref: texts(before), run: texts(after) }];
  });
}

function weight(residuals: readonly Residual[]): number {
  return residuals.reduce((sum, { ref, run }) => sum + weightOf(ref) + weightOf(run), 0);
}

/** A date that is left over (in another form than the reference's) weighs what it stands for. */
function weightOf(tokens: readonly string[]): number {
  return tokens.reduce((sum, text) => sum + (text.startsWith('⟨date:') ? 5 : 1), 0);
}

/** The same words, however they are separated or escaped (`/home/a` and `-home-a`). */
function plain(text: string): string {
  const words = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  return words.length > 1 ? words.join(' ') : text.toLowerCase().trim();
}

function sourceOf(text: string): string {
  const words = text.match(/[\p{L}\p{N}]+/gu) ?? [];
  if (words.length < 2 || /^[+-]/.test(text) || /\d:\d/.test(text)) return escapeRegExp(text);
  const lead = escapeRegExp(/^[^\p{L}\p{N}]*/u.exec(text)?.[0] ?? '');
  // A leading slash or an ending bracket may be written otherwise as well.
  return `${lead === '' ? '' : `(?:${lead})?`}${words.map(escapeRegExp).join(String.raw`[^\p{L}\p{N}\n]{1,3}`)}`;
}

export function escapeRegExp(text: string): string {
  return text.replaceAll(/[/\\^$*+?.()|[\]{}]/g, String.raw`\$&`);
}

/** The day of the run in every standard form of its locale, each with the name of the form. */
function dates(run: RunRecord): readonly [string, string][] {
  const key = `${run.timezone} ${run.locale} ${run.startedAt.toISOString().slice(0, 13)} ${run.endedAt.toISOString().slice(0, 13)}`;
  const known = dateCache.get(key) ?? datesOf(run);
  dateCache.set(key, known);
  return known;
}

/** The zone of a run as its locale, and as English, calls it. */
function zoneNames({ timezone: timeZone, locale, startedAt }: RunRecord): string[] {
  return [locale, 'en-US'].flatMap((language) =>
    (['long', 'longGeneric', 'longOffset'] as const).flatMap((timeZoneName) => {
      const parts = formatter(language, { timeZone, timeZoneName }).formatToParts(startedAt);
      const name = parts.find(({ type }) => type === 'timeZoneName')?.value;
      return name === undefined || name.length < 5 ? [] : [name, name.replace(/^(GMT[+-]\d\d):(\d\d)$/, '$1$2')];
    }),
  );
}

/** Few: one for each zone, locale and hour. */
const dateCache = new Map<string, readonly [string, string][]>();

function datesOf(run: RunRecord): [string, string][] {
  return [...new Map([run.startedAt, run.endedAt].flatMap((moment) => formsOf(moment, run)))];
}

/** A day as programs write it, in the zone and language of a run: always as many forms, in the same order. */
export function formsOf(day: Date, { timezone: timeZone, locale }: Pick<RunRecord, 'timezone' | 'locale'>): [string, string][] {
  const found: [string, string][] = [
    [formatter('en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' }).format(day), 'iso'],
    [day.toISOString().slice(0, 10), 'iso'],
  ];
  // A program may also ignore the locale and write English.
  for (const language of [locale, 'en-US']) {
    for (const dateStyle of ['full', 'long', 'medium', 'short'] as const)
      found.push([formatter(language, { timeZone, dateStyle }).format(day), dateStyle]);
    found.push([formatter(language, { timeZone }).format(day), 'default']);
  }
  const words = formatter('en-US', { timeZone, weekday: 'short', month: 'short', day: '2-digit', year: 'numeric' }).format(day);
  return [...found, [words.replaceAll(',', ''), 'string']];
}

/** Whether a time of day, or an ISO time, lies within the run, in its zone or in UTC. */
function isNow(text: string, { startedAt, endedAt, timezone }: RunRecord): boolean {
  const [, day, hours = '', minutes = '', half] = /^(\d{4}-\d\d-\d\d)?T?(\d{1,2}):(\d\d).*?([AP]M)?$/i.exec(text) ?? [];
  const hour = half === undefined ? Number(hours) : (Number(hours) % 12) + (half.toUpperCase() === 'PM' ? 12 : 0);
  const minute = hour * 60 + Number(minutes);
  return ['UTC', timezone].some((zone) => {
    const from = minuteOfDay(startedAt, zone) - 2;
    const to = minuteOfDay(endedAt, zone) + 2;
    const isInside = from <= to ? minute >= from && minute <= to : minute >= from || minute <= to;
    return isInside && (day === undefined || dayIn(startedAt, zone) === day || dayIn(endedAt, zone) === day);
  });
}

/** Year, month and day as numbers, padded and not, and the names of month and weekday. */
function dayParts({ startedAt, timezone: timeZone, locale }: RunRecord): string[] {
  const numbers = dayIn(startedAt, timeZone).split('-');
  const names = [locale, 'en-US'].flatMap((language) =>
    (['long', 'short'] as const).flatMap((width) =>
      [{ weekday: width }, { month: width }].map((part) => formatter(language, { timeZone, ...part }).format(startedAt)),
    ),
  );
  return [...numbers, ...numbers.map((part) => String(Number(part))), ...names];
}

/** Making one costs more than using it; there are few, for each zone and language. */
const formatters = new Map<string, Intl.DateTimeFormat>();

function formatter(locale: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${locale} ${JSON.stringify(options)}`;
  const known = formatters.get(key) ?? new Intl.DateTimeFormat(locale, options);
  formatters.set(key, known);
  return known;
}

function minuteOfDay(moment: Date, timeZone: string): number {
  const [hours, minutes] = formatter('en-GB', { timeZone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(moment).split(':');
  return Number(hours) * 60 + Number(minutes);
}

export function dayIn(moment: Date, timeZone: string): string {
  return formatter('en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' }).format(moment);
}
