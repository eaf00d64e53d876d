// A bound on how long someone else's promise may take.
import { IntramurError } from '../core/index.ts';

/**
 * The promise's own outcome, or a fault once `limitMs` has passed.
 * @param late called with a value that came after the limit, so that what it holds can be let go
 */
export async function within<T>(limitMs: number, what: string, promise: Promise<T>, late: (value: T) => void): Promise<T> {
  let isOver = false;
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      isOver = true;
      reject(new IntramurError('DAEMON_UNREACHABLE', `${what} took longer than ${limitMs} ms`));
    }, limitMs);
    timer.unref();
  });
  promise.then(
    (value) => {
      if (isOver) late(value);
    },
    () => {},
  );
  try {
    return await Promise.race([promise, limit]);
  } finally {
    clearTimeout(timer);
  }
}
