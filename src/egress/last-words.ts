// The end of a connection that is turned away with a word of explanation.
import type { Duplex } from 'node:stream';

/** How long a program may take to hear it. Without this bound one that never closes would hold its place for the session. */
const graceMs = 2_000;

/** Sends `bytes`, ends, drops what the program still says (unread bytes would reset the connection under our words), and closes. */
export function lastWords(stream: Duplex, bytes: Uint8Array): void {
  stream.end(bytes);
  stream.resume();
  const timer = setTimeout(() => stream.destroy(), graceMs);
  stream.once('close', () => clearTimeout(timer));
}
