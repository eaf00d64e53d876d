// How much may be under way at once. More is turned away before it holds memory, with the one answer that means "later" to every
// client: 429 with retry-after.
import { type Dialect, type ExchangeReply, product } from '../core/index.ts';
import { mapError } from '../wire/index.ts';

export interface AdmissionLimits {
  readonly maxCalls: number;
  /** Bodies that are held at the same time, all calls together. */
  readonly maxHeldBytes: number;
}

export interface Admission {
  /** `undefined` when there is no room. */
  enter(): Admitted | undefined;
  readonly calls: number;
  /** All that were let in so far. */
  readonly begun: number;
}

export interface Admitted {
  /** False when holding so many more bytes would be too much. */
  hold(bytes: number): boolean;
  /** Gives the place and the bytes back. May be called more than once. */
  leave(): void;
}

export function createAdmission({ maxCalls, maxHeldBytes }: AdmissionLimits): Admission {
  let calls = 0;
  let begun = 0;
  let held = 0;
  return {
    get calls() {
      return calls;
    },
    get begun() {
      return begun;
    },
    enter() {
      if (calls >= maxCalls) return undefined;
      calls++;
      begun++;
      let own = 0;
      let isIn = true;
      return {
        hold(bytes) {
          if (held + bytes > maxHeldBytes) return false;
          held += bytes;
          own += bytes;
          return true;
        },
        leave() {
          if (!isIn) return;
          isIn = false;
          calls--;
          held -= own;
        },
      };
    },
  };
}

/** The dialect's own rate-limit error; made from another dialect's, which is what translation of errors is for. */
export function overloaded(dialect: Dialect): ExchangeReply {
  const message = `${product.refusalPrefix} too many calls are under way at once (policy admission); try again in a moment`;
  const from: Dialect = dialect === 'gemini' ? 'openai-chat' : 'gemini';
  const { status, body } = mapError(from, dialect, 429, Buffer.from(JSON.stringify({ error: { message } })));
  return { status, rawHeaders: ['content-type', 'application/json', 'content-length', String(body.length), 'retry-after', '2'], body };
}
