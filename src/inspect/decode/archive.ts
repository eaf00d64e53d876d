// Archives: POSIX tar (ustar) and ZIP (APPNOTE 6.3, local file headers). Each member is a view of its own; the names of the
// members together are one more, since a name can carry something out too.
import zlib from 'node:zlib';
import { IntramurError } from '../../core/index.ts';
import type { Budget } from '../limits.ts';
import { runView, type Span, type View } from '../view.ts';
import { inflate, noteCut } from './compressed.ts';
import type { Decoder } from './decoder.ts';
import { containerKind } from './readable.ts';

const BLOCK = 512;

interface Member {
  readonly name: string;
  readonly content: Buffer;
  readonly span: Span;
}

export const archive: Decoder = {
  id: 'archive',
  *decode(view, budget) {
    const kind = containerKind(view.bytes);
    if (kind !== 'tar' && kind !== 'zip') return;
    const names: string[] = [];
    for (const { name, content, span } of kind === 'tar' ? tarMembers(view) : zipMembers(view, budget)) {
      names.push(name);
      budget.chargeView(content.length);
      yield runView(view, kind, content, span);
    }
    const listed = Buffer.from(names.join('\n'), 'latin1');
    budget.chargeView(listed.length);
    yield runView(view, kind, listed, { start: 0, end: view.bytes.length });
  },
};

function* tarMembers({ bytes, text }: View): Generator<Member> {
  for (let at = 0; at + BLOCK <= bytes.length; ) {
    const size = Number.parseInt(text.slice(at + 124, at + 136), 8);
    if (Number.isNaN(size) || bytes[at] === 0) {
      at += BLOCK;
      continue;
    }
    const start = at + BLOCK;
    const end = Math.min(bytes.length, start + size);
    yield { name: untilNul(text.slice(at, at + 100)), content: bytes.subarray(start, end), span: { start: at, end } };
    at = start + Math.ceil(size / BLOCK) * BLOCK;
  }
}

function untilNul(field: string): string {
  const end = field.indexOf('\0');
  return end === -1 ? field : field.slice(0, end);
}

const LOCAL_HEADER = 'PK\x03\x04';

/** INVARIANT: nothing in an archive stays unseen, so what cannot be opened refuses the whole payload. */
function* zipMembers(view: View, budget: Budget): Generator<Member> {
  const { bytes, text } = view;
  for (let at = text.indexOf(LOCAL_HEADER); at !== -1 && at + 30 <= bytes.length; ) {
    const flags = bytes.readUInt16LE(at + 6);
    const method = bytes.readUInt16LE(at + 8);
    const packed = bytes.readUInt32LE(at + 18);
    const nameEnd = at + 30 + bytes.readUInt16LE(at + 26);
    const start = nameEnd + bytes.readUInt16LE(at + 28);
    if (flags & 1) throw new IntramurError('INSPECT_FAILED', 'a member of a ZIP archive is encrypted');
    // Flag 8: the length stands behind the data.
    const end = flags & 8 || packed === 0xffffffff ? nextRecord(text, start) : Math.min(bytes.length, start + packed);
    const content = unpack(method, bytes.subarray(start, end), view, budget);
    if (!content) throw new IntramurError('INSPECT_FAILED', 'a member of a ZIP archive cannot be unpacked');
    yield { name: text.slice(at + 30, nameEnd), content, span: { start: at, end } };
    at = text.indexOf(LOCAL_HEADER, Math.max(end, start));
  }
}

function nextRecord(text: string, start: number): number {
  const found = ['PK\x07\x08', LOCAL_HEADER, 'PK\x01\x02'].map((mark) => text.indexOf(mark, start)).filter((at) => at !== -1);
  return Math.min(text.length, ...found);
}

function unpack(method: number, data: Buffer, view: View, budget: Budget): Buffer | undefined {
  if (method === 0) return data;
  if (method !== 8) return undefined;
  const opened = inflate(zlib.inflateRawSync, data, budget, { flush: zlib.constants.Z_SYNC_FLUSH });
  if (opened?.isCut) noteCut(view, 'zip', true, budget);
  return opened?.plain;
}
