// The answer to a token-count call that no target can answer: most servers of other dialects have no such endpoint. An estimate,
// and rounded up, because an agent that believes its history to be shorter than it is runs into the model's limit.
import type { Part } from './canonical/request.ts';
import type { Call } from './detect.ts';
import { encode } from './json.ts';
import { jsonHeaders, type WireReply } from './refusal.ts';
import { readCanonical } from './translate.ts';

/** Source code and prose come to 3.2 to 4.5 bytes a token in the tokenizers of today; a Chinese character is 3 bytes and about one. */
const bytesPerToken = 3;
/** What a vendor charges for a large picture or a page of a document. */
const tokensPerPicture = 1600;
/** Base64 of a long document counts as several. */
const bytesPerPicture = 500_000;

export function estimateTokens(call: Extract<Call, { kind: 'count-tokens' }>, body: Uint8Array): WireReply {
  const { system, turns, tools } = readCanonical(call, body);
  let bytes = 0;
  let pictures = 0;
  const count = (text: string): void => {
    // Each piece has a few tokens of framing.
    bytes += Buffer.byteLength(text) + 4 * bytesPerToken;
  };
  const countPart = (part: Part): void => {
    switch (part.kind) {
      case 'text':
      case 'thinking':
        return count(part.text);
      case 'tool-call':
        return count(part.name + part.input);
      case 'tool-result':
        return part.parts.forEach(countPart);
      default:
        pictures += 'url' in part.source ? 1 : Math.ceil(part.source.base64.length / bytesPerPicture);
    }
  };
  for (const turn of turns) turn.parts.forEach(countPart);
  for (const text of system) count(text);
  for (const tool of tools) count(tool.name + (tool.description ?? '') + JSON.stringify(tool.schema));
  const tokens = Math.ceil(bytes / bytesPerToken) + pictures * tokensPerPicture;
  const reply = encode(call.dialect === 'gemini' ? { totalTokens: tokens } : { input_tokens: tokens });
  return { status: 200, rawHeaders: jsonHeaders(reply), body: reply };
}
