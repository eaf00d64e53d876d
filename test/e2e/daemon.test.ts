// The daemon's own promises: who may talk to it, when it refuses to start, what it leaves.
import { type ChildProcess, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createRig, finished, type Rig } from './rig.ts';

/** Changes how large the files of a running process may become: 0 is a full disk. */
function limitFiles(pid: number, bytes: string): boolean {
  return spawnSync('prlimit', ['--pid', String(pid), `--fsize=${bytes}:`]).status === 0;
}
const canLimitFiles = spawnSync('prlimit', ['--fsize=0:', 'true']).status === 0;

let rig: Rig;
beforeEach(async () => {
  rig = await createRig();
});
afterEach(() => rig.close());

interface Status {
  readonly running: boolean;
  readonly pid: number;
  readonly gateway: { url: string };
  readonly console: { url: string };
  readonly ledger: { size: number; root: string; fault?: string };
  readonly policy: { digest: string; packs: string[] };
  readonly sandbox: { mode: string; reasons: string[] };
  readonly sessions: { id: string; agent: string; purpose: string; classification: string; startedAt: string; confinement?: object }[];
}

async function status(): Promise<Status> {
  const { code, stdout } = await rig.intramur(['status', '--json']);
  expect(code).toBe(0);
  return JSON.parse(stdout) as Status;
}

/** Of one whose program has begun: how a launch that is cut short ends is looked at elsewhere. */
async function runningSessions(running: ChildProcess): Promise<Status['sessions']> {
  let said = '';
  running.stderr?.setEncoding('utf8').on('data', (text: string) => (said += text));
  let sessions: Status['sessions'] = [];
  // Until its daemon is there, there are none.
  while (sessions[0]?.confinement === undefined) {
    if (running.exitCode !== null || running.signalCode !== null) throw new Error(`the session is over: ${running.exitCode}: ${said}`);
    ({ sessions = [] } = (await status()) as Partial<Status>);
  }
  await new Promise((resolve) => setTimeout(resolve, 500));
  return sessions;
}

async function get(url: string, headers: http.OutgoingHttpHeaders = {}): Promise<{ status: number | undefined; text: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<http.IncomingMessage>();
  http.get(url, { headers }, resolve).on('error', reject);
  const response = await promise;
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return { status: response.statusCode, text };
}

