// Real programs talk through an egress: what they do every day must work, and what is refused must be told to them.
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import http2 from 'node:http2';
import https from 'node:https';
import { homedir } from 'node:os';
import path from 'node:path';
import { Agent, buildConnector, fetch, ProxyAgent } from 'undici';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createRig, has, type Rig, text } from './rig.ts';
import { trustEnv } from './trust-env.ts';

let rig: Rig;
beforeEach(() => {
  rig = createRig({ gatewayHosts: ['127.0.0.1:4100', 'localhost:4100'] });
});
afterEach(async () => await rig.stop());

/** Where a version manager stands in front of python, it needs to find itself. */
const python: Record<string, string> = { PYENV_ROOT: process.env['PYENV_ROOT'] ?? path.join(homedir(), '.pyenv') };

function canImport(module: string): boolean {
  return has('python3') && spawnSync('python3', ['-c', `import ${module}`], { stdio: 'ignore' }).status === 0;
}

/** Every program finds its authorities as it would inside. */
function trust(): Record<string, string> {
  return { ...trustEnv(rig.caPath, rig.caPath) };
}

describe.skipIf(!has('curl'))('curl', () => {
  it.each(['--http1.1', '--http2'])('fetches over TLS, %s', async (version) => {
    const port = await rig.listen('any', 443);
    const to = `example.com:443:${rig.resolve('Example.COM')}:${port}`;
    const got = await rig.run(
      'curl',
      ['-sS', version, '--connect-to', to, 'https://example.com/a?b=c', 'https://example.com/again'],
      trust(),
    );
    expect(got).toEqual({ code: 0, stderr: '', stdout: 'GET https://example.com:443/a?b=c\nGET https://example.com:443/again\n' });
    expect(rig.heads[0]).toMatchObject({
      isDirect: false,
      via: 'transparent',
      target: '/a?b=c',
      httpVersion: version === '--http2' ? '2.0' : '1.1',
    });
  });

  it.each(['--http1.1', '--http2', '--http2-prior-knowledge'])('fetches without TLS, %s', async (version) => {
    const port = await rig.listen('any', 80);
    const to = `example.com:80:${rig.resolve('example.com')}:${port}`;
    const got = await rig.run('curl', ['-sS', version, '--connect-to', to, 'http://example.com/']);
    expect(got).toEqual({ code: 0, stderr: '', stdout: 'GET http://example.com:80/\n' });
  });

  it.each(['--http1.1', '--http2'])('goes through the proxy, %s, one tunnel for many requests (friction 4)', async (version) => {
    const port = await rig.listen('proxy', 3128);
    const got = await rig.run(
      'curl',
      ['-sS', version, '-x', `http://127.0.0.1:${port}`, 'https://example.com/1', 'https://example.com/2', '-w', '%{num_connects}\n'],
      trust(),
    );
    expect(got).toEqual({ code: 0, stderr: '', stdout: 'GET https://example.com:443/1\n1\nGET https://example.com:443/2\n0\n' });
    expect(rig.heads.map(({ via }) => via)).toEqual(['connect', 'connect']);
  });

  it('asks the proxy for plain HTTP by the whole address', async () => {
    const port = await rig.listen('proxy', 3128);
    const got = await rig.run('curl', ['-sS', '-x', `http://127.0.0.1:${port}`, 'http://example.com:8080/x?y']);
    expect(got.stdout).toBe('GET http://example.com:8080/x?y\n');
    expect(rig.heads[0]?.rawHeaders.join(' ')).not.toMatch(/proxy/i);
  });

  it('reaches the gateway by its own address and through the proxy', async () => {
    const port = await rig.listen('gateway', 4100);
    const proxy = await rig.listen('proxy', 3128);
    const direct = await rig.run('curl', ['-sS', '--connect-to', `::127.0.0.1:${port}`, 'http://localhost:4100/v1/models']);
    const proxied = await rig.run('curl', ['-sS', '-x', `http://127.0.0.1:${proxy}`, 'http://127.0.0.1:4100/v1/models']);
    const tunnelled = await rig.run('curl', ['-sS', '-p', '-x', `http://127.0.0.1:${proxy}`, 'http://127.0.0.1:4100/v1/models']);
    expect([direct.stdout, proxied.stdout, tunnelled.stdout]).toEqual([
      'GET http://127.0.0.1:4100/v1/models\n',
      'GET http://127.0.0.1:4100/v1/models\n',
      'GET http://127.0.0.1:4100/v1/models\n',
    ]);
    expect(rig.heads.map(({ via, isDirect }) => ({ via, isDirect }))).toEqual(Array(3).fill({ via: 'gateway', isDirect: false }));
  });

  it('uploads, with Expect: 100-continue', async () => {
    const port = await rig.listen('any', 443);
    const to = `example.com:443:${rig.resolve('example.com')}:${port}`;
    const got = await rig.run(
      'curl',
      ['-sS', '--http1.1', '--connect-to', to, '-H', 'Expect: 100-continue', '-d', 'hello', 'https://example.com/up'],
      trust(),
    );
    expect([got.stdout, rig.bodies.map(String)]).toEqual(['POST https://example.com:443/up\n', ['hello']]);
    expect(rig.heads[0]?.rawHeaders.map((part) => part.toLowerCase())).not.toContain('expect');
  });

  it('asks an address: it answers as that address, and the attempt is direct', async () => {
    const port = await rig.listen('any', 443, '::ffff:1.1.1.1');
    const got = await rig.run('curl', ['-sS', '--connect-to', `1.1.1.1:443:127.0.0.1:${port}`, 'https://1.1.1.1/dns-query'], trust());
    expect(got).toEqual({ code: 0, stderr: '', stdout: 'GET https://1.1.1.1:443/dns-query\n' });
    expect(rig.heads[0]).toMatchObject({ host: '1.1.1.1', isDirect: true });
  });

  it('is shown why a name that disagrees is refused (friction 10)', async () => {
    const port = await rig.listen('any', 443);
    const to = `front.example:443:${rig.resolve('allowed.example')}:${port}`;
    const got = await rig.run('curl', ['-sS', '--connect-to', to, 'https://front.example/'], trust());
    expect(got.stdout).toBe('Intramur refused: DNS and SNI disagree: allowed.example against front.example\n');
  });
});

