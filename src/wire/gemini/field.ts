// Google's JSON has two spellings of each field (ProtoJSON accepts lowerCamelCase and the original snake_case).
import type { Json, JsonObject } from '../json.ts';

export function field(object: JsonObject | undefined, camel: string): Json | undefined {
  return object?.[camel] ?? object?.[snake(camel)];
}

export function snake(camel: string): string {
  return camel.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
