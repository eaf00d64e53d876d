// Every decoder. Each is tried on every view that may hold what it reads, so the order says only which view comes first.
import { archive } from './archive.ts';
import { base64 } from './base64.ts';
import { charCodes } from './char-codes.ts';
import { comment } from './comment.ts';
import { compressed } from './compressed.ts';
import type { Decoder } from './decoder.ts';
import { disguise } from './disguise.ts';
import { embedded } from './embedded.ts';
import { fold } from './fold.ts';
import { gitPack } from './git-pack.ts';
import { hex, hexdump } from './hex.ts';
import type { Rewriting } from './rewrite.ts';
import { concatenation, entities, escapes, percent, quotedPrintable, terminal } from './text-encodings.ts';
import { utf16 } from './utf16.ts';

/** Read runs and whole containers, in text and in anything else. */
export const binaryDecoders: readonly Decoder[] = [base64, hex, utf16, compressed, archive, gitPack, embedded];

/** Read text. */
export const textDecoders: readonly Decoder[] = [hexdump, charCodes, comment, disguise];

/** Replace pieces of text in place, all together. */
export const rewritings: readonly Rewriting[] = [escapes, percent, entities, quotedPrintable, concatenation, terminal, fold];
