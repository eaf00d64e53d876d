// Matches a pattern without going back: it keeps the set of places that the pattern so far can reach. Patterns and texts come from
// hostile files, where an engine that tries one way after the other could run for years.

export type Pattern =
  | { readonly kind: 'one'; readonly accepts: (char: string) => boolean }
  | { readonly kind: 'place'; readonly holds: (text: string, at: number) => boolean }
  | { readonly kind: 'sequence' | 'choice'; readonly parts: readonly Pattern[] }
  | { readonly kind: 'repeat'; readonly body: Pattern; readonly least: number; readonly most: number }
  | { readonly kind: 'look'; readonly body: Pattern; readonly isBehind: boolean; readonly isNegated: boolean };

/** Far more than a rule that somebody wrote in earnest needs for a path or a command: some milliseconds. */
const mostSteps = 100_000;

class TooCostly extends Error {}

/** Where a match can end that begins at one of `starts`; `undefined` when finding out costs too much. */
export function endsOf(pattern: Pattern, text: string, starts: Iterable<number>): ReadonlySet<number> | undefined {
  try {
    return new Matcher(text).run(pattern, new Set(starts), false);
  } catch (error) {
    if (error instanceof TooCostly) return undefined;
    throw error;
  }
}

export function everyPlace(text: string): readonly number[] {
  return text.length > mostSteps ? [] : Array.from({ length: text.length + 1 }, (_, at) => at);
}

class Matcher {
  private readonly text: string;
  private steps = 0;

  constructor(text: string) {
    this.text = text;
    this.spend(text.length);
  }

  private spend(steps: number): void {
    this.steps += steps;
    if (this.steps > mostSteps) throw new TooCostly();
  }

  /** @param isBack from the ends of a match to where it can begin */
  run(pattern: Pattern, from: ReadonlySet<number>, isBack: boolean): ReadonlySet<number> {
    this.spend(from.size + 1);
    if (from.size === 0) return from;
    switch (pattern.kind) {
      case 'one':
        return this.step(pattern.accepts, from, isBack);
      case 'place':
        return new Set([...from].filter((at) => pattern.holds(this.text, at)));
      case 'sequence':
        return (isBack ? pattern.parts.toReversed() : pattern.parts).reduce((reached, part) => this.run(part, reached, isBack), from);
      case 'choice': {
        const reached = new Set<number>();
        for (const part of pattern.parts) for (const at of this.run(part, from, isBack)) reached.add(at);
        return reached;
      }
      case 'repeat':
        return this.repeat(pattern.body, pattern.least, pattern.most, from, isBack);
      case 'look': {
        const held = this.run(pattern.body, new Set(everyPlace(this.text)), !pattern.isBehind);
        return new Set([...from].filter((at) => held.has(at) !== pattern.isNegated));
      }
    }
  }

  private step(accepts: (char: string) => boolean, from: ReadonlySet<number>, isBack: boolean): ReadonlySet<number> {
    const reached = new Set<number>();
    for (const at of from) {
      const char = this.text[isBack ? at - 1 : at];
      if (char !== undefined && accepts(char)) reached.add(isBack ? at - 1 : at + 1);
    }
    return reached;
  }

  private repeat(body: Pattern, least: number, most: number, from: ReadonlySet<number>, isBack: boolean): ReadonlySet<number> {
    let latest = from;
    for (let i = 0; i < least && latest.size > 0; i++) latest = this.run(body, latest, isBack);
    const reached = new Set(latest);
    // A place that was reached before leads nowhere new.
    for (let i = least; i < most && latest.size > 0; i++) {
      latest = new Set([...this.run(body, latest, isBack)].filter((at) => !reached.has(at)));
      for (const at of latest) reached.add(at);
    }
    return reached;
  }
}
