// Lines of the Assuan protocol, which gpg speaks with its agent: https://www.gnupg.org/documentation/manuals/assuan/, chapter 2. Commands
// come one a line, at most 1000 bytes; an answer is any number of D and S lines and one OK or ERR.
import type { Duplex } from 'node:stream';

export const maxLineBytes = 1000;

/** Error codes as gpg-agent composes them: its source number and a code of libgpg-error. */
const source = 4 * 2 ** 24;
export const errors = {
  noSecretKey: [source + 17, 'No secret key'],
  forbidden: [source + 251, 'Forbidden'],
  unknown: [source + 275, 'Unknown IPC command'],
  parameter: [source + 280, 'IPC parameter error'],
  missing: [source + 128, 'Missing item'],
} as const;

export const ok = 'OK\n';
export const err = ([code, text]: readonly [number, string]): string => `ERR ${code} ${text} <GPG Agent>\n`;

/** D lines for these bytes; what would end or shorten a line is escaped. */
export function dataLines(bytes: Uint8Array): string {
  let lines = '';
  for (let at = 0; at < bytes.length; at += 300) {
    const escaped = Buffer.from(bytes.subarray(at, at + 300))
      .toString('latin1')
      .replaceAll(/[%\r\n\0]/g, (char) => `%${char.charCodeAt(0).toString(16).padStart(2, '0').toUpperCase()}`);
    lines += `D ${escaped}\n`;
  }
  return lines;
}

/** The bytes of a D line. */
export function dataOf(line: string): Buffer {
  return Buffer.from(
    line.slice(2).replaceAll(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  );
}

/** Next line without its end, latin1; `undefined` at the end of the stream. @throws Error when a line is too long */
export function linesFrom(stream: Duplex): () => Promise<string | undefined> {
  const chunks = stream[Symbol.asyncIterator]();
  let pending = '';
  return async () => {
    for (;;) {
      const end = pending.indexOf('\n');
      if (end > maxLineBytes || (end < 0 && pending.length > maxLineBytes)) throw new Error('a line is too long');
      if (end >= 0) {
        const line = pending.slice(0, end).replace(/\r$/, '');
        pending = pending.slice(end + 1);
        return line;
      }
      const { done, value } = await chunks.next();
      if (done === true) return undefined;
      pending += (value as Buffer).toString('latin1');
    }
  };
}
