// Runs in a network namespace of its own: a model on loopback that asks Claude Code for one tool call after another in one answer, and
// Claude Code itself. Writes what became of each call as JSON to standard output. Arguments: program, home, workspace, calls.
import { spawn } from 'node:child_process';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const [program = '', home = '', workspace = '', callsJson = '[]'] = process.argv.slice(2);
const calls: readonly (readonly [tool: string, input: unknown])[] = JSON.parse(callsJson);
let outcomes: readonly string[] = [];

function stream(response: ServerResponse, blocks: readonly (readonly [start: object, delta: object])[], stop: string): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const send = (type: string, more: object): void => void response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`);
  send('message_start', {
    message: {
      id: 'm',
      type: 'message',
      role: 'assistant',
      model: 'm',
      content: [],
      stop_reason: null,
      usage: { input_tokens: 1, output_tokens: 1 },
    },
  });
  for (const [index, [start, delta]] of blocks.entries()) {
    send('content_block_start', { index, content_block: start });
    send('content_block_delta', { index, delta });
    send('content_block_stop', { index });
  }
  send('message_delta', { delta: { stop_reason: stop }, usage: { output_tokens: 1 } });
  send('message_stop', {});
  response.end();
}

/** What the program says of a call, in our words. */
function outcomeOf(text: string, isError: boolean): string {
  if (/has been denied|denied by your permission settings/.test(text)) return 'deny';
  if (/requires approval|needs approval|haven't granted|was blocked|can't be checked|cannot be auto-allowed|sensitive file/.test(text))
    return 'ask';
  return isError && !/^Exit code/.test(text) ? text.slice(0, 100) : 'allow';
}

interface Block {
  readonly type: string;
  readonly tool_use_id?: string;
  readonly is_error?: boolean;
  readonly content?: unknown;
}

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    if (!request.url?.startsWith('/v1/messages')) return void response.writeHead(404).end('{}');
    const body: { messages?: { content: string | Block[] }[]; tools?: unknown[] } = JSON.parse(Buffer.concat(chunks).toString());
    const results = (body.messages ?? []).flatMap(({ content }) =>
      typeof content === 'string' ? [] : content.filter(({ type }) => type === 'tool_result'),
    );
    if (results.length > 0)
      outcomes = results.map(({ content, is_error }) =>
        outcomeOf(typeof content === 'string' ? content : JSON.stringify(content), is_error === true),
      );
    if (results.length > 0 || (body.tools ?? []).length === 0)
      return stream(
        response,
        [
          [
            { type: 'text', text: '' },
            { type: 'text_delta', text: 'done' },
          ],
        ],
        'end_turn',
      );
    stream(
      response,
      calls.map(([name, input], index) => [
        { type: 'tool_use', id: `call${index}`, name, input: {} },
        { type: 'input_json_delta', partial_json: JSON.stringify(input) },
      ]),
      'tool_use',
    );
  });
});

server.listen(0, '127.0.0.1', () => {
  const address: string | AddressInfo | null = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const env = {
    HOME: home,
    PATH: '/usr/bin:/bin',
    TERM: 'dumb',
    ANTHROPIC_BASE_URL: `http://127.0.0.1:${port}`,
    ANTHROPIC_API_KEY: 'placeholder',
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    DISABLE_AUTOUPDATER: '1',
  };
  const child = spawn(program, ['-p', 'go'], { cwd: workspace, env, stdio: ['ignore', 'ignore', 'inherit'], timeout: 60_000 });
  child.on('exit', () => {
    process.stdout.write(JSON.stringify(outcomes));
    server.close();
  });
});
