// A JSON text (RFC 8259) read without parsing it: broken JSON has strings too, and no parser can be told apart from ours. One pass
// undoes every escape, finds where the contents of the strings stand, and tells whether something else stands between them.
import type { Shifts } from '../view.ts';
import { LONGEST_WRITTEN, readEscape, writeEscape } from './escapes.ts';
import { copyText } from './json-text.ts';
import { Numbers } from './numbers.ts';
import { isWord } from './survey.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const NEWLINE = 0x0a;
const SPACE = 0x20;

/** Members whose short values are words of the protocol: between two messages they would tear a text apart. */
const protocolKeys = new Set(['role', 'type', 'id', 'object', 'model', 'tool_use_id', 'tool_call_id', 'call_id', 'media_type', 'status']);
const LONGEST_PROTOCOL_VALUE = 64;
/** Those as long as an encoded run are read all the same, behind everything else. */
const LEAST_ASIDE = 20;
const LONGEST_PLAIN_KEY = 24;

/** INVARIANT: valid until the next reading, because the memory is used again; only `spans` may be kept. */
export interface JsonReading {
  /** The whole text without escapes. */
  readonly fields: Buffer;
  readonly fieldShifts: Shifts;
  /** The contents of the strings joined by line breaks, without short keys; the protocol's own words come last, and the short ones not at all. */
  readonly texts: Buffer;
  /** From `texts` to `fields`. */
  readonly textShifts: Shifts;
  /** Where those strings stand in the input: start and end, one after the other. */
  readonly spans: Int32Array;
  /** Where in `fields` numbers begin that are outside of strings: a list of them may be a text. */
  readonly numbers: Int32Array;
  /** False when the last string has no closing quote. */
  readonly isClosed: boolean;
  /** Outside of the strings stands what is in no JSON, so it is a text of its own, or has one beside it. */
  readonly isOdd: boolean;
}

/** Memory above this is not kept for the next reading. */
const MOST_KEPT = 8 << 20;
let fieldMemory: Buffer = Buffer.alloc(0);
let textMemory: Buffer = Buffer.alloc(0);
const scratch = {
  at: new Numbers(),
  shift: new Numbers(),
  textAt: new Numbers(),
  textShift: new Numbers(),
  spans: new Numbers(),
  places: new Numbers(),
  asides: new Numbers(),
  numbers: new Numbers(),
};
const lists = Object.values(scratch);

/** Used again when it is large enough: new memory costs more than what is done with it. */
function memory(held: Buffer, size: number): Buffer {
  return held.length >= size && held.length <= MOST_KEPT ? held : Buffer.allocUnsafeSlow(size + (size >> 2));
}

const isSpecial = new Uint8Array(256);
isSpecial[QUOTE] = 1;
isSpecial[BACKSLASH] = 1;
/** A text that goes on for so long without a quote is left to the kernel; calling it for less costs more than it saves. */
const LONG = 256;

