// Test kit of the gateway: an inside and an outside upstream behind one gateway, and a call in each dialect.
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import type { Dialect, Request, Target } from '../../core/index.ts';
import { type FakeUpstream, startFakeUpstream } from '../../testing/index.ts';
import { allow, provider, type Rig, type RigOptions, startRig, type Told } from '../test-rig.ts';

/** What a test has opened; `closeAll` closes it in reverse. */
export const open: { close(): Promise<void> }[] = [];
export async function closeAll(): Promise<void> {
  for (const one of open.splice(0).toReversed()) await one.close();
}

export async function upstream(options: Partial<Parameters<typeof startFakeUpstream>[0]> = {}): Promise<FakeUpstream> {
  const started = await startFakeUpstream({ script: [{ text: 'hello back' }], ...options });
  open.push(started);
  return started;
}

export async function rig(options: RigOptions): Promise<Rig> {
  const started = await startRig(options);
  open.push(started);
  return started;
}

export function targetsOf(request: Request): readonly Target[] {
  return request.act.action === 'llm.invoke' ? request.act.targets : [];
}

export const insideOnly = (request: Request): ReturnType<typeof allow> =>
  allow(targetsOf(request).filter(({ perimeter }) => perimeter === 'onprem'));

export interface Pair {
  readonly inside: FakeUpstream;
  readonly outside: FakeUpstream;
  readonly rig: Rig;
}

/** An inside and an outside target for everything, in one dialect. The outside one stands first in the map. */
export async function pair(options: RigOptions = {}, dialect: Dialect = 'openai-chat', timeoutMs = 300): Promise<Pair> {
  const [inside, outside] = [await upstream(), await upstream()];
  const prefix = dialect.startsWith('openai') ? '/v1' : '';
  const started = await rig({
    ...options,
    config: {
      providers: [
        provider({ id: 'vendor', url: outside.url + prefix, perimeter: 'public', key: 'env:VENDOR_KEY', dialect }),
        provider({ id: 'coder', url: inside.url + prefix, timeoutMs, dialect }),
      ],
      models: [{ match: '*', targets: ['vendor/gpt', 'coder/qwen3'] }],
      ...options.config,
    },
    env: { VENDOR_KEY: 'real-vendor-key' },
  });
  return { inside, outside, rig: started };
}

export const chat = '/v1/chat/completions';
export const dialectCalls: readonly (readonly [Dialect, string, Readonly<Record<string, unknown>>])[] = [
  ['anthropic-messages', '/v1/messages', { model: 'coder', max_tokens: 9, messages: [{ role: 'user', content: 'hello' }] }],
  ['openai-chat', chat, { model: 'coder', messages: [{ role: 'user', content: 'hello' }] }],
  ['openai-responses', '/v1/responses', { model: 'coder', input: 'hello' }],
  ['gemini', '/v1beta/models/coder:generateContent', { contents: [{ role: 'user', parts: [{ text: 'hello' }] }] }],
];

export function streamed([dialect, to, body]: (typeof dialectCalls)[number]): readonly [string, string] {
  return dialect === 'gemini'
    ? ['/v1beta/models/coder:streamGenerateContent?alt=sse', JSON.stringify(body)]
    : [to, JSON.stringify({ ...body, stream: true })];
}

/** The message of an error in any dialect. */
export function messageOf({ text }: Told): string {
  return String(JSON.parse(text).error.message);
}

/** How a stream that came to its end closes. */
export const ends: Readonly<Record<Dialect, RegExp>> = {
  'anthropic-messages': /message_stop/,
  'openai-chat': /\[DONE\]/,
  'openai-responses': /response\.completed/,
  gemini: /"finishReason"/,
};

/** Starts a server that is no fake upstream. */
export async function listen(server: net.Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push({
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        if (server instanceof http.Server) server.closeAllConnections();
      }),
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
