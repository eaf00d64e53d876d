// The vendor of an agent, rehearsed on loopback: a token endpoint whose tokens are canaries, and a model that takes the newest access token
// only.
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { createAuthority, makeAuthority } from '../../../src/egress/index.ts';
import { createFakeTokenEndpoint, type FakeTokenEndpoint } from '../../../src/testing/index.ts';
import type { AgentLogin, Asked, ModelCall } from './agent-login.ts';

export interface Vendor {
  readonly port: number;
  /** Who vouches for its hosts. */
  readonly authorityPem: string;
  readonly endpoint: FakeTokenEndpoint;
  /** What each call of the model came with, in its order. */
  readonly credentials: readonly (string | undefined)[];
  close(): void;
}

/** @param modelUrl the rehearsal model that speaks for the vendor's */
export async function startVendor(login: AgentLogin, modelUrl: string): Promise<Vendor> {
  const authority = createAuthority(makeAuthority(new Date()));
  const endpoint = createFakeTokenEndpoint(login.agent);
  endpoint.bend((tokens) => ({
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...tokens, ...login.besideTokens }),
  }));
  const credentials: (string | undefined)[] = [];

  const answer = ({ headers, url: target = '' }: http.IncomingMessage, body: string, response: http.ServerResponse): void => {
    const { authorization, host = '' } = headers;
    if (host === login.tokenEndpoint.host && target === login.tokenEndpoint.path) {
      const { status, headers: own, body: text } = endpoint.answer(body);
      response.writeHead(status, own).end(text);
      return;
    }
    const asked: Asked = { host, target, body, isNewest: authorization === `Bearer ${endpoint.current.access}` };
    const call = login.modelCall(asked);
    if (call === undefined) {
      const known = login.answer?.(asked);
      sendJson(response, known === undefined ? 404 : 200, known ?? {});
      return;
    }
    credentials.push(authorization);
    if (asked.isNewest) askModel(modelUrl, call, response);
    else sendJson(response, 401, { error: { message: 'expired', code: 'token_expired' } });
  };

  const server = https.createServer({ SNICallback: (name, done) => done(null, authority.contextFor(name)) }, (request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => answer(request, Buffer.concat(parts).toString(), response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    authorityPem: authority.pem,
    endpoint,
    credentials,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

function askModel(url: string, { target, body, wrap }: ModelCall, response: http.ServerResponse): void {
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  const onward = http.request(url + target, { method: 'POST', headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 500, { 'content-type': answer.headers['content-type'] });
    const parts: Buffer[] = [];
    answer.on('data', (part: Buffer) => parts.push(part));
    answer.on('end', () => {
      const text = Buffer.concat(parts).toString();
      response.end(wrap ? text.replaceAll(/\{.*\}/g, (event) => JSON.stringify(wrap(JSON.parse(event)))) : text);
    });
  });
  onward.end(body);
}

function sendJson(response: http.ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}
