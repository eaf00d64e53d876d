// What the rehearsal model is to say and do, turn by turn, in words that hold for every agent: "write this file", not the name of
// some agent's tool.
import type { Dialect } from '../core/index.ts';

/** Something the model wants the agent to do. Mapped to a tool that the agent offers (tool-table.ts). */
export type Act =
  | { readonly do: 'write'; readonly path: string; readonly content: string }
  | { readonly do: 'shell'; readonly command: string }
  | { readonly do: 'read'; readonly path: string }
  /** A tool by its own name, for tests that mean exactly that one. */
  | { readonly do: 'tool'; readonly name: string; readonly input: Readonly<Record<string, unknown>> };

/** One reply of the model. A turn without acts ends the agent's loop. */
export interface Turn {
  readonly thinking?: string;
  readonly text?: string;
  readonly acts?: readonly Act[];
  readonly fault?: Fault;
}

/** How the upstream misbehaves instead of, or while, answering. */
export type Fault =
  /** Accepts the request and never answers. */
  | 'hang'
  /** Sends the head and the first events, then nothing. */
  | 'stall'
  /** Resets the connection before any answer. */
  | 'reset'
  /** Ends the connection cleanly in the middle of a stream: no last event. */
  | 'cut'
  /** Resets the connection in the middle of a stream. */
  | 'cut-reset'
  /** A stream that is not one: random bytes. */
  | 'garbage'
  /** The proper answer, one byte at a time. */
  | 'drip'
  /** The proper answer, but its content-length promises more. */
  | 'wrong-length'
  /** One line of 10 MB without an end of event. */
  | 'huge-line'
  /** A gzip body of a few kilobytes that unpacks to 100 MB. */
  | 'gzip-bomb'
  /** The stream ends inside a character. */
  | 'half-character'
  /** An error status with a native body. */
  | { readonly status: number; readonly message?: string; readonly retryAfter?: number; readonly delayMs?: number }
  /** The proper answer, but silence before its first byte. */
  | { readonly delayMs: number }
  /** A redirect to another address. */
  | { readonly redirect: string };

/** Turn n answers a conversation in which n assistant turns called tools; after the last turn its text is repeated. */
export type Script = readonly [Turn, ...Turn[]] | ((request: ModelRequest) => Turn);

/** A tool as the agent offers it. */
export interface OfferedTool {
  readonly name: string;
  /** Codex groups tools; a call names group and tool apart. */
  readonly namespace?: string;
  readonly kind: 'function' | 'custom';
  readonly properties: Readonly<Record<string, unknown>>;
  readonly required: readonly string[];
}

/** What the rehearsal model reads in a request. */
export interface ModelRequest {
  readonly dialect: Dialect;
  readonly model: string;
  readonly stream: boolean;
  /** Gemini without `alt=sse`: a stream framed as one JSON array. */
  readonly asJsonArray: boolean;
  readonly tools: readonly OfferedTool[];
  /** Assistant turns in the history that called tools. */
  readonly turn: number;
  /** The schema of the answer, where one is asked for. */
  readonly answerSchema?: unknown;
  /** Everything the request says, as one text. */
  readonly text: string;
  readonly body: unknown;
}
