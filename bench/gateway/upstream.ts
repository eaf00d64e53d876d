// The model service behind every gateway of the bench: a short whole answer, a quick stream of 50 events, or a slow stream whose events
// are told by `slow` in the body. OpenAI Chat Completions only. A program of its own; its address goes to the parent.
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

const whole = Buffer.from(
  JSON.stringify({
    id: 'c1',
    object: 'chat.completion',
    created: 0,
    model: 'm',
    choices: [
      { index: 0, message: { role: 'assistant', content: 'An answer of a usual length, one sentence or two.' }, finish_reason: 'stop' },
    ],
    usage: { prompt_tokens: 20, completion_tokens: 12, total_tokens: 32 },
  }),
);
const word = (i: number): string =>
  `data: {"id":"c1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"word ${i} "}}]}\n\n`;
const last = [
  'data: {"id":"c1","choices":[],"usage":{"prompt_tokens":20,"completion_tokens":50,"total_tokens":70}}\n\n',
  'data: [DONE]\n\n',
];

const server = http.createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const text = Buffer.concat(chunks).toString();
    if (!/"stream": ?true/.test(text)) {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': whole.length }).end(whole);
      return;
    }
    const [, events = '50', everyMs = '0'] = /slow (\d+) (\d+)/.exec(text) ?? [];
    void stream(response, Number(events), Number(everyMs));
  });
});

async function stream(response: http.ServerResponse, events: number, everyMs: number): Promise<void> {
  response.on('error', () => {});
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
  for (let i = 0; i < events; i++) {
    response.write(word(i));
    if (everyMs > 0) await sleep(everyMs);
  }
  for (const event of last) response.write(event);
  response.end();
}

server.keepAliveTimeout = 600_000;
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.send?.(typeof address === 'object' && address ? address.port : 0);
});
process.on('disconnect', () => process.exit(0));
