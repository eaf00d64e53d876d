// What a decoder is: it looks for one kind of encoding in a view, where the survey of the view points, and yields what it found, decoded.
import type { Budget } from '../limits.ts';
import type { View } from '../view.ts';
import type { Survey } from './survey.ts';

export interface Decoder {
  readonly id: string;
  /** When it yields anything, then views of all that the view holds: nothing stays opaque but what those views say of themselves. */
  readonly readsAll?: true;
  /** Lists of the survey: where they are empty, there is nothing for it. Left out: it looks by itself. */
  readonly needs?: readonly Exclude<keyof Survey, 'apart'>[];
  /**
   * Charges the budget for what it produces, and throws INSPECT_LIMIT rather than leave anything out.
   * INVARIANT: time is linear in the view, whatever it holds.
   */
  decode(view: View, budget: Budget, survey: Survey): Iterable<View>;
}
