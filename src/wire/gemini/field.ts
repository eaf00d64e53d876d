// Google's JSON has two spellings of each field (ProtoJSON accepts lowerCamelCase and the original snake_case).
import type { Json, JsonObject } from '../json.ts';

export function field(object: JsonObject | undefined, camel: string): Json | undefined {
  return object?.[camel] ?? object?.[snake(camel)];
}

export function snake(camel: string): string {
  return camel.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** A file that the vendor holds, as opposed to an address that it would have to fetch. */
export function isVendorFile(uri: string): boolean {
  const scheme = /^\s*([a-z][\w+.-]*):/i.exec(uri)?.[1]?.toLowerCase();
  if (scheme === undefined || scheme === 'gs') return true;
  return /^https:\/\/generativelanguage\.googleapis\.com\/(?:v\w+\/)?files\/[\w-]+$/.test(uri);
}

/** What a client without a signature may send in its place (Google's own name for it). */
export const noSignature = 'skip_thought_signature_validator';
