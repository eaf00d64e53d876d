// The outcome of writing a canonical request in a dialect.
import type { JsonObject } from '../json.ts';
import type { Settings } from './request.ts';

export interface Written {
  readonly body: JsonObject;
  /** Settings that the dialect has no word for. */
  readonly dropped: readonly (keyof Settings)[];
}
