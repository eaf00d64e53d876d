// One HTTP exchange as it travels from an enforcement point to the monitor and back. Headers stay raw (names as written, in
// order, repeated ones apart), so that a pass-through is faithful.
import type { Readable } from 'node:stream';

export interface ExchangeHead {
  readonly scheme: 'http' | 'https';
  /** The name the program asked DNS or CONNECT for, lower case; the literal address when it dialled one. */
  readonly host: string;
  readonly port: number;
  /** True when the program dialled an address and never asked for a name. */
  readonly isDirect: boolean;
  /** `gateway`: addressed to our own gateway address; the others: intercepted on the way to `host`. */
  readonly via: 'transparent' | 'connect' | 'gateway';
  readonly method: string;
  /** Request target in origin form: path and query as the program wrote them. */
  readonly target: string;
  readonly httpVersion: '1.0' | '1.1' | '2.0';
  /** name, value, name, value, … without HTTP/2 pseudo headers and without hop-by-hop headers. */
  readonly rawHeaders: readonly string[];
}

export interface ExchangeReply {
  readonly status: number;
  /** name, value, name, value, … without hop-by-hop headers. */
  readonly rawHeaders: readonly string[];
  readonly body: Readable | Uint8Array;
}

/** First value of a header, by case-insensitive name. */
export function headerOf(rawHeaders: readonly string[], name: string): string | undefined {
  const wanted = name.toLowerCase();
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const written = rawHeaders[i] ?? '';
    // Names are ASCII, so one of another length is another name.
    if (written.length === wanted.length && (written === wanted || written.toLowerCase() === wanted)) return rawHeaders[i + 1];
  }
  return undefined;
}