describe('node', () => {
  it('fetch keeps its connection', async () => {
    const port = await rig.listen('any', 443);
    const address = rig.resolve('example.com');
    const connect = buildConnector({ ca: rig.authority.pem });
    const agent = new Agent({
      connect: (options, done) => connect({ ...options, hostname: address, port: String(port), servername: 'example.com' }, done),
    });
    for (const i of [1, 2, 3]) {
      const response = await fetch(`https://example.com/${i}`, { dispatcher: agent, method: 'POST', body: `body ${i}` });
      expect([response.status, await response.text()]).toEqual([200, `POST https://example.com:443/${i}\n`]);
    }
    expect(rig.bodies.map(String)).toEqual(['body 1', 'body 2', 'body 3']);
    await agent.close();
  });

  it.each(['http:', 'https:'])('fetch goes through the proxy, %s', async (scheme) => {
    const port = await rig.listen('proxy', 3128);
    const agent = new ProxyAgent({ uri: `http://127.0.0.1:${port}`, requestTls: { ca: rig.authority.pem } });
    const response = await fetch(`${scheme}//example.com/p`, { dispatcher: agent });
    expect(await response.text()).toMatch(new RegExp(`^GET ${scheme}//example.com:\\d+/p\n$`));
    await agent.close();
  });

  it('https resumes its TLS session', async () => {
    const port = await rig.listen('any', 443);
    const address = rig.resolve('example.com');
    const agent = new https.Agent({ keepAlive: false, maxCachedSessions: 10 });
    const reused: boolean[] = [];
    for (let i = 0; i < 3; i += 1) {
      const request = https.get({
        host: address,
        port,
        servername: 'example.com',
        headers: { host: 'example.com' },
        ca: rig.authority.pem,
        agent,
      });
      request.on('socket', (socket) =>
        socket.on('secureConnect', () =>
          reused.push('isSessionReused' in socket && (socket as import('node:tls').TLSSocket).isSessionReused()),
        ),
      );
      const [response] = (await once(request, 'response')) as [import('node:http').IncomingMessage];
      response.resume();
      await once(response, 'end');
    }
    expect(reused[0]).toBe(false);
    expect(reused.at(-1)).toBe(true);
  });

  it('http2 runs many streams at once on one connection', async () => {
    const port = await rig.listen('any', 443);
    const session = http2.connect('https://example.com', {
      host: rig.resolve('example.com'),
      port,
      ca: rig.authority.pem,
      servername: 'example.com',
    });
    const bodies = await Promise.all(
      Array.from({ length: 100 }, async (_, i) => {
        const stream = session.request({ ':path': `/${i}`, ':method': 'POST', ':authority': 'example.com' });
        stream.end(`body ${i}`);
        let got = '';
        for await (const chunk of stream.setEncoding('utf8')) got += String(chunk);
        return got;
      }),
    );
    expect(bodies).toEqual(Array.from({ length: 100 }, (_, i) => `POST https://example.com:443/${i}\n`));
    expect(rig.heads).toHaveLength(100);
    session.close();
  });

  it('500 connections at once', async () => {
    await rig.stop();
    const all = Promise.withResolvers<void>();
    rig = createRig({
      async forward() {
        if (rig.heads.length === 500) all.resolve();
        await all.promise;
        return text(200, 'ok');
      },
    });
    const port = await rig.listen('any', 80);
    const address = rig.resolve('example.com');
    const connect = buildConnector({});
    const agent = new Agent({
      connections: 500,
      pipelining: 1,
      connect: (options, done) => connect({ ...options, hostname: address, port: String(port) }, done),
    });
    const statuses = await Promise.all(
      Array.from({ length: 500 }, async () => {
        const response = await fetch('http://example.com/', { dispatcher: agent });
        await response.text();
        return response.status;
      }),
    );
    expect(new Set(statuses)).toEqual(new Set([200]));
    await agent.close();
  });
});

