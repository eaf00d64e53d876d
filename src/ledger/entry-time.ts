// The time of an entry as RFC 3339. Entries come by the thousand in a second, so that its text up to the second is made once.

let second = Number.NaN;
let untilSecond = '';

/** What `toISOString` gives. Throws RangeError for a date that is none. */
export function timeText(time: Date): string {
  const ms = time.getTime();
  const of = Math.floor(ms / 1000);
  if (of !== second) {
    untilSecond = time.toISOString().slice(0, -'000Z'.length);
    second = of;
  }
  return `${untilSecond}${String(ms - of * 1000).padStart(3, '0')}Z`;
}
