// A plain status page on loopback: what runs, what was decided last. Read-only; the console proper is a room of its own later.
// Guarded by a token in the address, by the Host header (against DNS rebinding) and by a policy that lets nothing load from outside.
import crypto from 'node:crypto';
import http from 'node:http';
import { type Entry, product } from '../core/index.ts';
import type { DaemonStatus } from './protocol.ts';

export interface ConsoleSource {
  status(): DaemonStatus;
  /** The last `n` entries, newest first. */
  latest(n: number): Promise<readonly Entry[]>;
  metrics(): string;
}

export function createConsole(token: string, source: ConsoleSource): http.Server {
  return http.createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });

  async function answer(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://console.invalid');
    const isOurs = /^(?:127\.0\.0\.1|localhost|\[::1\])(?::\d+)?$/.test(request.headers.host ?? '');
    const isKnown = isSame(url.searchParams.get('token') ?? '', token);
    if (!isOurs || !isKnown) return send(response, 403, 'text/plain', 'Not for you: the address with its token is printed at start.\n');
    if (request.method !== 'GET') return send(response, 405, 'text/plain', 'This page only shows.\n');
    if (url.pathname === '/') return send(response, 200, 'text/html', page(source.status(), await source.latest(50)));
    // The exposition format of Prometheus, version 0.0.4.
    if (url.pathname === '/metrics') return send(response, 200, 'text/plain; version=0.0.4', source.metrics());
    send(response, 404, 'text/plain', 'No such page.\n');
  }
}

function send(response: http.ServerResponse, status: number, type: string, text: string): void {
  response.writeHead(status, {
    'content-type': `${type}; charset=utf-8`,
    'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-store',
  });
  response.end(text);
}

function page({ version, pid, gateway, ledger, policy, sessions }: DaemonStatus, entries: readonly Entry[]): string {
  const facts: [string, string][] = [
    ['Gateway', gateway.url],
    ['Policy', `${policy.packs.join(', ')} · ${policy.digest.slice(0, 16)}`],
    ['Ledger', `${ledger.size} entries · root ${ledger.root}`],
    ['Process', `${product.name} ${version} · pid ${pid}`],
  ];
  const sessionRows = sessions.map(({ id, agent, purpose, classification, startedAt }) => [id, agent, purpose, classification, startedAt]);
  const entryRows = entries.map(({ index, time, agent, action, host, port, decision, reason }) => [
    String(index),
    time,
    agent ?? '',
    action,
    host ? `${host}:${port ?? ''}` : '',
    decision ?? '',
    reason ?? '',
  ]);
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta http-equiv="refresh" content="5">
<title>${product.title}</title><style>
:root{color-scheme:light dark;font:15px/1.5 system-ui,sans-serif}body{max-width:72rem;margin:2rem auto;padding:0 1rem}h1{font-size:1.4rem;margin:0}h2{font-size:1rem;margin:2rem 0 .5rem}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem}dt{opacity:.65}dd{margin:0;overflow-wrap:anywhere}table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:.25rem .6rem .25rem 0;border-bottom:1px solid #8884;vertical-align:top;overflow-wrap:anywhere}th{font-weight:500;opacity:.65}.deny{color:#c33;font-weight:600}.allow{color:#383}
</style><h1>${product.title}</h1><p>What agents may do on this machine, and what was decided. Refreshes every five seconds.</p>
<dl>${facts.map(([name, value]) => `<dt>${escape(name)}</dt><dd>${escape(value)}</dd>`).join('')}</dl>
<h2>Sessions</h2>${table(['Session', 'Agent', 'Purpose', 'Class', 'Since'], sessionRows, 'No session is running.')}
<h2>Latest decisions</h2>${table(['#', 'Time', 'Agent', 'Action', 'Where', 'Decision', 'Reason'], entryRows, 'Nothing has been decided yet.')}</html>`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[], empty: string): string {
  if (rows.length === 0) return `<p>${escape(empty)}</p>`;
  const cell = (text: string) => `<td${text === 'deny' || text === 'allow' ? ` class="${text}"` : ''}>${escape(text)}</td>`;
  const body = rows.map((row) => `<tr>${row.map(cell).join('')}</tr>`).join('');
  return `<table><thead><tr>${head.map((name) => `<th>${escape(name)}</th>`).join('')}</tr></thead><tbody>${body}</tbody></table>`;
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

function escape(text: string): string {
  return text
    .replaceAll(/[&<>"']/g, (character) => entities[character] ?? '')
    .replaceAll(/[\u0000-\u001f\u007f\u202a-\u202e\u2066-\u2069]/g, '\ufffd');
}

function isSame(a: string, b: string): boolean {
  const [x, y] = [Buffer.from(a), Buffer.from(b)];
  return x.length === y.length && crypto.timingSafeEqual(x, y);
}
