// A client on loopback as the gateway sees it: key, path, call. Everything that is no model call of a known caller ends here.
import type { Readable } from 'node:stream';
import { type Dialect, type ExchangeHead, type ExchangeReply, headerOf } from '../core/index.ts';
import { type Detected, detectCall, refusal } from '../wire/index.ts';
import type { Departure } from './departure.ts';
import type { Gateway } from './gateway.ts';
import type { Keyring } from './keyring.ts';

export interface ClientDeps {
  readonly gateway: Gateway;
  readonly keyring: Keyring;
}

export async function handleClient(
  { gateway, keyring }: ClientDeps,
  head: ExchangeHead,
  body: Readable,
  signal: Departure,
): Promise<ExchangeReply> {
  const call: Detected = detectCall(head);
  // A probe says only that somebody is there, and clients send it without their key.
  if (call.kind === 'probe') return { status: 200, rawHeaders: ['content-length', '0'], body: drained(body) };
  const caller = keyring.authenticate(head);
  const dialect = call.kind === 'unknown' ? dialectOf(head) : call.dialect;
  if (!caller) {
    drained(body);
    return refusal(dialect, { message: 'the request carries no key that is known here', kind: 'auth' });
  }
  if (call.kind === 'unknown') {
    drained(body);
    return refusal(dialect, { message: `the gateway serves no ${head.method} at this path`, kind: 'not-found' });
  }
  return gateway.handle(call, caller.head, body, caller.principal, signal, caller.allowance);
}

function drained(body: Readable): Uint8Array {
  body.resume();
  return new Uint8Array();
}

/** The dialect that an unknown path most likely belongs to, so that its client can read the error. */
function dialectOf({ target, rawHeaders }: ExchangeHead): Dialect {
  if (target.startsWith('/v1beta/') || headerOf(rawHeaders, 'x-goog-api-key') !== undefined) return 'gemini';
  return headerOf(rawHeaders, 'anthropic-version') !== undefined ? 'anthropic-messages' : 'openai-chat';
}
