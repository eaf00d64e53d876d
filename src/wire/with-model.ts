// Sends a call to a model of another name and leaves every other byte as the client wrote it.
import { type Dialect, IntramurError } from '../core/index.ts';
import { parseDocument, type Span } from './json.ts';
import type { BodyCall } from './read-call.ts';

/** @param target request target (path and query) of the call; only Gemini's holds the model's name */
export function withModel(
  dialect: Dialect,
  call: BodyCall,
  body: Uint8Array,
  target: string,
  model: string,
): { readonly target: string; readonly body: Uint8Array } {
  const { value, strings } = parseDocument(body);
  const stated = value['model'];
  const span = strings.get('model');
  if (dialect !== 'gemini') {
    if (span === undefined) throw new IntramurError('DIALECT_INVALID', 'the call names no model');
    return { target, body: stated === model ? body : splice(body, span, model) };
  }
  if (call.modelInPath === model) return { target, body };
  const renamed = typeof stated === 'string' && stated.startsWith('models/') ? `models/${model}` : model;
  return { target: inPath(call.path, target, model), body: span === undefined ? body : splice(body, span, renamed) };
}

function splice(body: Uint8Array, span: Span, model: string): Uint8Array {
  return Buffer.concat([body.subarray(0, span.start), Buffer.from(JSON.stringify(model)), body.subarray(span.end)]);
}

function inPath(path: string, target: string, model: string): string {
  const start = path.lastIndexOf('/') + 1;
  const end = path.lastIndexOf(':');
  return target.slice(0, start) + encodeURIComponent(model) + target.slice(end);
}
