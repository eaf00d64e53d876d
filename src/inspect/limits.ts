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
  const deadline = nowMs() + limits.maxMs - spentMs;
  let bytes = 0;
  let views = 0;
  let isOpaque = false;
  let isSpent = false;
  let broken: string | undefined;
  const spent = (what: string) => {
    isSpent = true;
    return exceeded(what);
  };
  return {
    limits,
    spent,
    get isSpent() {
      return isSpent;
    },
    get viewBytesLeft() {
      return limits.maxViewBytes - bytes;
    },
    chargeView(more) {
      bytes += more;
      views += 1;
      if (bytes > limits.maxViewBytes) throw spent(`decoding yields more than ${limits.maxViewBytes} bytes`);
      if (views > limits.maxViews) throw exceeded(`more than ${limits.maxViews} encoded parts`);
    },
    get isOpaque() {
      return isOpaque;
    },
    noteOpaque() {
      isOpaque = true;
    },
    get broken() {
      return broken;
    },
    noteBroken(what) {
      broken ??= what;
    },
    checkTime() {
      if (nowMs() > deadline) throw exceeded(`inspection took longer than ${limits.maxMs} ms`);
    },
  };
}

export function exceeded(what: string): IntramurError {
  return new IntramurError('INSPECT_LIMIT', what);
}
