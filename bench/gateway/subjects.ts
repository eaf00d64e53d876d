// What is measured side by side. Each subject gets the same upstream, a throw-away home and a port on loopback. A subject that cannot be
// had here says why; it is never left out in silence.
import crypto from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { freePort, type Running, startProgram, startScript } from './processes.ts';

export interface Subject {
  readonly name: string;
  /** The dialect that the subject takes; all of them speak OpenAI Chat Completions to the upstream. */
  readonly speaks: 'chat' | 'messages';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly process: Running;
  /** Which part of a load's calls it gets: a slow one shows its figure in fewer. */
  readonly share: number;
}

export interface Missing {
  readonly name: string;
  readonly why: string;
}

const root = path.resolve(import.meta.dirname, '..', '..');
const modules = path.join(root, 'bench', 'peers', 'node_modules');
const key = 'sk-bench-00000000000000000000';
const json = { 'content-type': 'application/json' };
const chatPath = '/v1/chat/completions';

export function throwAwayHome(): string {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'bench-gateway-'));
  process.on('exit', () => fs.rmSync(home, { recursive: true, force: true }));
  return home;
}

export async function startUpstream(): Promise<Running> {
  return startScript(path.join(import.meta.dirname, 'upstream.ts'));
}

const starters: Readonly<Record<string, (upstream: string) => Promise<Omit<Subject, 'name'>>>> = {
  async bare(upstream) {
    const running = await startScript(path.join(import.meta.dirname, 'bare.ts'), [upstream]);
    return { speaks: 'chat', path: chatPath, headers: json, process: running, share: 1 };
  },

  /** The built product as `up` runs it: inspection, the default packs, ledger on this disk. */
  async intramur(upstream) {
    const home = throwAwayHome();
    const port = await freePort();
    const config = {
      providers: [{ id: 'coder', dialect: 'openai-chat', url: `${upstream}/v1`, perimeter: 'onprem', timeoutMs: 60_000 }],
      models: { '*': ['coder/*'] },
      keys: [{ id: 'bench', sha256: crypto.hash('sha256', key, 'hex') }],
    };
    fs.writeFileSync(path.join(home, 'intramur.yaml'), JSON.stringify(config));
    const main = path.join(root, 'dist', 'main.js');
    const profile = process.env['BENCH_NODE_OPTIONS']?.split(' ') ?? [];
    const running = await startProgram(process.execPath, [...profile, main, 'up', '--port', String(port)], {
      port,
      home,
      env: { INTRAMUR_HOME: home },
    });
    return { speaks: 'chat', path: chatPath, headers: { ...json, authorization: `Bearer ${key}` }, process: running, share: 1 };
  },

  async nginx(upstream) {
    const binary = ['/usr/sbin/nginx', '/usr/bin/nginx'].find((file) => fs.existsSync(file));
    if (binary === undefined) throw new Error('nginx is not installed (Debian: nginx-light)');
    const home = throwAwayHome();
    const port = await freePort();
    const file = path.join(home, 'nginx.conf');
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${home}/${name};`).join(' ');
    fs.writeFileSync(
      file,
      `daemon off; worker_processes 1; pid ${home}/pid; error_log stderr warn;
${process.getuid?.() === 0 ? 'user root;' : ''}
events { worker_connections 4096; }
http { access_log off; ${temporary} client_max_body_size 32m; client_body_buffer_size 1m;
  keepalive_requests 10000000; proxy_buffering off;
  upstream model { server ${new URL(upstream).host}; keepalive 512; keepalive_requests 10000000; }
  server { listen 127.0.0.1:${port};
    location / { proxy_pass http://model; proxy_http_version 1.1; proxy_set_header Connection ""; } } }
`,
    );
    const running = await startProgram(binary, ['-p', home, '-c', file], { port, home });
    return { speaks: 'chat', path: chatPath, headers: json, process: running, share: 1 };
  },

  /** Portkey's gateway as its package starts it; a stateless translator without inspection, policy or log. */
  async portkey(upstream) {
    const home = throwAwayHome();
    const port = await freePort();
    const args = ['--import', path.join(import.meta.dirname, 'loopback.mjs'), packaged('@portkey-ai/gateway', 'build/start-server.js')];
    const running = await startProgram(process.execPath, [...args, `--port=${port}`, '--headless'], {
      port,
      home,
      env: { NODE_ENV: 'production' },
    });
    const headers = { ...json, authorization: `Bearer ${key}`, 'x-portkey-provider': 'openai', 'x-portkey-custom-host': `${upstream}/v1` };
    return { speaks: 'chat', path: chatPath, headers, process: running, share: 0.25 };
  },

  /** claude-code-router takes Anthropic Messages and translates. */
  async 'claude-code-router'(upstream) {
    const home = throwAwayHome();
    const port = await freePort();
    const directory = path.join(home, '.claude-code-router');
    fs.mkdirSync(directory);
    const config = {
      LOG: false,
      HOST: '127.0.0.1',
      PORT: port,
      APIKEY: key,
      Providers: [{ name: 'coder', api_base_url: `${upstream}${chatPath}`, api_key: 'none', models: ['m'] }],
      Router: { default: 'coder,m' },
    };
    fs.writeFileSync(path.join(directory, 'config.json'), JSON.stringify(config));
    const running = await startProgram(process.execPath, [packaged('@musistudio/claude-code-router', 'dist/cli.js'), 'start'], {
      port,
      home,
      env: { NODE_ENV: 'production' },
    });
    const headers = { ...json, 'x-api-key': key, 'anthropic-version': '2023-06-01' };
    return { speaks: 'messages', path: '/v1/messages', headers, process: running, share: 0.25 };
  },
};

function packaged(name: string, file: string): string {
  const found = path.join(modules, name, file);
  if (!fs.existsSync(found)) throw new Error(`${name} is not installed: npm install in bench/peers (npm run bench does it)`);
  return found;
}

export const subjectNames = Object.keys(starters);

export async function startSubjects(
  upstream: string,
  names: readonly string[] = subjectNames,
): Promise<{ readonly subjects: readonly Subject[]; readonly missing: readonly Missing[] }> {
  const subjects: Subject[] = [];
  const missing: Missing[] = [];
  for (const name of names) {
    try {
      const started = await starters[name]?.(upstream);
      if (started) subjects.push({ name, ...started });
      else missing.push({ name, why: 'there is no such subject' });
    } catch (fault) {
      missing.push({ name, why: fault instanceof Error ? fault.message : String(fault) });
    }
  }
  return { subjects, missing };
}
