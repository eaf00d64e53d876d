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

describe('property: a conversation with tools, there and back', () => {
  const word = fc.string({ minLength: 1, maxLength: 10, unit: 'grapheme' }).filter((text) => text.trim() === text && text !== '');
  const name = fc.constantFrom('write_file', 'Bash', 'read');
  const image = fc.constant({ type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } });
  const step = fc.record({
    ask: word,
    picture: fc.option(image),
    say: fc.option(word),
    calls: fc.array(fc.record({ name, input: fc.dictionary(word, fc.oneof(word, fc.integer(), fc.boolean())), result: word }), {
      maxLength: 3,
    }),
  });
  // A temperature or a top_p: both at once are an error of today's models.
  const settings = fc.record(
    {
      max_tokens: fc.integer({ min: 16, max: 9999 }),
      sampling: fc.constantFrom({ temperature: 0 }, { temperature: 0.5 }, { temperature: 1 }, { top_p: 0.1 }, { top_p: 0.9 }),
      tool_choice: fc.constantFrom({ type: 'auto' }, { type: 'any' }, { type: 'tool', name: 'Bash' }),
    },
    { requiredKeys: ['max_tokens'] },
  );
  const tools = ['write_file', 'Bash', 'read'].map((tool) => ({
    name: tool,
    description: `${tool} it`,
    input_schema: { type: 'object', properties: { path: { type: 'string' } }, required: ['path'] },
  }));

  type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

  /** As Claude Code would send it, in the plainest form: one text a turn. */
  function conversation(steps: readonly Step[]): object[] {
    let results: object[] = [];
    return steps.flatMap(({ ask, picture, say, calls }, n) => {
      const user = { role: 'user', content: [...results, { type: 'text', text: ask }, ...(picture ? [picture] : [])] };
      const uses = calls.map(({ name, input }, k) => ({ type: 'tool_use', id: `call_${n}_${k}`, name, input }));
      results = calls.map(({ result }, k) => ({
        type: 'tool_result',
        tool_use_id: `call_${n}_${k}`,
        content: [{ type: 'text', text: result }],
      }));
      const content = [...(say === null && uses.length > 0 ? [] : [{ type: 'text', text: say ?? 'ok' }]), ...uses];
      return [user, { role: 'assistant', content }];
    });
  }

  it.each(pairs.filter(([from]) => from === 'anthropic-messages').map(([, through]) => through))('through %s', (through) => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 4 }), settings, word, (steps, { sampling, ...chosen }, system) => {
        const body = {
          model: 'm',
          ...chosen,
          ...sampling,
          system: [{ type: 'text', text: system }],
          messages: conversation(steps),
          tools,
          stream: true,
        };
        const there = translate('anthropic-messages', through, body);
        const back = translateRequest('anthropic-messages', callOf(through), Buffer.from(there.body), 'm');
        expect(json(back.body)).toEqual(body);
        expect([...there.lossy, ...back.lossy]).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });
});
