// Takes the tools that a provider would run by itself out of a call. Only the lists of tools are written anew; every other byte stays.
import type { Dialect } from '../core/index.ts';
import { encode, type Json, listOf, parseDocument } from './json.ts';
import { type JsonPath, jsonLists } from './json-strings.ts';
import { withoutServerTools } from './server-tools.ts';

/** INVARIANT: the body was read by `readCall`. References (ids of files, addresses, stored state) are no tools and stay. */
export function stripServerTools(dialect: Dialect, body: Uint8Array): Uint8Array {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const parts: Uint8Array[] = [];
  let from = 0;
  let isEmptied = false;
  for (const { path, start, end } of jsonLists(bytes)) {
    if (!holdsTools(dialect, path)) continue;
    const before = listOf(JSON.parse(bytes.toString('utf8', start, end)) as Json);
    const kept = withoutServerTools(dialect, before);
    isEmptied ||= path.length === 1 && before.length > 0 && kept.length === 0;
    const written = encode(kept);
    if (written.equals(encode(before))) continue;
    parts.push(bytes.subarray(from, start), written);
    from = end;
  }
  const stripped = from === 0 ? body : Buffer.concat([...parts, bytes.subarray(from)]);
  // A list without anything in it is an error to some servers, a choice among nothing to all.
  return isEmptied ? withoutToolsField(stripped) : stripped;
}

/** The call's own list, and the lists that Codex hands in later among the items of its input. */
function holdsTools(dialect: Dialect, path: JsonPath): boolean {
  if (path.length === 1) return path[0] === 'tools';
  return dialect === 'openai-responses' && path.length === 3 && path[0] === 'input' && path[2] === 'tools';
}

function withoutToolsField(body: Uint8Array): Uint8Array {
  const { tools: _tools, tool_choice: _choice, toolConfig: _config, ...rest } = parseDocument(body);
  return encode(rest);
}
