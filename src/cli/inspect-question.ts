// One line of `intramur inspect --jsonl`, read strictly: a line that could be read in two ways, or that holds a part which nobody would
// look at, is not understood. INVARIANT: of a line that is understood, every text is inspected or says whose line it is.
import { type Body, IntramurError } from '../core/index.ts';
import { parseDocument } from '../wire/index.ts';
import { codingsIn, decoded } from './content-coding.ts';

type Id = string | number | null;

export interface Question extends Content {
  readonly id: Id;
  readonly session: string | undefined;
}

interface Content {
  readonly body: Body;
  /** Of a body that came coded: the decoders that took that off, outermost first, and the bytes that it had. */
  readonly coded?: { readonly decoders: readonly string[]; readonly bytes: number };
}

export interface NoQuestion {
  readonly id: Id;
  readonly refused: { readonly code: 'INSPECT_FAILED' | 'INSPECT_LIMIT'; readonly reason: string };
}

type Members = Readonly<Record<string, unknown>>;

/** @param bytes of the line, without its end */
export function questionOf(bytes: Uint8Array): Question | NoQuestion {
  let id: Id = null;
  try {
    const line = objectIn(bytes);
    if (typeof line['id'] === 'string' || typeof line['id'] === 'number') id = line['id'];
    else if (isGiven(line['id'])) throw unclear('"id" is neither a text nor a number');
    only(line, ['id', 'session', 'user', 'text', 'messages', 'http'], 'the line');
    return { id, session: sessionOf(line), ...contentOf(line) };
  } catch (fault) {
    if (!(fault instanceof IntramurError)) throw fault;
    return { id, refused: { code: fault.code === 'INSPECT_LIMIT' ? 'INSPECT_LIMIT' : 'INSPECT_FAILED', reason: fault.message } };
  }
}

function objectIn(bytes: Uint8Array): Members {
  let line: unknown;
  try {
    line = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    throw unclear('the line is not JSON');
  }
  if (!isRecord(line)) throw unclear('the line is not a JSON object');
  try {
    parseDocument(bytes);
  } catch (fault) {
    // What it says is of a call's body. It is JSON, so the one thing left is a key that readers would choose from.
    throw fault instanceof IntramurError && fault.code === 'DIALECT_INVALID' ? unclear('the line holds the same key twice') : fault;
  }
  return line;
}

/** Lines of one session of one user add up. */
function sessionOf(line: Members): string | undefined {
  const session = textIn(line, 'session');
  const user = textIn(line, 'user');
  return session === undefined || user === undefined ? session : JSON.stringify([user, session]);
}

function contentOf(line: Members): Content {
  const { text, messages, http } = line;
  if ([text, messages, http].filter(isGiven).length !== 1) throw unclear('the line does not hold one of "text", "messages" and "http"');
  if (typeof text === 'string') return { body: { bytes: Buffer.from(text), contentType: 'text/plain', views: [] } };
  if (isTexts(messages)) return { body: { bytes: Buffer.from(JSON.stringify(messages)), contentType: 'application/json', views: [] } };
  if (isRecord(http)) return contentOfHttp(http);
  throw unclear('"text" is no text, "messages" no list of texts, or "http" no object');
}

function contentOfHttp(http: Members): Content {
  only(http, ['method', 'url', 'headers', 'body', 'bodyBase64'], '"http"');
  const fields = headerFields(http['headers']);
  const views = [textIn(http, 'method'), textIn(http, 'url'), ...fields.map(([name, value]) => `${name}: ${value}`)];
  const types = new Set(valuesOf(fields, 'content-type').map((value) => (value.split(';')[0] ?? '').trim().toLowerCase()));
  if (types.size > 1) throw unclear('the headers name two types of the content');
  const bytes = bytesOf(textIn(http, 'body'), textIn(http, 'bodyBase64'));
  const codings = codingsIn(valuesOf(fields, 'content-encoding'));
  const body = { bytes, contentType: [...types].join(), views: views.filter((view) => view !== undefined) };
  if (codings.length === 0 || bytes.length === 0) return { body };
  const { bytes: plain, decoders } = decoded(bytes, codings);
  return { body: { ...body, bytes: plain }, coded: { decoders, bytes: bytes.length } };
}

function bytesOf(text: string | undefined, base64: string | undefined): Buffer {
  if (base64 === undefined) return Buffer.from(text ?? '');
  if (text !== undefined) throw unclear('"http" holds both "body" and "bodyBase64"');
  // What a decoder would skip or guess is no base64 (RFC 4648, section 4); the padding may be left out.
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(base64) || base64.length % 4 === 1 || (base64.endsWith('=') && base64.length % 4 !== 0))
    throw unclear('"bodyBase64" is not base64');
  return Buffer.from(base64, 'base64');
}

/** Headers as an object of texts or lists of texts, or as a list of pairs. */
function headerFields(headers: unknown): [string, string][] {
  if (!isGiven(headers)) return [];
  const pairs: unknown[] = Array.isArray(headers) ? headers : isRecord(headers) ? Object.entries(headers) : [undefined];
  return pairs.flatMap((pair) => {
    const [name, value, ...more]: unknown[] = Array.isArray(pair) ? pair : [];
    const values: unknown[] = Array.isArray(value) ? value : [value];
    if (typeof name !== 'string' || more.length > 0 || !values.every((one) => typeof one === 'string' || typeof one === 'number'))
      throw unclear('"headers" is neither an object of texts nor a list of pairs');
    return values.map((one): [string, string] => [name, String(one)]);
  });
}

function valuesOf(fields: readonly [string, string][], wanted: string): string[] {
  return fields.filter(([name]) => name.toLowerCase() === wanted).map(([, value]) => value);
}

/** Members that nobody knows would be looked at by nobody. Their names may hold anything, so they are not repeated. */
function only(members: Members, known: readonly string[], what: string): void {
  for (const [name, value] of Object.entries(members))
    if (isGiven(value) && !known.includes(name)) throw unclear(`${what} holds a member that is none of ${known.join(', ')}`);
}

function textIn(members: Members, name: string): string | undefined {
  const value = members[name];
  if (typeof value === 'string') return value;
  if (isGiven(value)) throw unclear(`"${name}" is not a text`);
  return undefined;
}

/** A member that is null says no more than one that is not there. */
function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function unclear(reason: string): IntramurError {
  return new IntramurError('INSPECT_FAILED', reason);
}

function isRecord(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
