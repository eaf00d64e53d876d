// A model service that the user only granted, asked in a form of its own: no provider, so no target that data and purpose could choose. It
// gets what a public model may get, on every path. Judged by what arrived there.
import fs from 'node:fs';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createAuthority, makeAuthority } from '../../src/egress/index.ts';
import { doctor } from '../../src/sandbox/index.ts';
import { createRig, type Rig } from './rig.ts';

const { mode } = await doctor();
const host = 'cloudcode-pa.googleapis.com';
const arrived: string[] = [];
let rig: Rig;
let server: https.Server;

beforeAll(async () => {
  if (mode === 'none') return;
  const authority = createAuthority(makeAuthority(new Date()));
  server = https.createServer({ SNICallback: (name, done) => done(null, authority.contextFor(name)) }, (request, response) => {
    arrived.push(`${request.method} ${request.url}`);
    request.resume().on('end', () => response.end('an answer'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  rig = await createRig();
  const { port } = server.address() as AddressInfo;
  rig.configure(`resolve: ["${host}:443:127.0.0.1:${port}"]
trust: [./test-ca.pem]
packs: [baseline, perimeter, research-production]
repositories: [{ match: "${rig.dir}/vault*", classification: confidential }]
`);
  fs.writeFileSync(path.join(rig.state, 'test-ca.pem'), authority.pem);
});
beforeEach(() => void arrived.splice(0));
afterAll(async () => {
  server?.closeAllConnections();
  server?.close();
  await rig?.close();
});

async function ask(
  target: string,
  data: string | undefined,
  { purpose = 'research', workspace = 'plain', more = [] as readonly string[] } = {},
): Promise<string> {
  const directory = path.join(rig.dir, workspace);
  fs.mkdirSync(directory, { recursive: true });
  const body = data === undefined ? [] : ['--data-binary', data];
  const curl = ['curl', '-sS', '-m', '20', '--path-as-is', ...body, ...more, `https://${host}${target}`];
  const args = ['run', '--workspace', directory, '--purpose', purpose, '--allow', host, '--', ...curl];
  return (await rig.intramur(args, { cwd: directory })).stdout;
}

describe.skipIf(mode === 'none')('a model service that is only granted', () => {
  const call = '/v1internal:streamGenerateContent?alt=sse';

  it('gets what a public model may get', async () => {
    expect(await ask(call, '{}')).toBe('an answer');
    expect(arrived).toEqual([`POST ${call}`]);
  });

  it.each([call, '/x/..//v1internal:streamGenerateContent', '/somewhere'])('hears nothing of confidential data on %s', async (target) => {
    expect(await ask(target, '{}', { workspace: 'vault' })).toMatch(/^Intramur refused: confidential data may not go to a model service/);
    expect(arrived).toEqual([]);
  });

  it('may still be asked what an agent asks before it starts', async () => {
    expect(await ask('/account', undefined, { workspace: 'vault' })).toBe('an answer');
  });

  it.each([
    ['a body', ['-X', 'GET', '--data-binary', 'what is confidential'], '/account'],
    ['a query', [], '/account?q=what+is+confidential'],
    ['a long path', [], `/account/${'confidential'.repeat(20)}`],
    ['a header', ['-H', `x-more: ${'confidential-'.repeat(400)}`], '/account'],
  ])('but not with %s', async (_what, more, target) => {
    const told = await ask(target, undefined, { workspace: 'vault', more });
    expect(told).toMatch(/^Intramur refused: confidential data may not go to a model/);
    expect(arrived).toEqual([]);
  });

  it('writes no production code', async () => {
    expect(await ask(call, '{}', { purpose: 'production' })).toMatch(
      /^Intramur refused: production code is written with vetted models only/,
    );
    expect(arrived).toEqual([]);
  });
});
