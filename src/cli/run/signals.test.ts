import { afterEach, expect, it } from 'vitest';
import { followSignals, type SignalsFollowed } from './signals.ts';

let followed: SignalsFollowed | undefined;
afterEach(() => followed?.release());

function program(isThere = true) {
  const heard: string[] = [];
  return { heard, signal: (name: NodeJS.Signals) => heard.push(name) > 0 && isThere, kill: () => void heard.push('kill') };
}

it('a signal that comes before the program is there is handed on when it is', () => {
  followed = followSignals();
  process.emit('SIGTERM', 'SIGTERM');
  const launched = program();
  followed.handTo(launched);
  expect(launched.heard).toEqual(['SIGTERM']);
  process.emit('SIGHUP', 'SIGHUP');
  expect(launched.heard).toEqual(['SIGTERM', 'SIGHUP']);
});

it('what is killed because it has not begun ended by the signal that was sent', () => {
  followed = followSignals();
  followed.handTo(program());
  process.emit('SIGTERM', 'SIGTERM');
  expect(followed.killedFor()).toBeUndefined();
  followed.handTo(program(false));
  expect(followed.killedFor()).toBe('SIGTERM');
});

it('what a terminal sends to all is not sent twice', () => {
  followed = followSignals();
  const launched = program();
  followed.handTo(launched);
  process.emit('SIGINT', 'SIGINT');
  expect(launched.heard).toEqual([]);
});

it("afterwards signals are nobody's", () => {
  const before = process.listenerCount('SIGTERM');
  followSignals().release();
  expect(process.listenerCount('SIGTERM')).toBe(before);
});
