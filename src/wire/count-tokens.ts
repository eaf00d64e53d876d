// The answer to a token-count call that no target can answer: most servers of other dialects have no such endpoint. An estimate,
// and rounded up, because an agent that believes its history to be shorter than it is runs into the model's limit.
import type { Call } from './detect.ts';
import { encode } from './json.ts';
import { jsonHeaders, type WireReply } from './refusal.ts';
import { readCanonical } from './translate.ts';

/** Source code and prose come to 3.2 to 4.5 bytes a token in the tokenizers of today; a Chinese character is 3 bytes and about one. */
const bytesPerToken = 3;
/** What a vendor charges for a large picture or a page of a document. */
const tokensPerPicture = 1600;

export function estimateTokens(call: Extract<Call, { kind: 'count-tokens' }>, body: Uint8Array): WireReply {
  const { system, turns, tools } = readCanonical(call, body);
  let bytes = 0;
  let pictures = 0;
  const count = (text: string): void => {
    // Each piece has a few tokens of framing.
    bytes += Buffer.byteLength(text) + 4 * bytesPerToken;
  };
  const parts = turns.flatMap((turn) => turn.parts.flatMap((part) => (part.kind === 'tool-result' ? part.parts : [part])));
  for (const part of parts) {
    if (part.kind === 'image' || part.kind === 'document')
      pictures += 'url' in part.source ? 1 : Math.ceil(part.source.base64.length / 500_000);
    else count(part.kind === 'tool-call' ? part.name + part.input : part.kind === 'text' || part.kind === 'thinking' ? part.text : '');
  }
  for (const text of system) count(text);
  for (const tool of tools) count(tool.name + (tool.description ?? '') + JSON.stringify(tool.schema));
  const tokens = Math.ceil(bytes / bytesPerToken) + pictures * tokensPerPicture;
  const reply = encode(call.dialect === 'gemini' ? { totalTokens: tokens } : { input_tokens: tokens });
  return { status: 200, rawHeaders: jsonHeaders(reply), body: reply };
}
