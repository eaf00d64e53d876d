// Google's JSON has two spellings of each field (ProtoJSON accepts lowerCamelCase and the original snake_case).
import type { Json, JsonObject } from '../json.ts';

export function field(object: JsonObject | undefined, camel: string): Json | undefined {
  return object?.[camel] ?? object?.[snake(camel)];
}

export function snake(camel: string): string {
  return camel.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** What a client without a signature may send in its place (Google's own name for it). */
export const noSignature = 'skip_thought_signature_validator';
