// OpenAI Chat Completions, as translation sees it.
import type { DialectFunctions } from '../canonical/dialect.ts';
import { readRequest } from './read-request.ts';
import { readResponse, writeResponse } from './response.ts';
import { Reader, Writer } from './stream.ts';
import { writeRequest } from './write-request.ts';

export const openAiChat: DialectFunctions = {
  readRequest,
  writeRequest,
  readResponse,
  writeResponse,
  reader: (newId) => new Reader(newId),
  writer: (context) => new Writer(context),
  path: () => '/chat/completions',
};
