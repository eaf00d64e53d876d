// Asks opencode itself: its server, and a model on loopback that answers with all the calls of a case at once. What asks a person shows
// as an event and is refused; what a rule refuses comes back as such; the rest runs, as an ordinary user in a home that is thrown away.
// Arguments: program, file with cases. Every case has a workspace of its own, so that one start answers for all.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { createServer } from 'node:http';
import path from 'node:path';

const [program = '', casesFile = ''] = process.argv.slice(2);
interface Case {
  readonly files: Readonly<Record<string, string>>;
  readonly workspace: string;
  readonly questions: readonly (readonly [action: string, target: string])[];
}
const cases: readonly Case[] = JSON.parse(fs.readFileSync(casesFile, 'utf8'));

const model = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const text = Buffer.concat(chunks).toString() || '{}';
    const body: { messages?: { role: string }[]; tools?: unknown[] } = JSON.parse(text);
    const calls = (cases[Number(/case-(\d+)-please/.exec(text)?.[1])]?.questions ?? []).map(callFor);
    const isFirst = (body.tools ?? []).length > 0 && body.messages?.every(({ role }) => role !== 'tool') === true;
    const delta = isFirst
      ? {
          role: 'assistant',
          tool_calls: calls.map(({ name, args }, index) => ({
            index,
            id: `call${index}`,
            type: 'function',
            function: { name, arguments: JSON.stringify(args) },
          })),
        }
      : { role: 'assistant', content: 'done' };
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const choice of [
      { index: 0, delta },
      { index: 0, delta: {}, finish_reason: isFirst ? 'tool_calls' : 'stop' },
    ])
      response.write(
        `data: ${JSON.stringify({ id: 'x', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [choice] })}\n\n`,
      );
    response.end('data: [DONE]\n\n');
  });
});
await new Promise<void>((done) => model.listen(18_080, '127.0.0.1', done));

function callFor([action, target]: readonly [string, string]): { name: string; args: unknown } {
  switch (action) {
    case 'shell':
      return { name: 'bash', args: { command: target, description: 'x', timeout: 2000 } };
    case 'read':
      return { name: 'read', args: { filePath: target } };
    case 'write':
      return { name: 'write', args: { filePath: target, content: 'x' } };
    default:
      return { name: 'webfetch', args: { url: target, format: 'text', timeout: 1 } };
  }
}

for (const { files } of cases) {
  for (const [name, content] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(name), { recursive: true });
    fs.writeFileSync(name, content);
  }
}
const own = process.env['HOME'] ?? '';
fs.mkdirSync(`${own}/.config/opencode`, { recursive: true });
const provider = {
  npm: '@ai-sdk/openai-compatible',
  options: { baseURL: 'http://127.0.0.1:18080/v1', apiKey: 'x' },
  models: { m: { tool_call: true, limit: { context: 200_000, output: 8000 } } },
};
const env = {
  HOME: own,
  PATH: '/usr/bin:/bin',
  TERM: 'dumb',
  OPENCODE_DISABLE_AUTOUPDATE: '1',
  OPENCODE_DISABLE_MODELS_FETCH: '1',
  OPENCODE_CONFIG_CONTENT: JSON.stringify({ model: 'fake/m', provider: { fake: provider } }),
};
const server = spawn(program, ['serve', '--port', '18081', '--hostname', '127.0.0.1'], {
  env,
  cwd: own,
  stdio: ['ignore', 'pipe', 'inherit'],
});
const base = 'http://127.0.0.1:18081';
await new Promise<void>((done) => {
  let text = '';
  server.stdout.on('data', (chunk) => {
    text += String(chunk);
    if (text.includes('listening on')) done();
  });
});
/** All calls of one case in one session. */
async function asked({ workspace, questions }: Case, index: number): Promise<readonly string[]> {
  const at = `?directory=${encodeURIComponent(workspace)}`;
  const post = async (place: string, body: unknown): Promise<any> => {
    const answer = await fetch(`${base}${place}${at}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return answer.json().catch(() => undefined);
  };
  const questioned = new Set<string>();
  const stop = new AbortController();
  const events = await fetch(`${base}/event${at}`, { signal: stop.signal });
  const watching = (async () => {
    let text = '';
    for await (const chunk of events.body ?? []) {
      text += Buffer.from(chunk).toString();
      const lines = text.split('\n');
      text = lines.pop() ?? '';
      for (const line of lines) {
        if (!line.startsWith('data: ')) continue;
        const { type, properties } = JSON.parse(line.slice(6));
        if (type !== 'permission.asked') continue;
        questioned.add(properties.tool?.callID ?? '');
        // Once, not refused: a refusal would end all other calls of the session.
        await post(`/permission/${properties.id}/reply`, { reply: 'once' });
      }
    }
  })().catch(() => {});
  const session = await post('/session', {});
  const { parts = [] } =
    (await post(`/session/${session.id}/message`, {
      model: { providerID: 'fake', modelID: 'm' },
      parts: [{ type: 'text', text: `case-${index}-please` }],
    })) ?? {};
  const messages: any[] = await fetch(`${base}/session/${session.id}/message${at}`).then((found): any => found.json());
  const states = new Map<string, any>();
  for (const message of messages) for (const part of message.parts ?? []) if (part.type === 'tool') states.set(part.callID, part.state);
  stop.abort();
  await watching;
  return questions.map((_, number) => {
    const state = states.get(`call${number}`);
    if (questioned.has(`call${number}`)) return 'ask';
    if (state === undefined) return `nothing (${parts.length} parts)`;
    return state.status === 'error' && /rule which prevents/.test(state.error ?? '') ? 'deny' : 'allow';
  });
}

const out = await Promise.all(cases.map(asked));
server.kill();
fs.writeSync(1, `\n${JSON.stringify(out)}\n`);
process.exit(0);
