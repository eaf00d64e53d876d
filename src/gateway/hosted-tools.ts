// What a provider would do by itself on behalf of a call: fetch, search, run, look up. With some of these the model's words, and so
// the data in its context, reach places that no decision named. INVARIANT: a kind that is not listed is refused.
import type { ServerTool } from '../wire/index.ts';

/** Kinds that stay within the provider that was decided on. They pass, and the ledger names them. */
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
