import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Dialect } from '../core/index.ts';
import { translateRequest, translateResponse } from './index.ts';
import { callOf, fixture, json, pairs, targets, translate } from './test-rig.ts';

describe('there and back', () => {
  it.each(pairs)('%s through %s keeps the conversation', (from, through) => {
    const there = translate(from, through);
    const back = translateRequest(
      from,
      callOf(through, through === 'gemini' ? targets.gemini : undefined),
      Buffer.from(there.body),
      'target-model',
      { now: () => 0 },
    );
    const original = translateRequest(from === 'openai-chat' ? 'anthropic-messages' : 'openai-chat', callOf(from), fixture(from), 'm');
    const returned = translateRequest(
      from === 'openai-chat' ? 'anthropic-messages' : 'openai-chat',
      callOf(from),
      Buffer.from(back.body),
      'm',
    );
    // What every dialect can say must survive: texts, pictures, calls with their arguments, results.
    for (const word of ['hello.txt', 'hëllo', 'iVBORw0KGgo=', 'Create hello.txt'])
      if (Buffer.from(original.body).includes(word)) expect(Buffer.from(returned.body).toString()).toContain(word);
  });

  const word = fc.string({ minLength: 1, maxLength: 12 }).filter((text) => text.trim() === text && text !== '');
  const text = fc.record({ role: fc.constantFrom('user', 'assistant'), text: word });
  it.each(pairs)('property: plain talk from %s through %s is the same talk', (from, through) => {
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 6 }), (talk) => {
        const body = talkIn(from, talk);
        const there = translate(from, through, body);
        const back = translateRequest(from, callOf(through), Buffer.from(there.body), 'm');
        expect(talkOf(from, json(back.body))).toEqual(merged(talk));
      }),
      { numRuns: 40 },
    );
  });

  it("a vendor's signature comes back to it unchanged through a client of another dialect", () => {
    const anthropicCall = callOf('anthropic-messages');
    const first = translateRequest('gemini', anthropicCall, Buffer.from('{"model":"m","messages":[{"role":"user","content":"hi"}]}'), 'g');
    const answer = {
      candidates: [{ content: { parts: [{ functionCall: { name: 'f', args: {} }, thoughtSignature: 'U0lH' }] }, finishReason: 'STOP' }],
    };
    const reply = json(translateResponse(first.translation, Buffer.from(JSON.stringify(answer))).body);
    const next = {
      model: 'm',
      messages: [
        { role: 'user', content: 'hi' },
        { role: 'assistant', content: reply['content'] },
      ],
    };
    const second = translateRequest('gemini', anthropicCall, Buffer.from(JSON.stringify(next)), 'g');
    expect(json(second.body)['contents']).toMatchObject([
      { role: 'user' },
      { role: 'model', parts: [{ functionCall: { name: 'f' }, thoughtSignature: 'U0lH' }] },
    ]);
    // To another vendor it is worth nothing and is not sent.
    const other = translateRequest('openai-responses', anthropicCall, Buffer.from(JSON.stringify(next)), 'o');
    expect(Buffer.from(other.body).toString()).not.toContain('U0lH');
  });
});

type Talk = readonly { readonly role: string; readonly text: string }[];

function talkIn(dialect: Dialect, talk: Talk): object {
  const messages = talk.map(({ role, text }) => ({ role, content: text }));
  if (dialect === 'gemini')
    return { contents: talk.map(({ role, text }) => ({ role: role === 'user' ? 'user' : 'model', parts: [{ text }] })) };
  if (dialect === 'openai-responses') return { model: 'm', input: messages.map((message) => ({ type: 'message', ...message })) };
  return { model: 'm', messages };
}

/** Texts of neighbours with one role belong together. */
function merged(talk: Talk): Talk {
  const out: { role: string; text: string }[] = [];
  for (const { role, text } of talk) {
    const last = out.at(-1);
    if (last?.role === role) last.text += text;
    else out.push({ role, text });
  }
  return out;
}

function talkOf(dialect: Dialect, body: Record<string, unknown>): Talk {
  const list = (body[dialect === 'gemini' ? 'contents' : dialect === 'openai-responses' ? 'input' : 'messages'] ?? []) as Record<
    string,
    unknown
  >[];
  return merged(
    list.map((item) => {
      const content = item['parts'] ?? item['content'];
      const texts = typeof content === 'string' ? [content] : (content as { text: string }[]).map((part) => part.text);
      // Chat joins the texts of a user's turn with a blank line.
      return { role: item['role'] === 'model' ? 'assistant' : String(item['role']), text: texts.join('').replaceAll('\n\n', '') };
    }),
  );
}