describe.skipIf(!has('python3'))('python', () => {
  const script = (port: number, address: string): string => `
import http.client, socket, ssl, urllib.request
real = socket.create_connection
socket.create_connection = lambda to, *a, **k: real(('${address}', ${port}), *a, **k)
print(urllib.request.urlopen('https://example.com/py').read().decode(), end='')
c = http.client.HTTPSConnection('example.com')
for i in range(3):
    c.request('POST', '/kept', body=iter([b'a', b'b']), encode_chunked=True, headers={'Transfer-Encoding': 'chunked'})
    print(c.getresponse().read().decode(), end='')
`;

  it('urllib and http.client, chunked uploads on a kept connection', async () => {
    const port = await rig.listen('any', 443);
    const got = await rig.run('python3', ['-c', script(port, rig.resolve('example.com'))], {
      ...trust(),
      PYENV_ROOT: process.env['PYENV_ROOT'] ?? '/nonexistent',
    });
    expect(got).toEqual({
      code: 0,
      stderr: '',
      stdout: `GET https://example.com:443/py\n${'POST https://example.com:443/kept\n'.repeat(3)}`,
    });
    expect(rig.bodies.slice(1).map(String)).toEqual(['ab', 'ab', 'ab']);
  });

  it.skipIf(!canImport('requests'))('requests, which has a list of authorities of its own (friction 2)', async () => {
    const port = await rig.listen('proxy', 3128);
    const fetchIt = `import requests; s = requests.Session(); print(*(s.get('https://example.com/%d' % i).text for i in range(2)), sep='', end='')`;
    const got = await rig.run('python3', ['-c', fetchIt], { ...trust(), ...python, HTTPS_PROXY: `http://127.0.0.1:${port}` });
    expect(got).toEqual({ code: 0, stderr: '', stdout: 'GET https://example.com:443/0\nGET https://example.com:443/1\n' });
  });

  it('goes through the proxy that HTTPS_PROXY names', async () => {
    const port = await rig.listen('proxy', 3128);
    const fetchIt = `import urllib.request; print(urllib.request.urlopen('https://example.com/py').read().decode(), end='')`;
    const got = await rig.run('python3', ['-c', fetchIt], { ...trust(), ...python, HTTPS_PROXY: `http://127.0.0.1:${port}` });
    expect(got).toEqual({ code: 0, stderr: '', stdout: 'GET https://example.com:443/py\n' });
  });
});

