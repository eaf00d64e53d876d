// Replies that are ready in one turn leave together: one that cannot be sent takes nothing from the others.
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import type { ExchangeReply, Principal } from '../core/index.ts';
import { createClientServer } from './client-server.ts';
import type { ClientDeps } from './clients.ts';
import type { Keyring } from './keyring.ts';

const somebody: Principal = {
  session: 'key:a',
  user: 'a',
  agent: 'unknown',
  vetting: 'unvetted',
  purpose: 'research',
  classification: 'public',
  via: 'key',
};

type Told = number | string;

function told(port: number, path: string): Promise<Told> {
  return new Promise((resolve) => {
    const request = http.request({ port, host: '127.0.0.1', path, method: 'POST', agent: false });
    request.on('error', (fault: NodeJS.ErrnoException) => resolve(fault.code ?? fault.message));
    request.on('response', (response) => response.resume().on('end', () => resolve(response.statusCode ?? 0)));
    request.end('{}');
  });
}

it('a reply that cannot be written breaks its own connection off and is reported, beside others that arrive', async () => {
  const faults: unknown[] = [];
  let waiting: (() => void)[] = [];
  const reply = (rawHeaders: string[]): ExchangeReply => ({ status: 200, rawHeaders, body: new Uint8Array() });
  const gateway: Pick<ClientDeps['gateway'], 'handle'> = {
    handle: async (_call, head, body) => {
      body.resume();
      await new Promise<void>((resolve) => {
        waiting.push(resolve);
        // All at once, so that they are sent in one turn.
        if (waiting.length === 3) for (const go of waiting.splice(0)) go();
      });
      return reply(head.target.startsWith('/v1/messages?broken') ? ['x-note', 'a\nb'] : ['content-length', '0']);
    },
  };
  const keyring: Pick<Keyring, 'authenticate'> = {
    authenticate: (head) => ({ head, principal: somebody, allowance: { take: () => undefined, spend() {} } }),
  };
  // Of both no more than this is asked of them here.
  const deps = { gateway, keyring } as ClientDeps;
  const server = createClientServer({ ...deps, onFault: (fault) => void faults.push(fault) });
  onTestFinished(() => void server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const all = await Promise.all(['/v1/messages', '/v1/messages?broken', '/v1/messages'].map((path) => told(port, path)));
  expect(all).toEqual([200, 'ECONNRESET', 200]);
  expect(faults).toEqual([expect.objectContaining({ code: 'ERR_INVALID_CHAR' })]);
});
