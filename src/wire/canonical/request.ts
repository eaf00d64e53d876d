// The canonical form of a model request: what all four dialects can say, in one shape. Translation reads a dialect into it and
// writes another dialect out of it; what has no place here is named in `dropped`.
import type { Dialect } from '../../core/index.ts';
import type { JsonObject } from '../json.ts';

export interface CanonicalRequest {
  readonly model: string;
  readonly stream: boolean;
  /** What stands before the conversation. */
  readonly system: readonly string[];
  readonly turns: readonly Turn[];
  readonly tools: readonly Tool[];
  readonly settings: Settings;
  /** Fields that the reader understood to matter and could not carry, as the client wrote them. */
  readonly dropped: readonly string[];
}

export interface Turn {
  /** `system`: an instruction in mid-conversation. */
  readonly role: 'user' | 'assistant' | 'system';
  readonly parts: readonly Part[];
}

export type Part =
  | { readonly kind: 'text'; readonly text: string }
  | MediaPart
  | ThinkingPart
  | ToolCallPart
  | { readonly kind: 'tool-result'; readonly id: string; readonly parts: readonly ResultPart[]; readonly isError: boolean };

export type ResultPart = { readonly kind: 'text'; readonly text: string } | MediaPart;

export interface MediaPart {
  readonly kind: 'image' | 'document';
  readonly source: { readonly mediaType: string; readonly base64: string } | { readonly url: string };
  readonly name?: string;
}

export interface ThinkingPart {
  readonly kind: 'thinking';
  readonly text: string;
  readonly signature?: Signature;
}

/** A vendor's proof over its own thinking: worth something to that vendor only, and only unchanged. */
export interface Signature {
  readonly dialect: Dialect;
  readonly value: string;
  /** Responses: the item's id. */
  readonly id?: string;
  /** Anthropic: the thinking itself is hidden in `value`. */
  readonly isRedacted?: boolean;
  /** The thinking that was signed, for clients of other dialects, which may not keep it. */
  readonly text?: string;
}

export interface ToolCallPart {
  readonly kind: 'tool-call';
  readonly id: string;
  /** The name on the wire of the upstream; see tool-names.ts. */
  readonly name: string;
  /** Arguments as JSON text. */
  readonly input: string;
}

export interface Tool {
  readonly name: string;
  readonly description: string | undefined;
  /** JSON Schema of the arguments. */
  readonly schema: JsonObject;
  readonly strict?: boolean;
}

export interface Settings {
  readonly maxTokens?: number;
  readonly temperature?: number;
  readonly topP?: number;
  readonly topK?: number;
  readonly seed?: number;
  readonly frequencyPenalty?: number;
  readonly presencePenalty?: number;
  readonly stop?: readonly string[];
  readonly toolChoice?: { readonly mode: 'auto' | 'any' | 'none' } | { readonly mode: 'tool'; readonly name: string };
  /** False: at most one call per turn. */
  readonly parallelTools?: boolean;
  readonly reasoning?: Reasoning;
  readonly verbosity?: 'low' | 'medium' | 'high';
  readonly answer?:
    | { readonly kind: 'json' }
    | { readonly kind: 'schema'; readonly name: string; readonly schema: JsonObject; readonly strict?: boolean };
}

export interface Reasoning {
  readonly isEnabled: boolean;
  readonly effort?: Effort;
  readonly budgetTokens?: number;
}

/** What `budgetTokens` comes to in a word, for dialects that have no number for it. */
export function effortFor({ effort, budgetTokens }: Reasoning): Effort | undefined {
  if (effort !== undefined || budgetTokens === undefined || budgetTokens < 0) return effort;
  if (budgetTokens <= 1024) return 'low';
  return budgetTokens <= 8192 ? 'medium' : 'high';
}

export const efforts = ['minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const;
export type Effort = (typeof efforts)[number];

export function verbosityOf(value: unknown): Settings['verbosity'] {
  return (['low', 'medium', 'high'] as const).find((word) => word === value);
}

export function effortOf(value: unknown): Effort | undefined {
  return efforts.find((effort) => effort === value);
}
