// Writes an ExchangeReply to a Node response, body streamed with back-pressure; a body that breaks breaks the connection, so that
// a cut answer never looks complete.
import type { ServerResponse } from 'node:http';
import { pipeline, Readable } from 'node:stream';
import type { ExchangeReply } from '../core/index.ts';

export function sendBody(response: ServerResponse, body: ExchangeReply['body']): void {
  if (!(body instanceof Readable)) {
    response.end(body);
    return;
  }
  pipeline(body, response, (error) => {
    if (error) response.destroy();
  });
}
