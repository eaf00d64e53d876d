// Talking the way out into reaching what is not allowed: the whole product, with canaries outside. `allowed.example` and
// `denied.example` both resolve and both answer; nothing but the decision stands between a program inside and the denied one.
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net, { type AddressInfo } from 'node:net';
import path from 'node:path';
import tls from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAuthority, makeAuthority } from '../../../src/egress/index.ts';
import { doctor } from '../../../src/sandbox/index.ts';
import { createRig, type Rig } from '../../e2e/rig.ts';
import { tricks } from './tricks.ts';

const { mode, layers } = await doctor();
const why = layers.filter(({ ok }) => !ok).map(({ name, reason }) => `${name}: ${reason}`);

const canary = 'CANARY-OF-THE-DENIED-HOST';
let rig: Rig;
const servers: net.Server[] = [];
/** What the allowed host was sent: `METHOD host target`, and `raw` for anything that is no request. */
const arrived: string[] = [];
let deniedConnections = 0;
let got: Record<string, string>;
let refusals = 0;

async function listen(server: net.Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

const tried = tricks(0).filter(({ layer }) => layer !== 'nothing');

describe.skipIf(mode === 'none')(`proxy tricks${mode === 'none' ? `, skipped: ${why.join('; ')}` : ''}`, () => {
  beforeAll(async () => {
    const authority = createAuthority(makeAuthority(new Date()));
    const onRequest: http.RequestListener = (request, response) => {
      arrived.push(`${request.method} ${request.headers.host} ${request.url}`);
      request.resume();
      if (request.url === '/redirect') response.writeHead(302, { location: 'http://denied.example/', 'content-length': 0 }).end();
      else response.end('ALLOWED-ANSWER');
    };
    const onRaw = (_error: Error, socket: net.Socket): void => {
      arrived.push('raw');
      socket.destroy();
    };
    const allowed = http.createServer(onRequest).on('clientError', onRaw);
    const allowedSecure = https
      .createServer({ SNICallback: (name, done) => done(null, authority.contextFor(name)) }, onRequest)
      .on('clientError', onRaw);
    for (const server of [allowed, allowedSecure]) {
      server.on('upgrade', (_request, socket) => {
        arrived.push('raw');
        socket.destroy();
      });
    }
    const onDenied = (socket: net.Socket): void => {
      deniedConnections += 1;
      socket.on('error', () => {}).end(`HTTP/1.1 200 OK\r\n\r\n${canary}`);
    };
    const denied = net.createServer(onDenied);
    const deniedSecure = tls.createServer({ SNICallback: (name, done) => done(null, authority.contextFor(name)) }, onDenied);
    deniedSecure.on('tlsClientError', () => {
      deniedConnections += 1;
    });
    const [plainPort, securePort, deniedPort, deniedSecurePort] = [
      await listen(allowed),
      await listen(allowedSecure),
      await listen(denied),
      await listen(deniedSecure),
    ];
    const resolve = [
      `allowed.example:80:127.0.0.1:${plainPort}`,
      `allowed.example:443:127.0.0.1:${securePort}`,
      `denied.example:80:127.0.0.1:${deniedPort}`,
      `denied.example:443:127.0.0.1:${deniedSecurePort}`,
      `denied.example:22:127.0.0.1:${deniedPort}`,
    ];
    rig = await createRig({ extra: `resolve: ${JSON.stringify(resolve)}\ntrust: [./test-ca.pem]\n` });
    fs.writeFileSync(path.join(rig.state, 'test-ca.pem'), authority.pem);
    for (const name of ['tricks.ts', 'inside.ts']) fs.copyFileSync(path.join(import.meta.dirname, name), path.join(rig.workspace, name));
    fs.writeFileSync(path.join(rig.workspace, 'package.json'), '{"type":"module"}');
    const summary = path.join(rig.dir, 'summary.json');
    const program = [process.execPath, 'inside.ts', String(deniedPort)];
    const args = ['run', '--mode', 'direct', '--summary-json', summary, '--allow', 'allowed.example', '--', ...program];
    const outcome = await rig.intramur(args, { limitMs: 120_000 });
    if (outcome.code !== 0) throw new Error(`the tricks did not run: ${outcome.code} ${outcome.stderr}`);
    got = JSON.parse(outcome.stdout) as Record<string, string>;
    refusals = (JSON.parse(fs.readFileSync(summary, 'utf8')) as { refusals: number }).refusals;
  }, 150_000);

  afterAll(async () => {
    for (const server of servers) server.close();
    await rig.close();
  });

  it('what is allowed works, so that the rest can fail', () => {
    expect(got['allowed, as a control']).toContain('ALLOWED-ANSWER');
    expect(got['allowed over TLS, as a control']).toContain('ALLOWED-ANSWER');
    expect(arrived.filter((line) => line.endsWith('/control'))).toEqual(Array(2).fill('GET allowed.example /control'));
  });

  it.each(tried)('$id ($layer)', ({ id }) => {
    expect(got[id]).toBeDefined();
    expect(got[id]).not.toContain(canary);
  });

  it('the denied host never hears a byte', () => {
    expect(deniedConnections).toBe(0);
  });

  it('the allowed host hears nothing that was not decided', () => {
    // The controls, the first request of a connection whose second is a trick, and the redirect.
    const decided = [
      'GET allowed.example /',
      'GET allowed.example /control',
      'GET allowed.example /control',
      'GET allowed.example /redirect',
    ];
    expect(arrived.toSorted()).toEqual(decided);
  });

  it('all of it is on the record', () => {
    // Two controls, one first request of a pair and one redirect are allowed; some tricks are refused twice.
    expect(refusals).toBeGreaterThanOrEqual(tried.length - 2);
  });
});
