// Faults on their way over the daemon's socket: what it answered, or that it did not.
import { type Code, faults, IntramurError, product } from '../core/index.ts';
import type { ControlFault } from './protocol.ts';
import { Silence } from './watch.ts';

export function unreachable(cause: Error): IntramurError {
  if (cause instanceof Silence) {
    const hint = `it is running; when it stays so, end its process, then: ${product.name} up`;
    return new IntramurError('DAEMON_UNREACHABLE', 'the daemon could not be reached: it does not answer', { cause, hint });
  }
  if (isForbidden(cause)) {
    return new IntramurError('DAEMON_UNREACHABLE', `the daemon could not be reached: its socket cannot be opened: ${cause.message}`, {
      cause,
      hint: 'it belongs to whoever has started it',
    });
  }
  const isAbsent = 'code' in cause && ['ENOENT', 'ECONNREFUSED', 'EINVAL'].includes(String(cause.code));
  return isAbsent
    ? new IntramurError('DAEMON_UNREACHABLE', 'the daemon could not be reached: it is not running', { cause, hint: `${product.name} up` })
    : new IntramurError('DAEMON_UNREACHABLE', `the daemon could not be reached: ${cause.message}`, { cause });
}

function isForbidden(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && ['EACCES', 'EPERM'].includes(String(cause.code));
}

/** Whether there is a daemon cannot be known, and none can be started here. */
export function isOutOfReach(fault: unknown): boolean {
  return fault instanceof IntramurError && isForbidden(fault.cause);
}

/** There is a daemon, and none can be started beside it. */
export function isSilent(fault: unknown): boolean {
  return fault instanceof IntramurError && fault.cause instanceof Silence;
}

/** @param said what the daemon answered instead of an answer */
export function faultFrom(said: ControlFault | string): IntramurError {
  try {
    const { code, message, hint } = typeof said === 'string' ? (JSON.parse(said) as ControlFault) : said;
    if (code in faults) return new IntramurError(code satisfies Code, message, hint === undefined ? {} : { hint });
  } catch {
    // Not one of our faults: said below.
  }
  const text = typeof said === 'string' ? said : JSON.stringify(said);
  return new IntramurError('INTERNAL', `the daemon answered in a form that is not its own: ${text.slice(0, 200)}`);
}
