// How much work one payload may cause. What exceeds a limit is refused, never waved through.
import { IntramurError } from '../core/index.ts';

export interface Limits {
  /** Of the payload as it came. */
  readonly maxBytes: number;
  /** Of all decoded views together. */
  readonly maxViewBytes: number;
  readonly maxViews: number;
  /** Encodings inside encodings. */
  readonly maxDepth: number;
  readonly maxFindings: number;
  readonly maxMs: number;
}

export const defaultLimits: Limits = {
  maxBytes: 64 << 20,
  maxViewBytes: 192 << 20,
  maxViews: 20_000,
  maxDepth: 3,
  maxFindings: 5_000,
  maxMs: 10_000,
};

/** What is left of the limits while one payload is looked at. Every charge that does not fit throws INSPECT_LIMIT. */
export interface Budget {
  readonly limits: Limits;
  chargeView(bytes: number): void;
  /** Bytes that a decompressor may still produce. */
  readonly viewBytesLeft: number;
  /** The fault of what would decode to more bytes than are left. */
  spent(what: string): IntramurError;
  /** More would have been decoded than the limit on bytes allows. */
  readonly isSpent: boolean;
  checkTime(): void;
  /** Of something that no decoder could make text of. */
  noteOpaque(): void;
  readonly isOpaque: boolean;
  /** Of the payload itself, when it breaks off: what it still yields is looked at before it is refused. */
  noteBroken(what: string): void;
  readonly broken: string | undefined;
}

/** @param spentMs so much of the time has gone by already */
export function budgetFor(limits: Limits, nowMs: () => number, spentMs = 0): Budget {
  return new Remaining(limits, nowMs, spentMs);
}

class Remaining implements Budget {
  readonly limits: Limits;
  readonly #nowMs: () => number;
  readonly #deadline: number;
  #bytes = 0;
  #views = 0;
  isOpaque = false;
  isSpent = false;
  broken: string | undefined;

  constructor(limits: Limits, nowMs: () => number, spentMs: number) {
    this.limits = limits;
    this.#nowMs = nowMs;
    this.#deadline = nowMs() + limits.maxMs - spentMs;
  }

  get viewBytesLeft(): number {
    return this.limits.maxViewBytes - this.#bytes;
  }

  spent(what: string): IntramurError {
    this.isSpent = true;
    return exceeded(what);
  }

  chargeView(more: number): void {
    const { maxViewBytes, maxViews } = this.limits;
    this.#bytes += more;
    this.#views += 1;
    if (this.#bytes > maxViewBytes) throw this.spent(`decoding yields more than ${maxViewBytes} bytes`);
    if (this.#views > maxViews) throw exceeded(`more than ${maxViews} encoded parts`);
  }

  noteOpaque(): void {
    this.isOpaque = true;
  }

  noteBroken(what: string): void {
    this.broken ??= what;
  }

  checkTime(): void {
    if (this.#nowMs() > this.#deadline) throw exceeded(`inspection took longer than ${this.limits.maxMs} ms`);
  }
}

export function exceeded(what: string): IntramurError {
  return new IntramurError('INSPECT_LIMIT', what);
}
