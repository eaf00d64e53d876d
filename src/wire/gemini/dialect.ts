// Gemini, as translation sees it: model and streaming stand in the path.
import type { DialectFunctions } from '../canonical/dialect.ts';
import { readRequest } from './read-request.ts';
import { readResponse, writeResponse } from './response.ts';
import { Reader, Writer } from './stream.ts';
import { writeRequest } from './write-request.ts';

export const gemini: DialectFunctions = {
  readRequest: (body, names, call) =>
    readRequest(body, names, call.modelInPath ?? '', call.kind === 'invoke' && call.streamInPath === true),
  writeRequest,
  readResponse,
  writeResponse,
  reader: (newId) => new Reader(newId),
  writer: (context) => new Writer(context),
  path: (model, stream) => `/v1beta/models/${encodeURIComponent(model)}:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
};
