// CPU that one model call costs in the gateway, with inspection, policy and ledger on, against a bare Node + undici proxy in the same
// run. Each part is a process of its own, so that a process's own CPU clock is the measure; rounds alternate, because the machine
// is shared. `node bench/gateway.ts`; with a role as argument it is one of its own children.
import { type ChildProcess, fork } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Pool } from 'undici';
import { defaultConfig, type ProviderConfig } from '../src/config/index.ts';
import { createClientServer, createGateway, createKeyring, createVault } from '../src/gateway/index.ts';
import { createInspector } from '../src/inspect/index.ts';
import { openLedger } from '../src/ledger/index.ts';
import { createTaint, mediate, recordRefusal } from '../src/monitor/index.ts';
import { loadPolicies } from '../src/policy/index.ts';

const key = 'sk-bench-00000000000000000000';
const self = fileURLToPath(import.meta.url);

/** What the upstream answers: a short whole answer, and a stream of 50 events. */
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
const events = [
  ...Array.from(
    { length: 50 },
    (_, i) => `data: {"id":"c1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"word ${i} "}}]}\n\n`,
  ),
  'data: {"id":"c1","choices":[],"usage":{"prompt_tokens":20,"completion_tokens":50,"total_tokens":70}}\n\n',
  'data: [DONE]\n\n',
];

function upstream(): http.Server {
  return http.createServer((request, response) => {
    let isStream = false;
    request.on('data', (chunk: Buffer) => {
      isStream ||= chunk.includes('"stream":true');
    });
    request.on('end', () => {
      if (!isStream) {
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': whole.length }).end(whole);
        return;
      }
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const event of events) response.write(event);
      response.end();
    });
  });
}

/** The floor: reads nothing, decides nothing, records nothing. */
function bare(origin: string): http.Server {
  const pool = new Pool(origin, { connections: 64 });
  return http.createServer((request, response) => {
    const { host: _host, connection: _connection, ...headers } = request.headers;
    pool
      .stream({ path: request.url ?? '/', method: 'POST', headers, body: request }, ({ statusCode, headers: answered }) => {
        response.writeHead(statusCode, answered);
        return response;
      })
      .catch(() => response.destroy());
  });
}

async function gateway(origin: string): Promise<http.Server> {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'bench-gateway-'));
  process.on('exit', () => fs.rmSync(root, { recursive: true, force: true }));
  const now = (): Date => new Date();
  const ledger = await openLedger({
    dir: path.join(root, 'ledger'),
    keyFile: path.join(root, 'key'),
    origin: 'bench.example',
    now,
    maxDelayMs: 1,
  });
  const packsDir = path.join(path.dirname(self), '..', 'src', 'packs');
  const engine = await loadPolicies({ packs: ['baseline', 'perimeter', 'research-production'], packsDir, dirs: [] });
  const inspector = createInspector();
  const deps = {
    inspect: inspector.inspect,
    decide: engine.decide,
    append: ledger.append.bind(ledger),
    taint: createTaint(),
    now,
  };
  const provider: ProviderConfig = {
    id: 'coder',
    dialect: 'openai-chat',
    url: `${origin}/v1`,
    perimeter: 'onprem',
    vetted: true,
    key: undefined,
    timeoutMs: 10_000,
    credential: 'provider',
  };
  const config = {
    ...defaultConfig,
    providers: [provider],
    models: [{ match: '*', targets: ['coder/*'] }],
    keys: [{ id: 'bench', sha256: crypto.hash('sha256', key, 'hex') }],
  };
  const built = await createGateway({
    config,
    vault: createVault(),
    env: {},
    now,
    mediate: (request, body) => mediate(request, body, deps),
    recordRefusal: (request, reason) => recordRefusal(request, reason, deps),
    async recordOutcome(of, body) {
      await ledger.append({ action: 'llm.invoke', ...body, outcomeOf: of });
    },
    onFault: (fault) => console.error(fault),
  });
  const keyring = createKeyring({ config, file: path.join(root, 'keys.json'), now });
  return createClientServer({ gateway: built, keyring, onFault: (fault) => console.error(fault) });
}

