// Sends a call to a model of another name and leaves every other byte as the client wrote it.
import { type Dialect, IntramurError } from '../core/index.ts';
import { parseLenient, type Span, stringOf, topLevelStrings } from './json.ts';
import type { BodyCall } from './read-call.ts';

/**
 * INVARIANT: the body was read by `readCall`, so it is JSON with one `model`.
 * @param target request target (path and query) of the call; only Gemini's holds the model's name
 */
export function withModel(
  dialect: Dialect,
  call: BodyCall,
  body: Uint8Array,
  target: string,
  model: string,
): { readonly target: string; readonly body: Uint8Array } {
  const span = topLevelStrings(body).get('model');
  const stated = span && textAt(body, span);
  if (dialect !== 'gemini') {
    if (span === undefined) throw new IntramurError('DIALECT_INVALID', 'the call names no model');
    return { target, body: stated === model ? body : splice(body, span, model) };
  }
  if (call.modelInPath === model) return { target, body };
  const renamed = stated?.startsWith('models/') ? `models/${model}` : model;
  return { target: inPath(call.path, target, model), body: span === undefined ? body : splice(body, span, renamed) };
}

function textAt(body: Uint8Array, span: Span): string | undefined {
  return stringOf(parseLenient(Buffer.from(body.subarray(span.start, span.end)).toString()));
}

function splice(body: Uint8Array, span: Span, model: string): Uint8Array {
  return Buffer.concat([body.subarray(0, span.start), Buffer.from(JSON.stringify(model)), body.subarray(span.end)]);
}

function inPath(path: string, target: string, model: string): string {
  const start = path.lastIndexOf('/') + 1;
  const end = path.lastIndexOf(':');
  return target.slice(0, start) + encodeURIComponent(model) + target.slice(end);
}
