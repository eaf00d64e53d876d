// A conversation that began over a translation may go on at a model of the client's own dialect. What we gave the client to keep (thinking
// under another vendor's signature) is an error there, so it is taken out; every other byte stays.
import { assertNever, type Dialect } from '../core/index.ts';
import { mark } from './canonical/signature.ts';
import { noSignature } from './gemini/field.ts';
import { encode, isObject, type Json, listOf, stringOf } from './json.ts';
import { type JsonPath, jsonLists, jsonStrings } from './json-strings.ts';

const hint = Buffer.from(`"${mark}`);

/** INVARIANT: the body was read by `readCall`. */
export function withoutCarriedSignatures(dialect: Dialect, body: Uint8Array): Uint8Array {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  if (!bytes.includes(hint)) return body;
  const parts: Uint8Array[] = [];
  let from = 0;
  for (const { start, end, written } of changesIn(dialect, bytes)) {
    parts.push(bytes.subarray(from, start), written);
    from = end;
  }
  return from === 0 ? body : Buffer.concat([...parts, bytes.subarray(from)]);
}

interface Change {
  readonly start: number;
  readonly end: number;
  readonly written: Uint8Array;
}

function changesIn(dialect: Dialect, bytes: Buffer): Change[] {
  switch (dialect) {
    case 'gemini':
      return [...jsonStrings(bytes)]
        .filter(
          ({ path, isKey, start }) => !isKey && isSignature(path) && bytes.subarray(start, start + mark.length).equals(hint.subarray(1)),
        )
        .map(({ start, end }) => ({ start, end, written: Buffer.from(noSignature) }));
    case 'anthropic-messages':
      return listsWithout(bytes, (path) => path.length === 3 && path[0] === 'messages' && path[2] === 'content');
    case 'openai-responses':
      return listsWithout(bytes, (path) => path.length === 1 && path[0] === 'input');
    case 'openai-chat':
      // It has no place for a signature.
      return [];
    default:
      return assertNever(dialect);
  }
}

function isSignature(path: JsonPath): boolean {
  return path[0] === 'contents' && path[2] === 'parts' && path.length === 5 && /^thought_?signature$/i.test(String(path[4]));
}

function listsWithout(bytes: Buffer, holds: (path: JsonPath) => boolean): Change[] {
  return [...jsonLists(bytes)].flatMap(({ path, start, end }) => {
    if (!holds(path) || !bytes.subarray(start, end).includes(hint)) return [];
    const before = listOf(JSON.parse(bytes.toString('utf8', start, end)) as Json);
    const kept = before.filter((item) => !isCarried(item));
    if (kept.length === before.length) return [];
    // A message without content is an error.
    const isEmptied = kept.length === 0 && path.length === 3;
    return [{ start, end, written: encode(isEmptied ? [{ type: 'text', text: '…' }] : kept) }];
  });
}

function isCarried(item: Json): boolean {
  if (!isObject(item)) return false;
  const signature = { thinking: item['signature'], redacted_thinking: item['data'], reasoning: item['encrypted_content'] }[
    stringOf(item['type']) ?? ''
  ];
  return typeof signature === 'string' && signature.startsWith(mark);
}
