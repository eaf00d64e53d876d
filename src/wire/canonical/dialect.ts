// What a dialect has to be able to do to take part in translation: read into the canonical form, and write out of it.
import type { JsonObject } from '../json.ts';
import type { BodyCall } from '../read-call.ts';
import type { CanonicalRequest } from './request.ts';
import type { AnswerContext, CanonicalResponse, StreamReader, StreamWriter } from './response.ts';
import type { ToolNames } from './tool-names.ts';
import type { Written } from './written.ts';

export interface DialectFunctions {
  readRequest(body: JsonObject, names: ToolNames, call: BodyCall): CanonicalRequest;
  writeRequest(request: CanonicalRequest): Written;
  readResponse(body: JsonObject, newId: () => string): CanonicalResponse;
  writeResponse(response: CanonicalResponse, context: AnswerContext): JsonObject;
  reader(newId: () => string): StreamReader;
  writer(context: AnswerContext): StreamWriter;
  /** Below the provider's address. */
  path(model: string, stream: boolean): string;
}
