// Comma-separated values as RFC 4180 has them; the delimiter may also be a semicolon or a tab, whichever the first line has more of.
import { IntramurError } from '../../core/index.ts';

const LONGEST_CELL = 64 << 10;

/** Rows of cells, the first being the header. Throws CONFIG_INVALID for quotes that do not close. */
export function* csvRows(text: string): Generator<string[]> {
  const delimiter = delimiterOf(text.slice(0, text.indexOf('\n') + 1 || text.length));
  let row: string[] = [];
  for (let at = text.startsWith('\ufeff') ? 1 : 0; at < text.length; ) {
    const cell = text[at] === '"' ? quoted(text, at) : plain(text, at, delimiter);
    row.push(cell.value);
    at = cell.end;
    if (text[at] === delimiter) {
      at += 1;
      if (at < text.length && text[at] !== '\n' && text[at] !== '\r') continue;
      row.push('');
    }
    if (text[at] === '\r') at += 1;
    if (at < text.length && text[at] !== '\n') throw broken('a cell goes on behind its closing quote');
    at += 1;
    if (row.length > 1 || row[0] !== '') yield row;
    row = [];
  }
}

function delimiterOf(header: string): string {
  const count = (mark: string) => header.split(mark).length;
  return [',', ';', '\t'].toSorted((a, b) => count(b) - count(a))[0] ?? ',';
}

function plain(text: string, start: number, delimiter: string): { value: string; end: number } {
  let end = start;
  while (end < text.length && text[end] !== delimiter && text[end] !== '\n' && text[end] !== '\r') end += 1;
  return { value: text.slice(start, end), end };
}

function quoted(text: string, start: number): { value: string; end: number } {
  let value = '';
  for (let at = start + 1; ; ) {
    const close = text.indexOf('"', at);
    if (close === -1 || close - start > LONGEST_CELL) throw broken('a quote does not close');
    value += text.slice(at, close);
    if (text[close + 1] !== '"') return { value, end: close + 1 };
    value += '"';
    at = close + 2;
  }
}

/** Says nothing of what the cells hold. */
function broken(what: string): IntramurError {
  return new IntramurError('CONFIG_INVALID', `the table is no CSV: ${what}`);
}
