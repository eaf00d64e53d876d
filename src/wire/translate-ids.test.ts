// Ids of answers and of calls: Claude Code takes two of one id for one and never ends, and some servers count anew in every answer.
import { describe, expect, it } from 'vitest';
import { createStreamTranslator, translateRequest, translateResponse } from './index.ts';
import { callOf, json, pairs } from './test-rig.ts';

const hi: Readonly<Record<string, object>> = {
  'anthropic-messages': { max_tokens: 9, messages: [{ role: 'user', content: 'hi' }] },
  'openai-chat': { messages: [{ role: 'user', content: 'hi' }] },
  'openai-responses': { input: 'hi' },
  gemini: { contents: [{ role: 'user', parts: [{ text: 'hi' }] }] },
};
type Pair = (typeof pairs)[number];
function translationFor([from, to]: Pair) {
  return translateRequest(to, callOf(from), Buffer.from(JSON.stringify({ model: 'm', stream: true, ...hi[from] })), 't').translation;
}

/** What a server says that has no ids of its own to speak of. */
function answerOf(id: string, callIds: readonly string[]): object {
  const tool_calls = callIds.map((callId) => ({ id: callId, type: 'function', function: { name: 'f', arguments: '{}' } }));
  return { id, choices: [{ message: { role: 'assistant', tool_calls }, finish_reason: 'tool_calls' }] };
}

describe.each(pairs.filter(([, to]) => to === 'openai-chat'))('%s on %s', (...pair) => {
  const ask = (id: string, ...callIds: string[]) => {
    const bytes = Buffer.from(JSON.stringify(answerOf(id, callIds)));
    const whole = json(translateResponse(translationFor(pair), bytes).body);
    const streamed = Buffer.from(createStreamTranslator(translationFor(pair)).whole(bytes)).toString();
    return { whole, streamed };
  };
  /** Of a message, and of the calls in it. */
  const idsIn = (text: string) => ({
    answer: /"(?:responseId|id)":"((?:msg_|chatcmpl-|resp_)?[^"]+)"/.exec(text)?.[1],
    calls: [...new Set([...text.matchAll(/"(?:id|call_id)":"((?:0|call)_[^"]+|mIstRaL9x)"/g)].map(([, id]) => id))],
  });

  it.each(['', 'chatcmpl-123', 'chatcmpl-00000000000000000000000000000000'])('two answers with the id "%s" have two', (id) => {
    for (const form of ['whole', 'streamed'] as const) {
      const [a, b] = [ask(id, '0'), ask(id, '0')].map((told) => idsIn(form === 'whole' ? JSON.stringify(told.whole) : told.streamed));
      expect([typeof a?.answer, a?.answer === b?.answer]).toEqual(['string', false]);
    }
  });

  it.each([['0'], ['call_0'], ['functions.read:0']])('calls that are all named %s have each an id of their own', (id) => {
    const [a, b] = [ask('x', id, id), ask('x', id)].map(({ whole }) => idsIn(JSON.stringify(whole)).calls);
    expect([a?.length, b?.length, new Set([...(a ?? []), ...(b ?? [])]).size]).toEqual([2, 1, 3]);
    const streamed = [ask('x', id, id), ask('x', id)].flatMap((told) => idsIn(told.streamed).calls);
    expect(new Set(streamed).size).toBe(3);
    for (const one of streamed) expect(one).toMatch(/^[\w-]{1,64}$/);
  });

  it("an id of the server's own making stays", () => {
    expect(idsIn(ask('x', 'mIstRaL9x').streamed).calls).toEqual(['mIstRaL9x']);
    expect(idsIn(JSON.stringify(ask('x', 'mIstRaL9x').whole)).calls).toEqual(['mIstRaL9x']);
  });
});
