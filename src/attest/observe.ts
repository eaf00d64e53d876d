// A run as comparable places: every header, query value, body value, order and count that could carry a mark, each under a name that is
// the same in every run. What is compared as a number (times, the slack of a compression) stands apart.
import { brotliDecompressSync, gunzipSync, gzipSync, inflateSync, zstdDecompressSync } from 'node:zlib';
import { type EgressClass, headerOf } from '../core/index.ts';
import { readJsonLeaves } from './json-leaves.ts';
import { observeHellos } from './observe-tls.ts';
import type { ObservedRequest, RunRecord } from './record.ts';

export interface Place {
  /** For people and the report: no request numbers and no random ids, so that it is the same from run to run. */
  readonly where: string;
  readonly channel: 'value' | 'wire';
  readonly to: EgressClass;
  /** Which request it belongs to; `''` for places of the whole run. */
  readonly request: string;
  readonly text: string;
  /**
   * Default: token by token. `whole`: as one, wherever in it the change is. `order`: as one, and only what both sides have, since what
   * one side lacks has its own place.
   */
  readonly compared?: 'whole' | 'order';
}

export interface Quantity {
  readonly where: string;
  readonly channel: 'timing' | 'wire';
  readonly value: number;
  /** Smaller shifts are noise, whatever their regularity. */
  readonly least: number;
}

export interface Observation {
  readonly places: ReadonlyMap<string, Place>;
  readonly quantities: ReadonlyMap<string, Quantity>;
  readonly requests: ReadonlySet<string>;
}

/** Larger bodies are compared by their first part: an agent's request is far smaller. */
const maxBodyBytes = 16 << 20;

export function observe(run: RunRecord): Observation {
  const places = new Map<string, Place>();
  const quantities = new Map<string, Quantity>();
  const names = requestNames(run);
  for (const [request, name] of names) observeRequest(request, name, (key, place) => places.set(key, place), quantities);
  observeTraffic(run, places);
  observeTiming(names, quantities);
  const hellos = observeHellos(run, (key, place) => places.set(key, place));
  return { places, quantities, requests: new Set([...names.values(), ...hellos]) };
}

/** Model requests of the same step of the conversation get the same name in every run, in whatever order they came. */
function requestNames(run: RunRecord): Map<ObservedRequest, string> {
  const names = new Map<ObservedRequest, string>();
  const seen = new Map<string, number>();
  for (const request of run.requests) {
    if (request.class !== 'model') continue;
    const kind = `${request.method} ${pathOf(request)} ${stepOf(request)}`;
    const count = (seen.get(kind) ?? 0) + 1;
    seen.set(kind, count);
    names.set(request, `${kind} #${count}`);
  }
  return names;
}

/** How far the conversation is, and whether tools are offered (a side question has none). */
function stepOf(request: ObservedRequest): string {
  let body: unknown;
  try {
    body = JSON.parse(bodyText(request));
  } catch {
    return '-';
  }
  if (typeof body !== 'object' || body === null) return '-';
  const fields = new Map(Object.entries(body));
  const history = [fields.get('messages'), fields.get('input'), fields.get('contents')].find(Array.isArray);
  const tools = fields.get('tools');
  return `${history?.length ?? 0}${Array.isArray(tools) && tools.length > 0 ? 't' : ''}`;
}

export function pathOf({ target }: ObservedRequest): string {
  return target.split('?', 1)[0] ?? '/';
}

function observeRequest(
  request: ObservedRequest,
  name: string,
  put: (key: string, place: Place) => void,
  quantities: Map<string, Quantity>,
): void {
  const prefix = `${request.method} ${pathOf(request)}`;
  const add = (what: string, channel: Place['channel'], text: string, compared?: 'order'): void => {
    const place = { where: `${prefix} ${what}`, channel, to: request.class, request: name, text };
    put(`${name} ${what}`, compared === undefined ? place : { ...place, compared });
  };
  observeHead(request, add);
  const text = bodyText(request);
  const json = readJsonLeaves(text);
  if (json === undefined) {
    if (text !== '') add('body', 'value', text);
  } else {
    for (const { path, text: value } of json.leaves) add(path || 'body', 'value', value);
    for (const { path, text: names } of json.orders) add(`${path || 'body'} order`, 'wire', names, 'order');
    add('body white space', 'wire', json.space);
    add('body escapes', 'wire', json.escapes);
  }
  if (headerOf(request.rawHeaders, 'content-encoding') !== undefined) {
    const value = request.body.length - gzipSync(text).length;
    quantities.set(`${name} slack`, { where: `${prefix} compressed length beyond its contents`, channel: 'wire', value, least: 12 });
  }
}

