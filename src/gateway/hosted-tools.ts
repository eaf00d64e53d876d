// What a provider would do by itself on behalf of a call: fetch, search, run, look up. With some of these the model's words, and so
// the data in its context, reach places that no decision named. INVARIANT: a kind that is not listed is refused.
import type { Classification } from '../core/index.ts';
import { type BodyCall, readCall, type ServerTool, stripServerTools } from '../wire/index.ts';

/** Kinds that stay within the provider that was decided on, or ask it to search: for data that anybody may see they pass. */
const contained: ReadonlySet<string> = new Set<ServerTool>([
  'web_search',
  'code_interpreter',
  'file_search',
  'image_generation',
  'computer_use',
  'file_id',
  'stored_state',
]);

const why: Readonly<Record<string, string | undefined>> = {
  mcp: 'the call lets the provider talk to an MCP server by itself',
  web_fetch: 'the call lets the provider fetch addresses by itself',
  image_url: 'the call makes the provider fetch an image by its address; send the image itself',
  document_url: 'the call makes the provider fetch a document by its address; send the document itself',
  model_choice: 'the call leaves the choice of the model to the provider',
};

/** Why a call with these hosted tools cannot go anywhere; `undefined` when it can. */
export function refusalForHosted(kinds: readonly ServerTool[]): string | undefined {
  const first = kinds.find((kind) => !contained.has(kind));
  return first && (why[first] ?? `the call uses a tool of the provider that is not known here (${first.replace(/^other:/, '')})`);
}

export interface HostedRuling {
  readonly bytes: Uint8Array;
  readonly stripped: readonly ServerTool[];
}

/**
 * What becomes of the tools of the provider now that the class of the data is known.
 * @param classification of payload and session; `undefined` when nobody said: then it is not taken for public
 * @returns why not, when something remains that the data must not be shown to
 */
export function ruleOnHosted(
  call: BodyCall,
  bytes: Uint8Array,
  kinds: readonly ServerTool[],
  classification: Classification | undefined,
  policy: 'strip' | 'refuse',
): HostedRuling | string {
  // What the provider keeps of the conversation was decided on when it was sent.
  const due = kinds.filter((kind) => kind !== 'stored_state');
  if (due.length === 0 || classification === 'public') return { bytes, stripped: [] };
  const stripped = policy === 'strip' ? stripServerTools(call.dialect, bytes) : bytes;
  const left = policy === 'strip' ? readCall(call.dialect, call, stripped).serverTools : kinds;
  const remaining = left.find((kind) => kind !== 'stored_state');
  if (remaining === undefined) return { bytes: stripped, stripped: due };
  return `${classification ?? 'unclassified'} data may not be shown to what the provider runs by itself (${remaining})`;
}
