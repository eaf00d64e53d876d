// The canonical form of a model's answer, whole and as a stream of events.
import type { StreamForm } from '../detect.ts';
import type { Usage } from '../usage.ts';
import type { Signature, ThinkingPart, ToolCallPart } from './request.ts';

export type AnswerPart = { readonly kind: 'text'; readonly text: string } | ThinkingPart | ToolCallPart;

export type Stop = 'end' | 'tool' | 'length' | 'stop-sequence' | 'filtered' | 'context' | 'pause';

export interface CanonicalResponse {
  readonly id: string;
  readonly parts: readonly AnswerPart[];
  readonly stop: Stop;
  readonly stopSequence?: string;
  readonly usage: Usage;
}

export const noUsage: Usage = { inputTokens: 0, outputTokens: 0, cachedTokens: 0 };

/** Parts are numbered as the upstream numbers them; parts may be open side by side (sequence.ts puts them in a row). */
export type StreamStep =
  | { readonly kind: 'start'; readonly id: string; readonly usage?: Usage }
  | { readonly kind: 'open'; readonly part: number; readonly of: OpenPart }
  /** More text, thinking or arguments. */
  | { readonly kind: 'more'; readonly part: number; readonly text: string }
  | { readonly kind: 'sign'; readonly part: number; readonly signature: Signature }
  | { readonly kind: 'close'; readonly part: number }
  | { readonly kind: 'end'; readonly stop: Stop; readonly stopSequence?: string; readonly usage: Usage }
  | { readonly kind: 'fail'; readonly message: string };

export type OpenPart =
  | { readonly kind: 'text' }
  | { readonly kind: 'thinking' }
  | { readonly kind: 'tool-call'; readonly id: string; readonly name: string };

/** Says "tool" when tools were called, whatever the upstream gave as its reason: an agent that reads "end" would stop in silence. */
export function stopFor(stated: Stop, hasCalls: boolean): Stop {
  if (stated === 'end' || stated === 'tool') return hasCalls ? 'tool' : 'end';
  return stated;
}

/** Reads one dialect's stream, event by event. */
export interface StreamReader {
  read(event: { readonly name: string; readonly data: string }): StreamStep[];
  /** The stream is over. Gemini alone says nothing that marks its end; what it then has to say comes here. */
  finish(): StreamStep[];
}

/** Writes one dialect's stream. Steps come in a row: never two open parts, none of them empty. */
export interface StreamWriter {
  write(step: StreamStep): string;
}

/** What translating an answer needs to know of its request. */
export interface AnswerContext {
  /** The name that the client asked for; answers carry it back. */
  readonly model: string;
  /** The client's name for a tool that the upstream calls. */
  readonly toolOf: (wireName: string) => ClientTool;
  /** Makes the id of this answer one of its own. */
  readonly mark: string;
  /** For ids that an upstream leaves out. */
  readonly newId: () => string;
  /** Unix time in seconds, where a dialect states it. */
  readonly createdAt: number;
  /** OpenAI Chat states usage in a stream only when asked. */
  readonly includeUsage: boolean;
  /** How the client wants its stream framed. */
  readonly form: StreamForm;
}

export interface ClientTool {
  readonly name: string;
  readonly namespace?: string;
  readonly isCustom: boolean;
}

/**
 * An upstream's id without its vendor's prefix, and with a mark of our own: some servers give every answer the same id or one of a
 * thousand, and Claude Code takes two answers of one id for one, after which it never ends.
 */
export function bareId(id: string, { mark }: AnswerContext): string {
  const bare = id
    .replace(/^(?:msg_|chatcmpl-|resp_)/, '')
    .replace(/[^\w.-]/g, '')
    .slice(0, 40);
  return bare === '' ? mark : `${bare}_${mark}`;
}