/** @param isInside true when the bytes begin within a string */
export function readJson(bytes: Buffer, isInside = false): JsonReading {
  for (const list of lists) list.clear();
  fieldMemory = memory(fieldMemory, bytes.length + LONGEST_WRITTEN);
  const { at, shift, spans, places, asides, numbers } = scratch;
  const out = fieldMemory;
  const { length } = bytes;
  let written = 0;
  let key = '';
  /** Where the open string began, in the input and in what is written; -1 outside. */
  let open = isInside ? 0 : -1;
  let openWritten = 0;
  let gap = 0;
  let isOdd = false;
  /** From here on the kernel goes on. */
  let near = LONG;
  // INVARIANT: no function made here uses the variables of this loop; they would leave the registers.
  for (let i = 0; ; ) {
    // A loop of its own, without calls: it runs at the speed of memory.
    let byte = 0;
    const limit = near < length ? near : length;
    while (i < limit && isSpecial[(byte = bytes[i] ?? 0)] === 0) {
      out[written++] = byte;
      i += 1;
    }
    if (i >= length) break;
    if (i >= near) {
      const { read, wrote } = copyText(bytes, i, out, written, at, shift);
      i = read;
      written = wrote;
      near = i + LONG;
      continue;
    }
    if (byte === QUOTE) {
      near = i + LONG;
      if (open < 0) {
        if (isOddGap(out, gap, written, numbers)) isOdd = true;
        open = i + 1;
        openWritten = written + 1;
      } else {
        const isKey = nextSolid(bytes, i + 1) === COLON;
        if (!isProtocol(isKey, key, i - open)) addText(spans, places, open, i, openWritten, written);
        else if (!isKey && i - open >= LEAST_ASIDE) {
          asides.push(openWritten);
          asides.push(written);
        }
        key = isKey && i - open <= LONGEST_PLAIN_KEY ? bytes.toString('latin1', open, i) : '';
        open = -1;
        gap = written + 1;
      }
      out[written++] = QUOTE;
      i += 1;
      continue;
    }
    if (open < 0) isOdd = true;
    const size = readEscape(bytes, i, length);
    if (size === 0) {
      out[written++] = BACKSLASH;
      i += 1;
      near = i + LONG;
      continue;
    }
    written += writeEscape(out, written);
    i += size;
    // The kernel stops at the longer ones, and where there is one there are more.
    if (size > 2) near = i + LONG;
    at.push(written);
    shift.push(i - written);
  }
  const isClosed = open < 0;
  if (isClosed) isOdd = isOddGap(out, gap, written, numbers) || isOdd;
  else addText(spans, places, open, length, openWritten, written);
  return {
    fields: out.subarray(0, written),
    fieldShifts: { at: at.view(), shift: shift.view() },
    ...joined(out, places.view(), asides.view()),
    spans: spans.copy(),
    numbers: numbers.view(),
    isClosed,
    isOdd,
  };
}

function addText(spans: Numbers, places: Numbers, start: number, end: number, startWritten: number, endWritten: number): void {
  if (end === start) return;
  spans.push(start);
  spans.push(end);
  places.push(startWritten);
  places.push(endWritten);
}

/** Short keys, and the short values of the protocol's own members. */
function isProtocol(isKey: boolean, key: string, size: number): boolean {
  return isKey ? size <= LONGEST_PLAIN_KEY : size <= LONGEST_PROTOCOL_VALUE && protocolKeys.has(key);
}

/** Marks, white space, and the letters of numbers and of `true`, `false` and `null`: with any others it is no JSON. */
const mayStandOutside = new Uint8Array(256);
for (const byte of Buffer.from('{}[],: \t\r\n0123456789+-.eEtrufalsn')) mayStandOutside[byte] = 1;

/** Notes where numbers begin between two strings; true when something else stands there, too. */
function isOddGap(bytes: Buffer, start: number, end: number, numbers: Numbers): boolean {
  let usual = 1;
  for (let i = start; i < end; i++) {
    const byte = bytes[i] ?? 0;
    usual &= mayStandOutside[byte] ?? 0;
    if (isDigit(byte) && isWord[bytes[i - 1] ?? 0] !== 1) numbers.push(i);
  }
  return usual === 0;
}

function joined(fields: Buffer, places: Int32Array, asides: Int32Array): { texts: Buffer; textShifts: Shifts } {
  const { textAt, textShift } = scratch;
  let size = 0;
  for (const list of [places, asides]) for (let i = 0; i < list.length; i += 2) size += (list[i + 1] ?? 0) - (list[i] ?? 0) + 2;
  textMemory = memory(textMemory, size);
  let written = 0;
  for (const list of [places, asides]) {
    for (let i = 0; i < list.length; i += 2) {
      // What stands beside the talk is no part of it, nor of one another: a blank ends what goes on over lines.
      if (written > 0 && list === asides) textMemory[written++] = SPACE;
      if (written > 0) textMemory[written++] = NEWLINE;
      textAt.push(written);
      textShift.push((list[i] ?? 0) - written);
      written += fields.copy(textMemory, written, list[i] ?? 0, list[i + 1] ?? 0);
    }
  }
  return { texts: textMemory.subarray(0, written), textShifts: { at: textAt.view(), shift: textShift.view() } };
}

const isDigit = (byte: number | undefined) => byte !== undefined && byte >= 0x30 && byte <= 0x39;

function nextSolid(bytes: Buffer, from: number): number | undefined {
  for (let i = from; i < bytes.length; i++) if ((bytes[i] ?? 0) > 0x20) return bytes[i];
  return undefined;
}
