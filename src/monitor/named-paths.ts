// The files that a conversation shows to have been opened: paths in the arguments of tool calls, in each of the four dialects. Whatever
// the tool did with a file, encoded or told in other words, it was that file that it read.
import { type JsonPath, jsonStrings, textOf } from '../wire/index.ts';

/** More than any conversation names; the work of one call is bounded. */
const MOST_PATHS = 4096;
const LONGEST_TEXT = 64 << 10;
const LONGEST_PATH = 4096;

/** What a call writes, or says in words, opens nothing. */
const isText = new Set<string | number>([
  'content',
  'contents',
  'new_string',
  'old_string',
  'new_str',
  'old_str',
  'file_text',
  'insert_text',
  'text',
  'patch',
  'diff',
  'code_edit',
  'description',
  'prompt',
  'thought',
]);

/** @param bytes JSON of a model call; of anything else nothing is named */
export function namedPaths(bytes: Uint8Array): Set<string> {
  const input = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const named = new Set<string>();
  for (const { path, isKey, start, end } of jsonStrings(input)) {
    if (isKey || end - start > LONGEST_TEXT || named.size >= MOST_PATHS || !isArgument(path)) continue;
    const text = textOf(input, { start, end });
    if (text === undefined) continue;
    if (path.at(-1) === 'arguments') for (const value of argumentsIn(text)) addPaths(value, named);
    else if (!isText.has(path.at(-1) ?? '')) addPaths(text, named);
  }
  return named;
}

/** Of Anthropic `input` of a block, of OpenAI `arguments`, `input` and `action` of a call, of Gemini `args`. */
function isArgument(path: JsonPath): boolean {
  if (path.at(-1) === 'arguments') return true;
  if (path[0] === 'messages') return path[2] === 'content' && path[4] === 'input';
  if (path[0] === 'contents') return path[4] === 'functionCall' && path[5] === 'args';
  return path[0] === 'input' && (path[2] === 'action' || (path[2] === 'input' && path.length === 3));
}

/** The texts of a JSON object in a string; the string itself where it is none. */
function argumentsIn(text: string): string[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return [text];
  }
  const texts: string[] = [];
  const visit = (value: unknown, key: string | undefined, depth: number): void => {
    if (typeof value === 'string' && !isText.has(key ?? '')) texts.push(value);
    if (typeof value !== 'object' || value === null || depth > 8) return;
    for (const [name, inner] of Object.entries(value)) visit(inner, Array.isArray(value) ? key : name, depth + 1);
  };
  visit(parsed, undefined, 0);
  return texts;
}

/** An absolute path, one from the home directory, or one that leaves where it starts. */
const ANCHORED = /(?:^|[\s"'`=:(<>|;&,[{@])((?:~|\.\.)?\/[^\s"'`|;&<>(){}[\],]*)/g;
/** What may be the name of a file below the workspace. */
const RELATIVE = /(?<![\w./~-])[\w@+-][\w.@+-]{0,200}(?:\/[\w.@+-]{1,200}){0,32}/g;

function addPaths(text: string, named: Set<string>): void {
  // A field that is a path, blanks and all.
  if (/^(?:~|\.\.)?\/[^\n]*$/.test(text) && text.length <= LONGEST_PATH) named.add(text);
  for (const [, found = ''] of text.matchAll(ANCHORED)) {
    if (named.size >= MOST_PATHS) return;
    if (found.length > 1 && found.length <= LONGEST_PATH && !found.startsWith('//')) named.add(found.replace(/\\/g, ''));
  }
  for (const [found] of text.matchAll(RELATIVE)) {
    if (named.size >= MOST_PATHS) return;
    if (/[./]/.test(found)) named.add(found.replace(/\.$/, ''));
  }
}
