import { describe, expect, it } from 'vitest';
import { namedPaths } from './named-paths.ts';

const named = (body: unknown) => [...namedPaths(Buffer.from(JSON.stringify(body)))];
const file = '/srv/core/pier.ts';
const shell = `cd /tmp && cat "${file}" | base64`;

describe('what a conversation has opened', () => {
  it.each<[string, unknown]>([
    ['Anthropic', { messages: [{ role: 'assistant', content: [{ type: 'tool_use', name: 'Read', input: { file_path: file } }] }] }],
    [
      'OpenAI chat',
      { messages: [{ role: 'assistant', tool_calls: [{ function: { name: 'sh', arguments: JSON.stringify({ cmd: shell }) } }] }] },
    ],
    ['OpenAI Responses', { input: [{ type: 'function_call', arguments: JSON.stringify({ command: ['bash', '-lc', shell] }) }] }],
    ['Responses, a custom tool', { input: [{ type: 'custom_tool_call', name: 'x', input: shell }] }],
    ['Responses, a local shell', { input: [{ type: 'local_shell_call', action: { command: ['cat', file] } }] }],
    ['Gemini', { contents: [{ role: 'model', parts: [{ functionCall: { name: 'read', args: { paths: [file] } } }] }] }],
    ['arguments that are no JSON', { input: [{ type: 'function_call', arguments: `{"cmd": "${file}` }] }],
  ])('is seen in tool calls of %s', (_name, body) => expect(named(body)).toContain(file));

  it.each<[string, unknown]>([
    ['what people say', { messages: [{ role: 'user', content: [{ type: 'text', text: `never open ${file}` }] }] }],
    ['what a tool answered', { messages: [{ role: 'user', content: [{ type: 'tool_result', content: file }] }] }],
    ['what is written', { messages: [{ role: 'assistant', content: [{ type: 'tool_use', input: { content: `see ${file}` } }] }] }],
    ['the schema of a tool', { tools: [{ name: 'x', input_schema: { properties: { a: { description: file } } } }] }],
  ])('is not %s', (_name, body) => expect(named(body)).toEqual([]));

  it('names of the home directory, of above and of below the workspace, with blanks and escapes', () => {
    const input = { a: '~/work/x', b: '/srv/my notes/a b.txt', c: 'cat ../core/x.c src/a.ts README.md; echo done', d: 'less /srv/a\\ b' };
    const paths = named({ messages: [{ content: [{ type: 'tool_use', input }] }] });
    expect(paths).toEqual(expect.arrayContaining(['~/work/x', '/srv/my notes/a b.txt', '../core/x.c', 'src/a.ts', 'README.md']));
  });

  it('takes its time in proportion, whatever the arguments are', () => {
    const hostile = ['/'.repeat(60_000), 'a.'.repeat(30_000), 'a/'.repeat(30_000), '~'.repeat(60_000), '"\\'.repeat(20_000)];
    const start = process.cpuUsage();
    named({ messages: [{ content: hostile.map((text) => ({ type: 'tool_use', input: { text: 'x', command: text } })) }] });
    expect(process.cpuUsage(start).user / 1000).toBeLessThan(1000);
  });
});
