// `intramur inspect --jsonl`: one JSON line in, one answer out, in order and at once, until the input ends.
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import type { Body, Report } from '../core/index.ts';
import type { Inspector } from '../inspect/index.ts';

export type LineAnswer = { readonly id: string | number | null } & Report;

interface Question {
  readonly id: string | number | null;
  readonly body: Body;
  readonly session: string | undefined;
}

/** Resolves with the exit code: 1 when any line had a finding or could not be looked at. */
export async function answerLines(
  input: NodeJS.ReadableStream | Uint8Array,
  inspector: Inspector,
  answer: (answer: LineAnswer) => void,
): Promise<0 | 1> {
  let isClean = true;
  const stream = input instanceof Uint8Array ? Readable.from([input]) : input;
  for await (const line of createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })) {
    if (line.trim() === '') continue;
    const question = questionOf(line);
    const report =
      'body' in question
        ? await inspector.inspect(question.body, question.session === undefined ? {} : { session: question.session })
        : notUnderstood(line, question.problem);
    if (report.refused || report.findings.length > 0) isClean = false;
    answer({ id: question.id, ...report });
  }
  return isClean ? 0 : 1;
}

function notUnderstood(line: string, problem: string): Report {
  return {
    bytes: Buffer.byteLength(line),
    classification: 'public',
    labels: [],
    findings: [],
    refused: { code: 'INSPECT_FAILED', reason: problem },
    ms: 0,
  };
}

function questionOf(line: string): Question | { id: Question['id']; problem: string } {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch {
    return { id: null, problem: 'the line is not JSON' };
  }
  if (!isRecord(parsed)) return { id: null, problem: 'the line is not a JSON object' };
  const id = typeof parsed['id'] === 'string' || typeof parsed['id'] === 'number' ? parsed['id'] : null;
  const body = bodyOf(parsed);
  if (!body) return { id, problem: 'the line holds neither "text" nor "messages" nor "http" in a form that is understood' };
  return { id, body, session: sessionOf(parsed) };
}

/** Lines of one session of one user add up. */
function sessionOf(line: Readonly<Record<string, unknown>>): string | undefined {
  const { session, user } = line;
  if (typeof session !== 'string') return undefined;
  return typeof user === 'string' ? JSON.stringify([user, session]) : session;
}

function bodyOf(line: Readonly<Record<string, unknown>>): Body | undefined {
  const { text, messages, http } = line;
  if (typeof text === 'string') return { bytes: Buffer.from(text), contentType: 'text/plain', views: [] };
  if (isTexts(messages)) return { bytes: Buffer.from(JSON.stringify(messages)), contentType: 'application/json', views: [] };
  return isRecord(http) ? httpBody(http) : undefined;
}

function httpBody({ method, url, headers, body, bodyBase64 }: Readonly<Record<string, unknown>>): Body | undefined {
  const fields = headerFields(headers);
  if (fields === undefined || ![method, url, body, bodyBase64].every((part) => part === undefined || typeof part === 'string'))
    return undefined;
  const bytes = typeof bodyBase64 === 'string' ? Buffer.from(bodyBase64, 'base64') : Buffer.from(typeof body === 'string' ? body : '');
  const type = fields.find(([name]) => name.toLowerCase() === 'content-type')?.[1] ?? '';
  const views = fields.map(([name, value]) => `${name}: ${value}`);
  return {
    bytes,
    contentType: (type.split(';')[0] ?? '').trim().toLowerCase(),
    views: typeof url === 'string' ? [url, ...views] : views,
  };
}

/** Headers as an object of texts or lists of texts, or as a list of pairs. */
function headerFields(headers: unknown): [string, string][] | undefined {
  if (headers === undefined || headers === null) return [];
  const pairs: unknown[] = Array.isArray(headers) ? headers : isRecord(headers) ? Object.entries(headers) : [undefined];
  const fields: [string, string][] = [];
  for (const pair of pairs) {
    const [name, value]: unknown[] = Array.isArray(pair) ? pair : [];
    if (typeof name !== 'string') return undefined;
    for (const one of Array.isArray(value) ? value : [value]) {
      if (typeof one !== 'string' && typeof one !== 'number') return undefined;
      fields.push([name, String(one)]);
    }
  }
  return fields;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
