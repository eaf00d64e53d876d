// One turn as the bytes that the rehearsal model would send, without a server: for tests of parsers and translators.
import type { Dialect } from '../core/index.ts';
import { replyFor } from './reply.ts';
import { replyBody } from './reply-body.ts';
import { replyChunks } from './reply-stream.ts';
import type { ModelRequest, Turn } from './script.ts';

export interface Rehearsed {
  /** The stream, one string per event. */
  readonly chunks: readonly string[];
  /** The whole response. */
  readonly body: string;
}

/** Acts should be of the form `do: 'tool'`: there is no agent whose tools could be looked up. */
export function rehearse(dialect: Dialect, turn: Turn, { asJsonArray = false } = {}): Rehearsed {
  const request: ModelRequest = { dialect, model: 'any', stream: true, asJsonArray, tools: [], turn: 0, text: 'hello', body: {} };
  const reply = replyFor(turn, request, 'r1');
  return { chunks: replyChunks(dialect, reply, asJsonArray), body: JSON.stringify(replyBody(dialect, reply)) };
}
