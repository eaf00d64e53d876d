// Every decoder of text. Each is tried on every view, so the order says only which view comes first.
import { archive } from './archive.ts';
import { base64 } from './base64.ts';
import { charCodes } from './char-codes.ts';
import { compressed } from './compressed.ts';
import type { Decoder } from './decoder.ts';
import { disguise } from './disguise.ts';
import { fold } from './fold.ts';
import { hex, hexdump } from './hex.ts';
import { concatenation, entities, percent, quotedPrintable } from './text-encodings.ts';
import { utf16 } from './utf16.ts';

export const decoders: readonly Decoder[] = [
  base64,
  hex,
  hexdump,
  percent,
  entities,
  quotedPrintable,
  concatenation,
  charCodes,
  fold,
  utf16,
  compressed,
  archive,
  disguise,
];
