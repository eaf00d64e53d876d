import { describe, expect, it } from 'vitest';
import type { Dialect } from '../core/index.ts';
import { rehearse } from '../testing/index.ts';
import { wrapSignature } from './canonical/signature.ts';
import { translateRequest, withoutCarriedSignatures } from './index.ts';
import { callOf, json, streamed, translate } from './test-rig.ts';

const carried = (client: Dialect) =>
  wrapSignature({ dialect: client === 'gemini' ? 'openai-chat' : 'gemini', value: 'v', text: 'T' }, client);
const without = (dialect: Dialect, text: string) => Buffer.from(withoutCarriedSignatures(dialect, Buffer.from(text))).toString();

describe('a conversation that goes on at a model of its own dialect', () => {
  it('Anthropic: without the thinking that is not its own; every other byte stays', () => {
    const ours = `{"type":"thinking","thinking":"T","signature":"${carried('anthropic-messages')}"}`;
    const hidden = `{"type":"redacted_thinking","data":"${carried('anthropic-messages')}"}`;
    const theirs = '{"type":"thinking","thinking":"t","signature":"EqQB"}';
    const call = '{"type":"tool_use","id":"a","name":"f","input":{"n":1}}';
    const body = (...blocks: string[]) =>
      `{ "model":"m", "top_p":1.0, "messages" : [ {"role":"assistant","content":[${blocks.join()}]} ] }`;
    expect(without('anthropic-messages', body(ours, call))).toBe(body(call));
    expect(without('anthropic-messages', body(theirs, hidden, call))).toBe(body(theirs, call));
    expect(without('anthropic-messages', body(ours))).toBe(body('{"type":"text","text":"…"}'));
    expect(without('anthropic-messages', body(theirs, call))).toBe(body(theirs, call));
  });

  it('Responses: without those items', () => {
    const ours = `{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"${carried('openai-responses')}"}`;
    const message = '{"role":"user","content":"hi"}';
    const body = (...items: string[]) => `{"temperature":1.0,"input":[${items.join()}]}`;
    expect(without('openai-responses', body(message, ours))).toBe(body(message));
  });

  it('Gemini: with what its vendor takes in place of a signature', () => {
    const body = (signature: string) =>
      `{"contents": [{"role":"model","parts":[{"functionCall":{"name":"f","args":{"thoughtSignature":"intramur.x"}},"thoughtSignature":"${signature}"}]}]}`;
    expect(without('gemini', body(carried('gemini')))).toBe(body('skip_thought_signature_validator'));
  });

  it.each<[string, Dialect, string]>([
    ['words that begin alike', 'anthropic-messages', '{"messages":[{"role":"user","content":[{"type":"text","text":"intramur.yaml"}]}]}'],
    ['an argument', 'anthropic-messages', '{"messages":[{"content":[{"type":"tool_use","input":{"signature":"intramur.x"}}]}]}'],
    ['a text', 'openai-responses', '{"input":"intramur.x"}'],
    ['Chat', 'openai-chat', '{"messages":[{"role":"user","content":"intramur.x"}]}'],
  ])('%s stays', (_name, dialect, text) => {
    expect(without(dialect, text)).toBe(text);
  });
});

it('thinking comes back to a server that wants its words, through a client of Gemini that keeps none', () => {
  const turn = { thinking: 'Two steps', acts: [{ do: 'tool', name: 'f', input: {} }] } as const;
  const events = streamed('gemini', 'openai-chat', rehearse('openai-chat', turn).chunks, { contents: [] });
  const parts = [...events.matchAll(/^data: (.*)$/gm)].flatMap(([, data = '']) => JSON.parse(data).candidates[0].content.parts);
  const kept = parts.filter((part: { thought?: boolean; text?: string }) => !part.thought && part.text !== '');
  const contents = [
    { role: 'model', parts: kept },
    { role: 'user', parts: [{ functionResponse: { name: 'f', response: { output: 'x' } } }] },
  ];
  const next = translateRequest('openai-chat', callOf('gemini'), Buffer.from(JSON.stringify({ contents })), 'deepseek-chat');
  expect((json(next.body)['messages'] as object[])[0]).toMatchObject({ reasoning_content: 'Two steps', tool_calls: [{}] });
  // To others it is no signature.
  expect(JSON.stringify(json(translate('gemini', 'anthropic-messages', { contents }).body))).not.toMatch(/Two steps|intramur/);
});