describe('the daemon', () => {
  it('says everything of the contract in status, running or not', async () => {
    expect(await status()).toMatchObject({
      schema: 'intramur/status/1',
      running: false,
      sandbox: { reasons: expect.any(Array) as unknown },
    });
    expect(await rig.intramur(['up', '--background'])).toMatchObject({ code: 0, stdout: '', stderr: '' });
    const running = await status();
    expect(running).toMatchObject({ running: true, policy: { packs: ['baseline', 'perimeter'] }, sessions: [] });
    expect(running.gateway.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    const child = rig.start(['run', '--mode', 'direct', '--purpose', 'production', '--', 'sleep', '1000']);
    const ended = finished(child);
    const sessions = await runningSessions(child);
    expect(sessions).toEqual([expect.objectContaining({ agent: 'sleep', purpose: 'production', classification: 'internal' })]);
    child.kill('SIGKILL');
    await ended;
    while ((await status()).sessions.length > 0);
    expect(await rig.intramur(['down'])).toMatchObject({ code: 0 });
    expect(await rig.intramur(['down'])).toMatchObject({ code: 0, stdout: 'not running\n' });
  });

  it('a socket that nobody else can open, in a directory that nobody else can enter; no private key in the ledger', async () => {
    await rig.intramur(['up', '--background']);
    const state = path.join(rig.state, 'state');
    const modeOf = (...names: string[]) => (fs.statSync(path.join(state, ...names)).mode & 0o777).toString(8);
    expect([modeOf(), modeOf('daemon.sock'), modeOf('ledger.key')]).toEqual(['700', '600', '600']);
    const published = fs
      .readdirSync(path.join(state, 'ledger'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile());
    for (const { parentPath, name } of published) expect(fs.readFileSync(path.join(parentPath, name), 'latin1')).not.toMatch(/PRIVATE KEY/);
    expect(published.map(({ name }) => name)).toEqual(expect.arrayContaining(['checkpoint', 'log.vkey']));
  });

  it('a second daemon for the same state is refused; the first goes on', async () => {
    await rig.intramur(['up', '--background']);
    const { pid } = await status();
    expect(await rig.intramur(['up'])).toMatchObject({ code: 2, stderr: expect.stringMatching(/already running/) as string });
    expect((await status()).pid).toBe(pid);
  });

  it('is started once, however many find none at the same time', async () => {
    const places = Array.from({ length: 6 }, (_, i) => path.join(rig.dir, `together-${i}`));
    for (const place of places) fs.mkdirSync(place);
    const outcomes = await Promise.all(places.map((cwd) => rig.intramur(['run', '--workspace', cwd, '--', 'true'], { cwd })));
    expect(outcomes.map(({ code }) => code)).toEqual(places.map(() => 0));
    const starts = (await rig.entries()).filter(({ action }) => action === 'daemon.start');
    expect(starts).toHaveLength(1);
    expect(outcomes.filter(({ stderr }) => stderr.includes('started the daemon')).length).toBeGreaterThan(0);
  });

  it('is found where a relative INTRAMUR_HOME says, though it runs elsewhere', async () => {
    const env = { INTRAMUR_HOME: path.join('..', path.basename(rig.state)) };
    const { code, stderr } = await rig.intramur(['run', '--', 'true'], { env });
    expect([code, stderr]).toEqual([0, expect.stringContaining('started the daemon')]);
    expect((await status()).running).toBe(true);
  });

  it('says whose work it ends when it is stopped', async () => {
    const running = rig.start(['run', '--', 'sleep', '60']);
    // Asked for before it is stopped: afterwards it may be over already, and an end that has been is not told again.
    const ended = finished(running);
    const [session] = await runningSessions(running);
    const { stdout, stderr } = await rig.intramur(['down']);
    expect([stdout, stderr]).toEqual(['stopped\n', `intramur: the session ${session?.id} (sleep) was running, and is ended\n`]);
    await ended;
  });

  it('a stale socket of a killed daemon is no obstacle, and what it recorded is still there', async () => {
    await rig.intramur(['up', '--background']);
    const before = await status();
    process.kill(before.pid, 'SIGKILL');
    while (fs.existsSync(`/proc/${before.pid}`)) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(await rig.intramur(['up', '--background'])).toMatchObject({ code: 0 });
    expect((await status()).ledger.size).toBeGreaterThan(before.ledger.size);
    expect(await rig.intramur(['ledger', 'verify'])).toMatchObject({ code: 0 });
  });

  it('one that does not answer is running all the same: no word says it is not, and none is started beside it', {
    timeout: 120_000,
  }, async () => {
    await rig.intramur(['up', '--background']);
    const { pid } = await status();
    process.kill(pid, 'SIGSTOP');
    const all = [['status'], ['status', '--json'], ['down'], ['run', '--', 'true'], ['up'], ['up', '--background']];
    const [text, json, ...others] = await Promise.all(all.map((args) => rig.intramur(args)));
    process.kill(pid, 'SIGCONT');
    expect([text?.code, text?.stdout]).toEqual([
      0,
      expect.stringMatching(/^daemon {4}running, and does not answer\n(.|\n)*end its process/),
    ]);
    expect(JSON.parse(json?.stdout ?? '')).toMatchObject({ running: true, fault: 'it does not answer', gateway: null, sessions: [] });
    const says = expect.stringMatching(/it does not answer\n +it is running; .*intramur up\n$/) as string;
    for (const one of others) expect(one).toMatchObject({ code: 3, stdout: '', stderr: says });
    expect((await status()).pid).toBe(pid);
  });

  it('a ledger that does not verify: exit 3, and why', async () => {
    await rig.intramur(['up', '--background']);
    const { pid } = await status();
    await rig.intramur(['down']);
    // It lets go of its sockets before it has closed its ledger.
    while (fs.existsSync(`/proc/${pid}`)) await new Promise((resolve) => setTimeout(resolve, 10));
    const checkpoint = path.join(rig.state, 'state', 'ledger', 'checkpoint');
    fs.writeFileSync(checkpoint, fs.readFileSync(checkpoint, 'utf8').replace(/\n\d+\n/, '\n1\n'));
    for (const args of [['up'], ['run', '--', 'true']])
      expect([args, await rig.intramur(args)]).toMatchObject([
        args,
        { code: 3, stderr: expect.stringContaining('the checkpoint of the ledger') as string },
      ]);
    expect(await rig.intramur(['ledger', 'verify'])).toMatchObject({ code: 1 });
  });

  it('a directory where its socket belongs: exit 3, and says so', async () => {
    const socket = path.join(rig.state, 'state', 'daemon.sock');
    fs.mkdirSync(socket, { recursive: true });
    for (const args of [['up'], ['up', '--background'], ['run', '--', 'true']]) {
      const stderr = `intramur: a directory is where the daemon's socket belongs: ${socket}\n          take it away\n`;
      expect([args, await rig.intramur(args)]).toEqual([args, { code: 3, signal: null, stdout: '', stderr }]);
    }
    fs.rmdirSync(socket);
    expect(await rig.intramur(['up', '--background'])).toMatchObject({ code: 0 });
  });

  it('a ledger that cannot be written: exit 3, nothing listens', async () => {
    fs.mkdirSync(path.join(rig.state, 'state'), { mode: 0o700 });
    fs.writeFileSync(path.join(rig.state, 'state', 'ledger'), 'a file where a directory should be');
    const { code, stderr } = await rig.intramur(['up']);
    expect({ code, stderr }).toEqual({ code: 3, stderr: expect.stringMatching(/ledger/) as string });
    expect(fs.existsSync(path.join(rig.state, 'state', 'daemon.sock'))).toBe(false);
    expect(await rig.intramur(['run', '--', 'true'])).toMatchObject({ code: 3 });
  });

  it.runIf(canLimitFiles)(
    'a disk that is full for a while: everything is refused, status says so, and then it goes on by itself',
    async () => {
      expect(await rig.intramur(['up', '--background'])).toMatchObject({ code: 0 });
      const { pid, ledger } = await status();
      expect(ledger.fault).toBeUndefined();
      const checkpoint = path.join(rig.dir, 'checkpoint');
      fs.copyFileSync(path.join(rig.state, 'state', 'ledger', 'checkpoint'), checkpoint);
      limitFiles(pid, '0');
      const [first, second] = [await rig.intramur(['run', '--', 'true']), await rig.intramur(['run', '--', 'true'])];
      for (const { code, stderr } of [first, second])
        expect([code, stderr]).toEqual([3, expect.stringMatching(/takes no more entries\n.*see that its disk has room/)]);
      expect((await status()).ledger).toMatchObject({
        size: ledger.size,
        fault: expect.stringMatching(/^the ledger could not be written .*EFBIG/),
      });
      expect((await rig.intramur(['status'])).stdout).toMatch(/REFUSES EVERYTHING: the ledger(.|\n)*once its disk has room/);
      expect(await rig.intramur(['ledger', 'verify'])).toMatchObject({ code: 0 });
      limitFiles(pid, 'unlimited');
      await expect.poll(async () => (await status()).ledger.fault, { timeout: 10_000 }).toBeUndefined();
      expect((await rig.intramur(['status'])).stdout).not.toContain('REFUSES');
      expect(await rig.intramur(['run', '--', 'true'])).toMatchObject({ code: 0 });
      expect((await status()).pid).toBe(pid);
      expect(await rig.intramur(['ledger', 'verify', '--checkpoint', checkpoint])).toMatchObject({ code: 0 });
      const entries = await rig.entries();
      expect(entries.filter(({ action }) => /^(ledger|session.open)/.test(action))).toEqual([
        expect.objectContaining({ index: ledger.size, action: 'ledger.resume', detail: expect.objectContaining({ refused: 1 }) as object }),
        expect.objectContaining({ action: 'session.open' }),
      ]);
    },
  );

  it('a provider whose key is not set: exit 2, and the variable is named', async () => {
    rig.configure(`providers: [{ id: p, dialect: openai-chat, url: "http://127.0.0.1:1/v1", perimeter: public, key: env:NO_SUCH_KEY }]
models: { "*": [p/x] }\n`);
    expect(await rig.intramur(['up'])).toMatchObject({ code: 2, stderr: expect.stringMatching(/NO_SUCH_KEY/) as string });
  });

  it('a port in use: exit 2', async () => {
    await rig.intramur(['up', '--background']);
    const { gateway } = await status();
    const other = await createRig();
    try {
      expect(await other.intramur(['up', '--port', new URL(gateway.url).port])).toMatchObject({
        code: 2,
        stderr: expect.stringMatching(/port/) as string,
      });
    } finally {
      await other.close();
    }
  });

  it('the status page is for whoever has its address, and for no other origin', async () => {
    await rig.intramur(['up', '--background']);
    await rig.intramur(['run', '--mode', 'direct', '--', 'curl', '-sS', 'http://<script>alert(1)<script>.example/'], {});
    const { console } = await status();
    const page = await get(console.url);
    expect(page.status).toBe(200);
    expect(page.text).toContain('Latest decisions');
    expect(page.text).not.toContain('<script>');
    const { origin, search } = new URL(console.url);
    expect((await get(`${origin}/metrics${search}`)).text).toMatch(/^# TYPE intramur_/m);
    expect((await get(`${origin}/metrics`)).status).toBe(403);
    expect((await get(`${origin}/`)).status).toBe(403);
    expect((await get(`${origin}/?token=wrong`)).status).toBe(403);
    expect((await get(console.url, { host: 'evil.example' })).status).toBe(403);
  });

  it('a banned tool is refused by run', async () => {
    rig.configure(`${fs.readFileSync(path.join(rig.state, 'intramur.yaml'), 'utf8')}tools: { sleep: { status: banned } }\n`);
    const { code, stderr } = await rig.intramur(['run', '--', 'sleep', '0']);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/"sleep" is banned/) as string });
  });

  it('a broken intramur.yaml of the workspace: exit 2 for run, and nothing of it loosens', async () => {
    fs.writeFileSync(path.join(rig.workspace, 'intramur.yaml'), 'egress: { allow: [{ host: evil.example, ports: [443] }] }\n');
    const { code, stderr } = await rig.intramur(['run', '--', 'true']);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(/intramur\.yaml:1:\d+: .*egress/) as string });
    fs.writeFileSync(path.join(rig.workspace, 'intramur.yaml'), 'purposes: { default: production }\n');
    const summary = path.join(rig.dir, 'summary.json');
    await rig.intramur(['run', '--summary-json', summary, '--', 'true']);
    expect(JSON.parse(fs.readFileSync(summary, 'utf8'))).toMatchObject({ purpose: 'production' });
  });

  it('that is killed right after calls gives no budget back, and what was used shows at once', async () => {
    const { stdout: key } = await rig.intramur(['keys', 'add', 'budgeted', '--budget', 'requests=2,per=month']);
    const call = async (): Promise<number> => {
      const { gateway } = await status();
      const headers = { authorization: `Bearer ${key.trim()}`, 'content-type': 'application/json' };
      const body = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'hello' }] });
      return (await fetch(`${gateway.url}/v1/chat/completions`, { method: 'POST', headers, body })).status;
    };
    await rig.intramur(['up', '--background']);
    const before = await status();
    expect([await call(), await call()]).toEqual([200, 200]);
    process.kill(before.pid, 'SIGKILL');
    const { keys } = JSON.parse((await rig.intramur(['keys', 'list', '--json'])).stdout) as {
      keys: { id: string; used: { requests: number } }[];
    };
    expect(keys.find(({ id }) => id === 'budgeted')?.used.requests).toBe(2);
    while (fs.existsSync(`/proc/${before.pid}`)) await new Promise((resolve) => setTimeout(resolve, 10));
    expect((await rig.intramur(['up', '--background'])).code).toBe(0);
    expect(await call()).toBe(400);
  });
});