type Add = (what: string, channel: Place['channel'], text: string, compared?: 'order') => void;

function observeHead(request: ObservedRequest, add: Add): void {
  const { rawHeaders, target } = request;
  const names: string[] = [];
  const seen = new Map<string, number>();
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    names.push(name);
    const lower = name.toLowerCase();
    const count = (seen.get(lower) ?? 0) + 1;
    seen.set(lower, count);
    // Follows from the body, which is compared itself; a compressed one has its own quantity.
    if (lower === 'content-length') continue;
    add(`header ${lower}${count > 1 ? ` ${count}` : ''}`, 'value', rawHeaders[i + 1] ?? '');
  }
  add('header order', 'wire', names.join(' ').toLowerCase(), 'order');
  add('header case', 'wire', names.toSorted((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1)).join(' '), 'order');
  add('HTTP version', 'wire', request.httpVersion);
  const query = target.split('?').slice(1).join('?');
  if (query === '') return;
  const pairs = query.split('&').map((pair) => pair.split('='));
  for (const [i, [name = '', ...value]] of pairs.entries()) {
    const again = pairs.slice(0, i).filter(([other]) => other === name).length;
    add(`query ${name}${again > 0 ? ` ${again + 1}` : ''}`, 'value', value.join('='));
  }
  add('query order', 'wire', pairs.map(([name]) => name).join(' '), 'order');
}

/** How many requests of which kind, and over how many connections. */
function observeTraffic(run: RunRecord, places: Map<string, Place>): void {
  const counts = new Map<string, { where: string; to: EgressClass; count: number }>();
  for (const request of run.requests) {
    const where = `requests ${request.class === 'model' ? 'to the model' : `to ${hostOf(request, run)}`}: ${request.method} ${plainPath(pathOf(request))}`;
    const known = counts.get(where) ?? { where, to: request.class, count: 0 };
    known.count += 1;
    counts.set(where, known);
  }
  for (const { where, to, count } of counts.values()) places.set(where, { where, channel: 'wire', to, request: '', text: String(count) });
  const visited = new Set(run.requests.map(({ host }) => host));
  for (const name of run.lookups ?? []) {
    const where = `lookup of ${name}`;
    if (!visited.has(name)) places.set(where, { where, channel: 'wire', to: 'other', request: '', text: 'present' });
  }
  const connections = run.requests
    .filter((request) => request.class === 'model' && request.connection > 0)
    .map(({ connection }) => connection);
  const serials = [...new Set(connections)];
  const text = connections.map((connection) => serials.indexOf(connection) + 1).join(' ');
  if (text !== '')
    places.set('connections', { where: 'connections to the model', channel: 'wire', to: 'model', request: '', text, compared: 'whole' });
}

function observeTiming(names: ReadonlyMap<ObservedRequest, string>, quantities: Map<string, Quantity>): void {
  let previous: ObservedRequest | undefined;
  for (const [request, name] of names) {
    const value = request.at - (previous?.answeredAt ?? 0);
    const where =
      previous === undefined ? 'time before the first request to the model' : 'time between an answer and the next request to the model';
    quantities.set(`${name} wait`, { where, channel: 'timing', value, least: 40 });
    previous = request;
  }
}

/** The host, or what it is when that is the varied base URL. */
export function hostOf(request: ObservedRequest, run: RunRecord): string {
  return run.stated['base-url']?.some((host) => host === request.host) ? 'the model host' : request.host;
}

/** Without segments that look like ids. */
export function plainPath(path: string): string {
  return path.replaceAll(/\/(?=[^/]*\d)[\w.:~-]{12,}(?=\/|$)/g, '/*');
}

/** The body as text, decompressed; bytes that are not UTF-8 one by one. */
export function bodyText({ rawHeaders, body }: ObservedRequest): string {
  const bytes = decompressed(headerOf(rawHeaders, 'content-encoding')?.toLowerCase().trim(), body.subarray(0, maxBodyBytes));
  const text = Buffer.from(bytes).toString('utf8');
  return Buffer.from(text).equals(Buffer.from(bytes)) ? text : Buffer.from(bytes).toString('latin1');
}

function decompressed(encoding: string | undefined, body: Uint8Array): Uint8Array {
  const limit = { maxOutputLength: maxBodyBytes };
  try {
    switch (encoding) {
      case 'gzip':
      case 'x-gzip':
        return gunzipSync(body, limit);
      case 'deflate':
        return inflateSync(body, limit);
      case 'br':
        return brotliDecompressSync(body, limit);
      case 'zstd':
        return zstdDecompressSync(body, limit);
      default:
        return body;
    }
  } catch {
    return body; // It is compared as it is.
  }
}
