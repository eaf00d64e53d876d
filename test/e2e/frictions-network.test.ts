// What people switch such tools off for, one test each, by the numbers of the list in docs/sandbox.md: the ones of the network. Real
// clients inside, real servers outside, the product between them.
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net, { type AddressInfo } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAuthority, makeAuthority } from '../../src/egress/index.ts';
import { doctor } from '../../src/sandbox/index.ts';
import { createRig, type Rig } from './rig.ts';

const { mode, layers } = await doctor();
const why = layers.filter(({ ok }) => !ok).map(({ name, reason }) => `${name}: ${reason}`);
const has = (program: string): boolean => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;

let rig: Rig;
const servers: net.Server[] = [];
let repository = '';
/** What the secure server was asked for. */
const asked: string[] = [];
/** What an ssh client said first, by the port that it came to. */
const banners: string[] = [];
let releaseEvents: () => void = () => {};

async function listen(server: net.Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

const serve: http.RequestListener = (request, response) => {
  asked.push(`${request.method} ${request.headers.host} ${request.url}`);
  request.resume();
  const url = request.url ?? '';
  if (url === '/events') {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: first\n\n');
    releaseEvents = () => response.end('data: second\n\n');
  } else if (url === '/go-on') {
    releaseEvents();
    response.end('going on');
  } else if (url.startsWith('/repo.git/')) {
    const file = path.join(repository, path.normalize(url.slice('/repo.git/'.length).split('?')[0] ?? ''));
    if (fs.existsSync(file) && fs.statSync(file).isFile()) response.end(fs.readFileSync(file));
    else response.writeHead(404).end();
  } else response.end('ANSWER');
};

beforeAll(async () => {
  if (mode === 'none') return;
  const authority = createAuthority(makeAuthority(new Date()));
  const secure = await listen(https.createServer({ SNICallback: (name, done) => done(null, authority.contextFor(name)) }, serve));
  const sshd = net.createServer((socket) => {
    socket
      .on('error', () => {})
      .once('data', (chunk) => {
        banners.push(chunk.toString('latin1').split('\r\n')[0] ?? '');
        socket.destroy();
      });
    socket.write('SSH-2.0-Rehearsal\r\n');
  });
  const sshPort = await listen(sshd);
  const resolve = [`good.example:443:127.0.0.1:${secure}`, `git.example:22:127.0.0.1:${sshPort}`];
  rig = await createRig({ extra: `resolve: ${JSON.stringify(resolve)}\ntrust: [./test-ca.pem]\n` });
  fs.writeFileSync(path.join(rig.state, 'test-ca.pem'), authority.pem);
  repository = path.join(rig.dir, 'repo.git');
  const work = path.join(rig.dir, 'seed');
  const git = (cwd: string, ...args: string[]): void =>
    void execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args], { cwd, stdio: 'ignore' });
  fs.mkdirSync(work);
  git(work, 'init', '-q', '.');
  git(work, 'commit', '-q', '--allow-empty', '-m', 'seed of the repository');
  git(rig.dir, 'clone', '-q', '--bare', work, repository);
  git(repository, 'update-server-info');
});
afterAll(async () => {
  for (const server of servers) server.close();
  await rig?.close();
});

async function inside(script: string, options: readonly string[] = ['--allow', 'good.example']) {
  const summaryFile = path.join(rig.dir, 'summary.json');
  const outcome = await rig.intramur(['run', '--summary-json', summaryFile, ...options, '--', 'bash', '-c', script]);
  const summary = JSON.parse(fs.readFileSync(summaryFile, 'utf8')) as {
    egress: { host: string; decision: string; count: number; reason?: string }[];
  };
  return { ...outcome, summary };
}

const url = 'https://good.example/';
const javaSource = `import java.net.URI; import java.net.http.*;
class Ask { public static void main(String[] a) throws Exception {
  System.out.println(HttpClient.newHttpClient().send(HttpRequest.newBuilder(URI.create("${url}")).build(),
    HttpResponse.BodyHandlers.ofString()).body()); } }`;