describe.skipIf(!has('git'))('git', () => {
  it('reads a repository over https, transparent and proxied', async () => {
    await rig.stop();
    const object = `${'1'.repeat(40)}\trefs/heads/main\n`;
    rig = createRig({
      forward: async ({ target }) => (target.startsWith('/acme/core.git/info/refs') ? text(200, object) : text(404, 'no')),
    });
    const port = await rig.listen('any', 443);
    const proxy = await rig.listen('proxy', 3128);
    const env = { ...trust(), GIT_CONFIG_NOSYSTEM: '1', GIT_TERMINAL_PROMPT: '0' };
    const resolve = ['-c', `http.curloptResolve=git.example:${port}:${rig.resolve('git.example')}`];
    const proxied = await rig.run(
      'git',
      ['-c', `http.proxy=http://127.0.0.1:${proxy}`, 'ls-remote', 'https://git.example/acme/core.git'],
      env,
    );
    expect(proxied).toMatchObject({ code: 0, stdout: object });
    const refused = await rig.run('git', [...resolve, 'ls-remote', `https://git.example:${port}/acme/core.git`], env);
    // The port that the test listens on is not the one that is played: the Host header says so, and the refusal says which.
    expect(refused.stderr).toContain('403');
    expect(rig.refusals()).toEqual([`DNS and :authority disagree: git.example:443 against "git.example:${port}"`]);
  });
});

describe.skipIf(!has('openssl'))('openssl', () => {
  it('verifies what it is shown, with TLS 1.2 and 1.3, with and without a name', async () => {
    const port = await rig.listen('any', 443);
    const address = rig.resolve('example.com');
    for (const args of [['-tls1_2'], ['-tls1_3'], ['-noservername']]) {
      const got = await rig.run('sh', [
        '-c',
        `printf 'GET / HTTP/1.1\\r\\nHost: example.com\\r\\nConnection: close\\r\\n\\r\\n' | openssl s_client -quiet -connect ${address}:${port} -verify_return_error -verify_hostname example.com -CAfile ${rig.caPath} ${args.includes('-noservername') ? '' : '-servername example.com'} ${args.join(' ')}`,
      ]);
      expect(got.stdout).toContain('GET https://example.com:443/');
    }
  });

  it('is refused TLS 1.1', async () => {
    const port = await rig.listen('any', 443);
    const got = await rig.run('sh', [
      '-c',
      `openssl s_client -connect ${rig.resolve('example.com')}:${port} -tls1_1 -cipher 'ALL:@SECLEVEL=0' </dev/null`,
    ]);
    expect(got.code).not.toBe(0);
    expect(rig.refusals()).toEqual([expect.stringContaining('the TLS handshake failed')]);
  });
});

describe('programs that do not trust the session', () => {
  it('leave an entry that says so', async () => {
    const port = await rig.listen('any', 443);
    const request = https.get({ host: rig.resolve('example.com'), port, servername: 'example.com', headers: { host: 'example.com' } });
    const [error] = (await once(request, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE');
    await expect.poll(() => rig.refusals()).toEqual(['the TLS handshake failed: the program closed the connection']);
  });

  it('the variables name both files', () => {
    const env = trustEnv('/ca.pem', '/bundle.pem');
    expect(env).toMatchObject({
      NODE_EXTRA_CA_CERTS: '/ca.pem',
      SSL_CERT_FILE: '/bundle.pem',
      GIT_SSL_CAINFO: '/bundle.pem',
      CURL_CA_BUNDLE: '/bundle.pem',
      REQUESTS_CA_BUNDLE: '/bundle.pem',
      DENO_CERT: '/ca.pem',
    });
    expect(Object.values(env).every((value) => path.isAbsolute(value))).toBe(true);
  });
});
