// Memory after a burst. V8 collects when something is allocated; hundreds of calls that began at once and now drip an answer allocate next
// to nothing, so that what their beginning left behind would stay for as long as they last. It is collected once, when the burst is over.
import v8 from 'node:v8';
import vm from 'node:vm';

export interface Calls {
  /** Under way now. */
  readonly calls: number;
  /** All that ever began. */
  readonly begun: number;
}

export interface Relief {
  close(): void;
}

/** So many beginnings in one look are a burst, and so many calls under way are worth a pause of some ten milliseconds. */
const many = 100;
/** So few beginnings in one look, and nobody waits for that pause. */
const few = 5;

/** @param everyMs between two looks */
export function createRelief(admission: Calls, collect: () => void = collectGarbage, everyMs = 1000): Relief {
  let seen = admission.begun;
  let isDue = false;
  const look = (): void => {
    const begun = admission.begun - seen;
    seen = admission.begun;
    if (begun >= many) isDue = true;
    if (!isDue || begun > few) return;
    isDue = false;
    if (admission.calls >= many) harmless(collect);
  };
  const timer = setInterval(look, everyMs).unref();
  return { close: () => clearInterval(timer) };
}

/** Node gives its collector to nobody; a new context has it once the flag is set. */
function collectGarbage(): void {
  v8.setFlagsFromString('--expose-gc');
  const collect: unknown = vm.runInNewContext('gc');
  if (typeof collect === 'function') collect();
}

/** Comfort only: where it fails, V8 does it later. */
function harmless(step: () => void): void {
  try {
    step();
  } catch {
    // No call depends on it.
  }
}