async function serve(role: string, origin: string): Promise<void> {
  const server = role === 'upstream' ? upstream() : role === 'bare' ? bare(origin) : await gateway(origin);
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    process.send?.(typeof address === 'object' && address ? address.port : 0);
  });
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    process.send?.(user + system);
  });
  process.on('disconnect', () => process.exit(0));
}

interface Part {
  readonly url: string;
  cpuMicroseconds(): Promise<number>;
  stop(): void;
}

async function start(role: string, origin = ''): Promise<Part> {
  const child: ChildProcess = fork(self, [role, origin], {
    execArgv: process.argv.includes('--profile') && role === 'gateway' ? ['--cpu-prof', '--cpu-prof-dir=bench/results'] : [],
  });
  const next = (): Promise<number> => new Promise((resolve) => child.once('message', (value) => resolve(Number(value))));
  const port = await next();
  return {
    url: `http://127.0.0.1:${port}`,
    cpuMicroseconds() {
      const answer = next();
      child.send('cpu');
      return answer;
    },
    stop: () => child.disconnect(),
  };
}

export interface GatewayRow {
  readonly load: string;
  /** Median over the rounds, microseconds of CPU for each call. */
  readonly bare: number;
  readonly gateway: number;
  readonly ratio: number;
  readonly callsPerSecond: number;
}

interface Load {
  readonly load: string;
  readonly body: string;
  readonly calls: number;
  readonly atOnce: number;
}

const message = (content: string, stream: boolean): string =>
  JSON.stringify({ model: 'm', messages: [{ role: 'user', content }], ...(stream ? { stream: true } : {}) });
/** Prose and code in equal parts, as agents send it. */
const large = Array.from(
  { length: 800 },
  (_, i) => `const value${i} = compute(input${i}, { retries: ${i % 7} }); // the ${i}th step of the plan that was agreed on\n`,
)
  .join('')
  .slice(0, 80_000);

const loads: readonly Load[] = [
  { load: 'small call', body: message('What does this function do?', false), calls: 3000, atOnce: 64 },
  { load: 'small stream', body: message('What does this function do?', true), calls: 800, atOnce: 64 },
  { load: '80 KB body', body: message(large, false), calls: 200, atOnce: 16 },
];

async function drive(pool: Pool, { body, calls, atOnce }: Load): Promise<void> {
  let left = calls;
  const worker = async (): Promise<void> => {
    while (left-- > 0) {
      const { statusCode, body: answered } = await pool.request({
        path: '/v1/chat/completions',
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body,
      });
      const text = await answered.text();
      if (statusCode !== 200) throw new Error(`status ${statusCode}: ${text}`);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

/** @param only names of loads; all when left out */
export async function run(rounds = 5, only: readonly string[] = loads.map(({ load }) => load)): Promise<GatewayRow[]> {
  const above = await start('upstream');
  const parts = { bare: await start('bare', above.url), gateway: await start('gateway', above.url) };
  const pools = { bare: new Pool(parts.bare.url, { connections: 64 }), gateway: new Pool(parts.gateway.url, { connections: 64 }) };
  const names = ['bare', 'gateway'] as const;
  try {
    const rows: GatewayRow[] = [];
    for (const load of loads.filter((one) => only.includes(one.load))) {
      const cost = { bare: [] as number[], gateway: [] as number[] };
      const rate: number[] = [];
      for (const name of names) await drive(pools[name], load);
      for (let round = 0; round < rounds; round++) {
        for (const name of names) {
          const before = await parts[name].cpuMicroseconds();
          const began = performance.now();
          await drive(pools[name], load);
          if (name === 'gateway') rate.push((load.calls / (performance.now() - began)) * 1000);
          cost[name].push(((await parts[name].cpuMicroseconds()) - before) / load.calls);
        }
      }
      const [floor, ours] = [median(cost.bare), median(cost.gateway)];
      rows.push({
        load: load.load,
        bare: Math.round(floor),
        gateway: Math.round(ours),
        ratio: Math.round((ours / floor) * 100) / 100,
        callsPerSecond: Math.round(median(rate)),
      });
    }
    return rows;
  } finally {
    for (const pool of Object.values(pools)) await pool.destroy();
    for (const part of [parts.gateway, parts.bare, above]) part.stop();
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [role = '', origin = ''] = process.argv.slice(2);
  if (['upstream', 'bare', 'gateway'].includes(role)) await serve(role, origin);
  else console.table(await run());
}
