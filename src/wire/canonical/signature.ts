// Carries a vendor's signature over thinking through a client of another dialect and back: the client keeps it as if it were of its
// own dialect and returns it unchanged with the history.
import { type Dialect, dialects } from '../../core/index.ts';
import { objectOf, parseLenient, stringOf } from '../json.ts';
import type { Signature, ThinkingPart } from './request.ts';

/** How a value of ours begins. */
export const mark = 'intramur.';

/** What the client is given as signature. */
export function wrapSignature(signature: Signature, client: Dialect): string {
  return signature.dialect === client ? signature.value : mark + Buffer.from(JSON.stringify(signature)).toString('base64url');
}

/** What the client gave back. */
export function unwrapSignature(value: string, client: Dialect): Signature {
  const carried = value.startsWith(mark)
    ? objectOf(parseLenient(Buffer.from(value.slice(mark.length), 'base64url').toString()))
    : undefined;
  const dialect = dialects.find((name) => name === carried?.['dialect']);
  const inner = stringOf(carried?.['value']);
  if (!carried || dialect === undefined || inner === undefined) return { dialect: client, value };
  const id = stringOf(carried['id']);
  const text = stringOf(carried['text']);
  const optional = {
    ...(id !== undefined && { id }),
    ...(text !== undefined && { text }),
    ...(carried['isRedacted'] === true && { isRedacted: true }),
  };
  return { dialect, value: inner, ...optional };
}

/** What a client without a place for thinking of its own keeps in place of a signature: DeepSeek wants the words back. */
export function carriedThinking(text: string, client: Dialect): string | undefined {
  return text === '' ? undefined : wrapSignature({ dialect: 'openai-chat', value: '', text }, client);
}

/** Thinking as it was signed: a client may keep the signature and lose the words, and the vendor wants both unchanged. */
export function signedThinking(text: string, signature: Signature | undefined): ThinkingPart {
  if (!signature) return { kind: 'thinking', text };
  const { text: signed, ...bare } = signature;
  return { kind: 'thinking', text: signed ?? text, signature: bare };
}
