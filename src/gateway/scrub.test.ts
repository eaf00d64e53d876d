import { describe, expect, it } from 'vitest';
import { createScrubber } from './scrub.ts';

const { scrub } = createScrubber(Buffer.alloc(32, 1));

function through(text: string, credential: 'provider' | 'client' = 'provider'): { text: string; counts: readonly string[] } {
  const { bytes, counts } = scrub(Buffer.from(text), credential);
  return { text: Buffer.from(bytes).toString(), counts };
}

const neutral = `{"system":"Today's date is 2026-11-22.\\nGo on."}`;

describe('a date line', () => {
  it.each([
    ['neutral', neutral, 0],
    ['slashes', neutral.replaceAll('-', '/'), 1],
    ['U+2019', neutral.replace("'", '\u2019'), 1],
    ['U+02B9 and slashes', neutral.replace("'", '\u02b9').replaceAll('-', '/'), 1],
    ['U+02BC', neutral.replace("'", '\u02bc'), 1],
    ['an escaped apostrophe', neutral.replace("'", '\\u2019'), 1],
    ['an escaped modifier', neutral.replace("'", '\\u02BC'), 1],
    ['a fullwidth slash', neutral.replaceAll('-', '\uff0f'), 1],
    ['a zero-width space', neutral.replace("'s", "'\u200bs"), 1],
    ['an escaped zero-width joiner', neutral.replace(' is', ' \\u200dis'), 1],
    ['a no-break space', neutral.replace('date is', 'date\u00a0is'), 1],
    ['a variation selector at its end', neutral.replace('22.', '22\ufe0f.'), 1],
  ])('with %s comes out neutral', (_name, text, count) => {
    expect(through(text)).toEqual({ text: neutral, counts: count === 0 ? [] : ['date-line:1'] });
  });
});

describe('what says who somebody is', () => {
  const userId = JSON.stringify(JSON.stringify({ device_id: 'd'.repeat(64), account_uuid: 'a-1', session_id: 's-1' }));
  const body = `{"system":[{"type":"text","text":"x-anthropic-billing-header: cc_version=2.1.330.abc; cc_entrypoint=sdk-cli;"}],"metadata":{"user_id":${userId}}}`;

  it('is taken out, the same way each time, and stays JSON', () => {
    const once = through(body);
    expect(once.counts).toEqual(['billing-line:1', 'device-id:1', 'account-id:1', 'session-id:1']);
    expect(through(body).text).toBe(once.text);
    const parsed = JSON.parse(once.text);
    expect(parsed.system[0].text).toBe('x-anthropic-billing-header: cc_version=0; cc_entrypoint=cli;');
    expect(JSON.parse(parsed.metadata.user_id)).toEqual({
      device_id: '0'.repeat(64),
      account_uuid: '',
      session_id: expect.stringMatching(/^[0-9a-f]{8}-/),
    });
    expect(createScrubber(Buffer.alloc(32, 2)).scrub(Buffer.from(body), 'provider').bytes).not.toEqual(Buffer.from(once.text));
  });

  it('in the older form and in Codex', () => {
    const old = through(`{"metadata":{"user_id":"user_${'a1'.repeat(32)}_account_1-2_session_3-4"}}`);
    expect(JSON.parse(old.text).metadata.user_id).toMatch(/^user_0{64}_account__session_[0-9a-f-]{36}$/);
    const codex = through(
      JSON.stringify({
        client_metadata: {
          'x-codex-installation-id': 'i-1',
          'x-codex-turn-metadata': JSON.stringify({ workspaces: { '/home/alice/secret': { remote: 'git@x:y' } } }),
        },
      }),
    );
    expect([codex.counts, JSON.parse(codex.text).client_metadata['x-codex-turn-metadata']]).toEqual([
      ['installation-id:1', 'turn-metadata:1'],
      '{}',
    ]);
    expect(codex.text).not.toContain('alice');
  });

  it('the sessions of Codex become pseudonyms that still belong together, and nothing of its calls changes', () => {
    const session = '01a22cf6-c2f2-75f1-a1d5-fd5d1de75557';
    const body = {
      input: [{ type: 'function_call', name: 'x', arguments: '{"session_id":"s-7"}' }, { session_id: 's-7' }],
      prompt_cache_key: session,
      client_metadata: {
        session_id: session,
        thread_id: session,
        mcp_attribution: '{"status":"none"}',
        'x-codex-window-id': `${session}:0`,
      },
    };
    const { text, counts } = through(JSON.stringify(body));
    expect([counts, text.includes(session)]).toEqual([['codex-session:3', 'cache-key:1'], false]);
    const { prompt_cache_key, client_metadata, input } = JSON.parse(text);
    expect(input).toEqual(body.input);
    expect(client_metadata).toEqual({
      ...body.client_metadata,
      session_id: prompt_cache_key,
      thread_id: prompt_cache_key,
      'x-codex-window-id': `${prompt_cache_key}:0`,
    });
    expect(through(text.replace(prompt_cache_key, 'our-cache')).text).toContain('"prompt_cache_key":"our-cache"');
    expect(through(JSON.stringify(body), 'client').counts).toEqual([]);
  });

  it('in arguments and results of tools is what the agent works with, and stays', () => {
    const own = { session_id: 's-1', device_id: 'd-1', account_uuid: 'a-1', installation_id: 'i-1', 'x-codex-turn-metadata': 'm' };
    const text = JSON.stringify({
      metadata: { user_id: 'alice' },
      messages: [
        { role: 'assistant', content: [{ type: 'tool_use', id: 'a', name: 'browser', input: own }] },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'a', content: JSON.stringify(own) }] },
      ],
      client_metadata: { thread: 'x' },
    });
    expect(through(text)).toEqual({ text, counts: [] });
  });

  it("stays when the call goes out under the caller's own login, which is told by it", () => {
    expect(through(body, 'client')).toEqual({ text: body, counts: [] });
  });

  it('what the user wrote is left alone', () => {
    const text = '{"messages":[{"role":"user","content":"It\u2019s 2026/11/22; naïve 👩\u200d💻 code: device_id = 5"}]}';
    expect(through(text)).toEqual({ text, counts: [] });
  });
});
