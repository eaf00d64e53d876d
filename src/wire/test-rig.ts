// What the tests of translation share: pairs of dialects, requests as real agents send them, and readers of what comes out.
import fs from 'node:fs';
import { codeOf, type Dialect, dialects } from '../core/index.ts';
import { type BodyCall, createStreamTranslator, detectCall, streamWatcher, translateRequest } from './index.ts';

export const pairs = dialects.flatMap((from) => dialects.filter((to) => to !== from).map((to) => [from, to] as const));
export const targets: Readonly<Record<Dialect, string>> = {
  'anthropic-messages': '/v1/messages',
  'openai-chat': '/v1/chat/completions',
  'openai-responses': '/v1/responses',
  gemini: '/v1beta/models/gemini-3:streamGenerateContent?alt=sse',
};

export type InvokeCall = Extract<BodyCall, { kind: 'invoke' }>;
export function callOf(dialect: Dialect, target = targets[dialect]): InvokeCall {
  const call = detectCall({ method: 'POST', target, rawHeaders: [] });
  if (call.kind !== 'invoke') throw new Error('not a model call');
  return call;
}

export function fixture(dialect: Dialect): Buffer {
  return fs.readFileSync(new URL(`testdata/requests/${dialect}.json`, import.meta.url));
}

export function translate(from: Dialect, to: Dialect, body: Buffer | object = fixture(from), target = targets[from]) {
  let count = 0;
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
  return translateRequest(to, callOf(from, target), bytes, 'target-model', { now: () => 0, newId: () => `call_new${count++}` });
}

/** A turn of the rehearsal model. */
export const turn = {
  thinking: 'Two steps …',
  text: 'Writing "it" 🙂.',
  acts: [
    { do: 'tool', name: 'write_file', input: { file_path: 'hello.txt', content: 'hëllo\n' } },
    { do: 'tool', name: 'exec', input: { input: 'text("raw");' } },
  ],
} as const;

export function streamed(from: Dialect, to: Dialect, chunks: readonly (string | Buffer)[], body?: object): string {
  const translator = createStreamTranslator(translate(from, to, body).translation);
  const out = chunks.map((chunk) => translator.push(Buffer.from(chunk)));
  return Buffer.concat([...out, translator.end()]).toString();
}

export function watched(dialect: Dialect, stream: Buffer) {
  const watcher = streamWatcher(dialect);
  watcher.push(stream);
  return watcher;
}

export function codeFrom(step: () => unknown): string | undefined {
  try {
    step();
    return 'nothing thrown';
  } catch (fault) {
    return codeOf(fault);
  }
}

export function json(bytes: Uint8Array): Record<string, unknown> {
  return JSON.parse(Buffer.from(bytes).toString());
}
