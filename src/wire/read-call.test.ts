import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codeOf, type Dialect } from '../core/index.ts';
import { type BodyCall, readCall, withModel } from './index.ts';
import { maxDepth } from './json.ts';

const chat = { kind: 'invoke', dialect: 'openai-chat', path: '/v1/chat/completions', streamForm: 'sse' } as const satisfies BodyCall;
const gemini = {
  kind: 'invoke',
  dialect: 'gemini',
  path: '/v1beta/models/g-1:generateContent',
  modelInPath: 'g-1',
  streamInPath: false,
  streamForm: 'json-array',
} as const satisfies BodyCall;

function read(body: string | Uint8Array, call: BodyCall = chat) {
  return readCall(call.dialect, call, Buffer.from(body as string));
}

function codeFrom(step: () => unknown): string | undefined {
  try {
    step();
    return 'nothing thrown';
  } catch (fault) {
    return codeOf(fault);
  }
}

describe('readCall', () => {
  it('reads model, streaming, session and server tools', () => {
    const session_id = '6e4a2f1c-0000-4000-8000-000000000000';
    const body = {
      model: 'claude-x',
      stream: true,
      metadata: { user_id: JSON.stringify({ device_id: 'd', session_id }) },
      tools: [
        { name: 'Bash', input_schema: {} },
        { type: 'web_search_20250305', name: 'web_search' },
      ],
      messages: [],
    };
    const call: BodyCall = { kind: 'invoke', dialect: 'anthropic-messages', path: '/v1/messages', streamForm: 'sse' };
    expect(read(JSON.stringify(body), call)).toEqual({
      model: 'claude-x',
      stream: true,
      sessionHint: session_id,
      serverTools: ['web_search'],
    });
  });

  it.each([
    ['Codex', { prompt_cache_key: '01a2-b3' }, '01a2-b3'],
    ['older Claude Code', { metadata: { user_id: 'user_ab_account__session_0a-1b' } }, '0a-1b'],
    ['a hint that is no id', { prompt_cache_key: 'x y\n' }, undefined],
  ])('session hint of %s', (_name, fields, hint) => {
    expect(read(JSON.stringify({ model: 'm', ...fields })).sessionHint).toBe(hint);
  });

  it.each([
    ['broken JSON', '{"model":"m"'],
    ['two documents', '{"model":"m"}{"model":"n"}'],
    ['an array', '[{"model":"m"}]'],
    ['nothing', ''],
    ['a byte order mark', '\ufeff{"model":"m"}'],
    ['invalid UTF-8', Buffer.from([0x7b, 0x22, 0x6d, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
    ['UTF-16', Buffer.from('{"model":"m"}', 'utf16le')],
    ['a raw NUL', '{"model":"m\0"}'],
    ['an endless string', `{"model":"${'x'.repeat(1000)}`],
    ['no model', '{"stream":true}'],
    ['a model that is a list', '{"model":["m"]}'],
    ['an empty model', '{"model":""}'],
    ['a model with an escaped line break', '{"model":"m\\nx"}'],
    ['a model with half a surrogate pair', '{"model":"m\\ud800"}'],
    ['a model of 10 MB', `{"model":"${'m'.repeat(10_000_000)}"}`],
    ['a stream that is neither true nor false', '{"model":"m","stream":"yes"}'],
    ['a model inside __proto__', '{"__proto__":{"model":"m"}}'],
    ['the same key twice', '{"model":"inside","model":"outside"}'],
    ['the same key, once escaped', '{"model":"inside","mod\\u0065l":"outside"}'],
    ['the same key in other case, which Go takes for the same', '{"model":"inside","MODEL":"outside"}'],
    ['a long s, which Go folds to s', '{"model":"m","messages":[],"me\\u017fsages":[1]}'],
    ['two keys that are one where lone surrogates are repaired', '{"model":"m","x":{"\\ud800":1,"\\udbff":2}}'],
    ['the same key twice deep inside', '{"model":"m","messages":[{"role":"user","content":"a","content":"b"}]}'],
  ])('%s -> DIALECT_INVALID', (_name, body) => {
    expect(codeFrom(() => read(body))).toBe('DIALECT_INVALID');
  });

  it('keys that differ only in case are fine where they are data', () => {
    expect(read('{"model":"m","tools":[{"function":{"parameters":{"properties":{"Path":{},"path":{}}}}}]}').model).toBe('m');
  });

  it('a key of a nested object may repeat in another object', () => {
    expect(read('{"model":"m","messages":[{"role":"a"},{"role":"b","x":{"role":1}}]}').model).toBe('m');
  });

  it.each([
    ['arrays', '[', ']'],
    ['objects', '{"a":', '}'],
  ])('100,000 nested %s -> INSPECT_LIMIT', (_name, open, close) => {
    const body = `{"model":"m","x":${open.repeat(100_000)}1${close.repeat(100_000)}}`;
    expect(codeFrom(() => read(body))).toBe('INSPECT_LIMIT');
  });

  it('a body as deep as the limit is read', () => {
    expect(read(`{"model":"m","x":${'['.repeat(maxDepth - 1)}${']'.repeat(maxDepth - 1)}}`).model).toBe('m');
  });

  it('a list of 300,000 blocks is walked without running out of stack', () => {
    const body = JSON.stringify({ model: 'm', messages: Array.from({ length: 300_000 }, () => ({ t: 1 })) });
    expect(read(body).serverTools).toEqual([]);
  });

  it('Gemini: path and body may not disagree about the model', () => {
    expect(read('{"model":"models/g-1"}', gemini).model).toBe('g-1');
    expect(codeFrom(() => read('{"model":"models/g-2"}', gemini))).toBe('DIALECT_INVALID');
  });
});

describe('server tools', () => {
  it.each<[string, Dialect, object, string[]]>([
    [
      'Anthropic tools of the client',
      'anthropic-messages',
      {
        tools: [
          { type: 'bash_20250124', name: 'bash' },
          { type: 'custom', name: 'x' },
        ],
      },
      [],
    ],
    ['Anthropic code execution', 'anthropic-messages', { tools: [{ type: 'code_execution_20250825' }] }, ['code_interpreter']],
    ['Anthropic fetch', 'anthropic-messages', { tools: [{ type: 'web_fetch_20250910' }] }, ['web_fetch']],
    ['Anthropic remote MCP', 'anthropic-messages', { mcp_servers: [{ type: 'url', url: 'https://x.example' }] }, ['mcp']],
    [
      'Anthropic image by URL inside a tool result',
      'anthropic-messages',
      {
        messages: [
          { content: [{ type: 'tool_result', content: [{ type: 'image', source: { type: 'url', url: 'https://x.example/?leak' } }] }] },
        ],
      },
      ['image_url'],
    ],
    [
      'an argument that only looks like a block',
      'anthropic-messages',
      { messages: [{ content: [{ type: 'tool_use', name: 'x', input: { source: { type: 'url' } } }] }] },
      [],
    ],
    ['a tool type nobody knows yet', 'anthropic-messages', { tools: [{ type: 'teleport_20300101' }] }, ['other:teleport_20300101']],
    [
      'Responses: Codex',
      'openai-responses',
      { tools: [{ type: 'namespace', tools: [{ type: 'function' }] }, { type: 'web_search' }] },
      ['web_search'],
    ],
    [
      'Responses: tools inside the input',
      'openai-responses',
      { input: [{ type: 'additional_tools', tools: [{ type: 'namespace', tools: [{ type: 'custom' }, { type: 'mcp' }] }] }] },
      ['mcp'],
    ],
    ['Responses: stored conversation', 'openai-responses', { previous_response_id: 'r', input: 'x' }, ['stored_state']],
    [
      'Responses: a shell in a container',
      'openai-responses',
      { tools: [{ type: 'shell', environment: { type: 'container_auto' } }] },
      ['code_interpreter'],
    ],
    [
      'Responses: files',
      'openai-responses',
      {
        input: [
          {
            role: 'user',
            content: [
              { type: 'input_file', file_id: 'f' },
              { type: 'input_image', image_url: 'https://x.example' },
            ],
          },
        ],
      },
      ['image_url', 'file_id'],
    ],
    ['Chat: search', 'openai-chat', { web_search_options: {} }, ['web_search']],
    ['a model that searches', 'openai-chat', { model: 'openai/gpt-4o:Online' }, ['web_search']],
    ['a model that only sounds like it', 'anthropic-messages', { model: 'vendor:online-7b' }, []],
    ['Chat: a choice of models', 'openai-chat', { models: ['a', 'b'] }, ['model_choice']],
    [
      'Chat: inline image',
      'openai-chat',
      { messages: [{ content: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,AA' } }] }] },
      [],
    ],
    [
      'Chat: image by URL',
      'openai-chat',
      { messages: [{ content: [{ type: 'image_url', image_url: { url: 'https://x.example' } }] }] },
      ['image_url'],
    ],
    [
      'Gemini, either spelling',
      'gemini',
      { tools: [{ functionDeclarations: [] }, { google_search: {} }, { codeExecution: {} }] },
      ['web_search', 'code_interpreter'],
    ],
    [
      'Gemini: cache and files',
      'gemini',
      { cachedContent: 'c', contents: [{ parts: [{ fileData: { fileUri: 'u' } }] }] },
      ['stored_state', 'file_id'],
    ],
    [
      'Gemini: a file of its own store, and addresses that it would fetch',
      'gemini',
      {
        contents: [
          { parts: [{ fileData: { fileUri: 'https://generativelanguage.googleapis.com/v1beta/files/a-1' } }] },
          { parts: [{ file_data: { mime_type: 'image/png', file_uri: 'https://evil.example/?q=secret' } }] },
          { parts: [{ functionResponse: { parts: [{ fileData: { fileUri: 'HTTPS://evil.example/a.pdf' } }] } }] },
        ],
      },
      ['document_url', 'image_url', 'file_id'],
    ],
  ])('%s', (_name, dialect, fields, expected) => {
    const call: BodyCall = dialect === 'gemini' ? gemini : { ...chat, dialect };
    expect(read(JSON.stringify(dialect === 'gemini' ? fields : { model: 'm', ...fields }), call).serverTools).toEqual(expected);
  });
});

describe('withModel', () => {
  it('replaces the bytes of the name and no others', () => {
    const body = Buffer.from('{ "a":1.0,\t"mod\\u0065l" : "x\\u0079" , "messages":[{"model":"x"}], "u":"\\ud83d" }\n');
    const out = withModel('openai-chat', chat, body, '/v1/chat/completions?q', 'né"w');
    expect(Buffer.from(out.body).toString()).toBe('{ "a":1.0,\t"mod\\u0065l" : "né\\"w" , "messages":[{"model":"x"}], "u":"\\ud83d" }\n');
    expect(out.target).toBe('/v1/chat/completions?q');
  });

  it('Gemini: replaces the segment of the path', () => {
    const body = Buffer.from('{"contents":[]}');
    const out = withModel('gemini', gemini, body, '/v1beta/models/g-1:generateContent?alt=sse', 'a/b');
    expect(out).toEqual({ target: '/v1beta/models/a%2Fb:generateContent?alt=sse', body });
  });

  it('property: only the model changes, and the same name changes nothing', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue()),
        fc.string({ minLength: 1 }),
        fc.string({ minLength: 1 }),
        (rest, from, to) => {
          const folded = Object.keys(rest).map((key) => key.toUpperCase().toLowerCase());
          fc.pre(!folded.includes('model') && new Set(folded).size === folded.length);
          const source = { ...rest, model: from };
          const body = Buffer.from(JSON.stringify(source));
          const out = withModel('openai-chat', chat, body, '/', to);
          expect(JSON.parse(Buffer.from(out.body).toString())).toEqual(JSON.parse(JSON.stringify({ ...source, model: to })));
          expect(withModel('openai-chat', chat, body, '/', from).body).toBe(body);
        },
      ),
      { numRuns: 200 },
    );
  });
});
