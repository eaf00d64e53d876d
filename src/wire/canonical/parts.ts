// Parts as dialects that have no word for them can say them.
import { type JsonObject, objectOf, parseLenient } from '../json.ts';
import type { Part } from './request.ts';
import { customInput } from './tool-names.ts';

/** An instruction in mid-conversation, for dialects and chat templates that know system text only at the start. */
export function asReminder(part: Part): Part {
  return part.kind === 'text' ? { kind: 'text', text: `<system-reminder>\n${part.text}\n</system-reminder>` } : part;
}

/** Text of a result, for dialects that have no flag for a failed call. */
export function resultText(result: Extract<Part, { kind: 'tool-result' }>): string {
  const text = result.parts.flatMap((part) => (part.kind === 'text' ? [part.text] : [])).join('\n');
  return result.isError ? `Error: ${text}` : text;
}

/** Arguments as an object; what is no object is kept as a text, since history must not be lost. */
export function inputObject(input: string): JsonObject {
  const parsed = parseLenient(input === '' ? '{}' : input);
  return objectOf(parsed) ?? objectOf(parseLenient(customInput(input))) ?? {};
}