describe.skipIf(mode === 'none')(`frictions of the network${mode === 'none' ? `, skipped: ${why.join('; ')}` : ''}`, () => {
  const clients: [string, string, string][] = [
    ['curl', 'curl', `curl -sS -m 20 ${url}`],
    ['wget', 'wget', `wget -q -T 20 -O - ${url}`],
    ['node', 'node', `node -e 'fetch("${url}").then(async (r) => console.log(await r.text()))'`],
    [
      'python',
      '/usr/bin/python3',
      `/usr/bin/python3 -c 'import urllib.request as u; print(u.urlopen("${url}", timeout=20).read().decode())'`,
    ],
    [
      'openssl',
      'openssl',
      `printf 'GET / HTTP/1.0\\r\\nHost: good.example\\r\\n\\r\\n' | openssl s_client -quiet -verify_return_error -connect good.example:443 -servername good.example 2>/dev/null`,
    ],
    ['java', 'javac', `cat > Ask.java <<'J'\n${javaSource}\nJ\njava Ask.java 2>&1`],
    ['git', 'git', `git clone -q ${url}repo.git cloned && git -C cloned log --format=%s | sed 's/seed.*/ANSWER/'`],
  ];
  it.each(clients)('2. the inspecting authority is trusted: %s needs no configuration', async (_name, program, script) => {
    if (!has(program)) return;
    const { stdout } = await inside(script);
    expect(stdout).toContain('ANSWER');
  });

  it('3. a stream of events is not held back: the second is sent only after the first was read', async () => {
    const script = `node -e '
      const events = await fetch("${url}events");
      for await (const chunk of events.body) {
        const text = Buffer.from(chunk).toString();
        console.log(text.trim());
        if (text.includes("first")) await (await fetch("${url}go-on")).text();
      }' --input-type=module`;
    const { stdout } = await inside(script);
    expect(stdout.split('\n').filter(Boolean)).toEqual(['data: first', 'data: second']);
  });

  it.each(['', '-x http://127.0.0.1:3128'])('4. one connection carries many requests (curl %s)', async (through) => {
    const { stdout } = await inside(`curl -sS -m 20 ${through} -o /dev/null -o /dev/null -w '%{num_connects} ' ${url}a ${url}b`);
    expect(stdout.trim()).toBe('1 0');
  });

  it('5. ssh remotes work by name: an allowed host is reached, another is told why not', async () => {
    const ask = (host: string): string => `timeout 10 ssh -o StrictHostKeyChecking=no -o BatchMode=yes git@${host} true; `;
    const { stderr } = await inside(ask('git.example') + ask('evil.example'), ['--allow', 'git.example:22']);
    expect(stderr).toContain('to grant a host: intramur run --allow evil.example:22 -- …');
    await expect.poll(() => banners).toEqual([expect.stringMatching(/^SSH-2\.0-OpenSSH/)]);
    expect(stderr).toMatch(/Intramur refused: .*evil\.example/);
  });

  it('10. a blocked call says that it was blocked, by whom and why, and where it is recorded', async () => {
    const { stdout, summary } = await inside('curl -sS -m 20 https://evil.example/x', []);
    expect(stdout).toMatch(/^Intramur refused: .+ \(ledger entry \d+\)$/m);
    expect(summary.egress).toEqual([
      expect.objectContaining({ host: 'evil.example', decision: 'deny', reason: expect.stringMatching(/\w/) }),
    ]);
  });

  it('13. refusing telemetry takes nothing away: the model on the same host answers', async () => {
    const before = rig.upstream.received.length;
    const script = `curl -sS -m 20 -o /dev/null -w '%{http_code} ' -d '{}' https://api.anthropic.com/api/event_logging/v2/batch;
      curl -sS -m 20 -o /dev/null -w '%{http_code}' -d '{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}' https://api.anthropic.com/v1/messages`;
    const { stdout, summary } = await inside(script, []);
    expect(stdout).toBe('403 200');
    expect(rig.upstream.received.length).toBe(before + 1);
    expect(summary.egress.find(({ decision }) => decision === 'deny')).toMatchObject({ host: 'api.anthropic.com', class: 'telemetry' });
  });

  it('14. a refusal is final and at once: no client tries again, no port or address is waited for', async () => {
    const code = "-o /dev/null -w '%{http_code} '";
    const script = `curl -sS -m 20 --retry 5 ${code} https://evil.example/;
      curl -s -m 20 --retry 5 ${code} https://evil.example:8444/; curl -s -m 20 -6 ${code} https://evil.example/;
      curl -sS -m 20 --http1.1 ${code} -H 'Connection: Upgrade' -H 'Upgrade: websocket' -H 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==' -H 'Sec-WebSocket-Version: 13' ${url}`;
    const { stdout, summary } = await inside(script);
    expect(stdout.trim()).toBe('403 000 000 426');
    expect(summary.egress.find(({ host }) => host === 'evil.example')).toMatchObject({ count: 1 });
  });
});
