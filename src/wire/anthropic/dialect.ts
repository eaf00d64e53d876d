// Anthropic Messages, as translation sees it.
import type { DialectFunctions } from '../canonical/dialect.ts';
import { readRequest } from './read-request.ts';
import { readResponse, writeResponse } from './response.ts';
import { Reader, Writer } from './stream.ts';
import { writeRequest } from './write-request.ts';

export const anthropicMessages: DialectFunctions = {
  readRequest,
  writeRequest,
  readResponse,
  writeResponse,
  reader: () => new Reader(),
  writer: (context) => new Writer(context),
  path: () => '/v1/messages',
};
