// The register of tools, acting on a running daemon: sessions end, programs do not start, keys and user agents are refused, hosts close.
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { configFor, createRig, finished, type Rig } from './rig.ts';

const key = `sk-test-${crypto.randomBytes(12).toString('hex')}`;
let rig: Rig;
beforeEach(async () => {
  rig = await createRig();
  rig.configure(`${configFor(rig.upstream)}keys:\n  - { id: ide, sha256: ${crypto.hash('sha256', key)}, tool: my-tool }\n`);
  expect((await rig.intramur(['up', '--background'])).code).toBe(0);
});
afterEach(() => rig.close());

interface Status {
  readonly gateway: { readonly url: string };
  readonly sessions: readonly { readonly id: string }[];
}
const status = async () => JSON.parse((await rig.intramur(['status', '--json'])).stdout) as Status;

async function call(headers: Record<string, string>): Promise<{ status: number; text: string }> {
  const response = await fetch(`${(await status()).gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}`, ...headers },
    body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'hi' }] }),
  });
  return { status: response.status, text: await response.text() };
}

describe('agents ban', () => {
  it('halts what runs, refuses what starts, says who and why in the ledger, and is lifted by vet', async () => {
    const child = rig.start(['run', '--mode', 'direct', '--', 'sleep', '1000']);
    const ended = finished(child);
    while ((await status()).sessions.length === 0);
    const banned = await rig.intramur(['agents', 'ban', 'sleep', '--reason', 'it only waits']);
    expect({ code: banned.code, stdout: banned.stdout }).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^sleep is banned; ledger entry \d+\nhalted session \S+\n$/) as string,
    });
    expect(await ended).toMatchObject({
      stderr: expect.stringMatching(/halted: the tool "sleep" is banned by .*: it only waits/) as string,
    });
    const refused = await rig.intramur(['run', '--', 'sleep', '0']);
    expect(refused).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/"sleep" is banned by .*it only waits/) as string });
    expect(await rig.entries()).toContainEqual(expect.objectContaining({ action: 'agent.ban', agent: 'sleep', reason: 'it only waits' }));

    await rig.intramur(['down']);
    expect(await rig.intramur(['run', '--', 'sleep', '0'])).toMatchObject({ code: 1 });
    expect((await rig.intramur(['agents', 'vet', 'sleep'])).code).toBe(0);
    expect(await rig.intramur(['run', '--mode', 'direct', '--', 'sleep', '0'])).toMatchObject({ code: 0 });
  });

  it('reaches a tool by its key and by its user agent, under any key and in any session', async () => {
    expect((await call({})).status).toBe(200);
    const before = rig.upstream.received.length;
    await rig.intramur(['agents', 'ban', 'my-tool']);
    expect(await call({})).toMatchObject({ status: 400, text: expect.stringContaining('Intramur refused') as string });
    await rig.intramur(['agents', 'vet', 'my-tool']);
    await rig.intramur(['agents', 'ban', 'codex', '--reason', 'under review']);
    const codex = 'codex_exec/0.169.0 (Linux)';
    expect(await call({ 'user-agent': codex })).toMatchObject({ status: 400, text: expect.stringContaining('banned') as string });
    const inside = await rig.intramur([
      ...['run', '--mode', 'direct', '--', 'curl', '-sS', '-A', codex, '-H', 'content-type: application/json'],
      ...['-d', '{"model":"m","input":"hi"}', 'http://127.0.0.1:4180/v1/responses'],
    ]);
    expect(inside.stdout).toContain('banned');
    expect(rig.upstream.received.length).toBe(before);
    expect((await call({})).status).toBe(200);
  });

  it('holds when a part of the tool is vetted, and list agrees', async () => {
    await rig.intramur(['agents', 'ban', 'claude-code']);
    const vet = await rig.intramur(['agents', 'vet', 'claude-code', '--versions', '>=2']);
    expect(vet).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(/is banned by .*\n.*lift it with: agents vet claude-code/) as string,
    });
    expect((await call({ 'user-agent': 'claude-cli/2.1.330 (external, cli)' })).status).toBe(400);
    expect((await rig.intramur(['agents', 'list'])).stdout).toContain('claude-code: not installed, banned');
    expect((await rig.intramur(['agents', 'vet', 'claude-code'])).stdout).toMatch(
      /^claude-code is vetted; ledger entry \d+\nlifted: the ban by /,
    );
    expect((await call({ 'user-agent': 'claude-cli/2.1.330 (external, cli)' })).status).toBe(200);
    expect((await rig.intramur(['agents', 'list'])).stdout).toContain('claude-code: not installed, vetted');
    const odd = await rig.intramur(['agents', 'vet', 'claude-code', '--versions', 'foo']);
    expect(odd).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('"foo" is no comparison of versions such as ">=2.1.198 <3"') as string,
    });
  });

  it("closes the tool's own hosts for everybody, whatever is granted", async () => {
    const granted = ['run', '--mode', 'direct', '--allow', 'ab.chatgpt.com', '--', 'curl', '-sS', 'http://ab.chatgpt.com/'];
    const { stdout } = await rig.intramur(['agents', 'ban', 'codex']);
    expect(stdout).toContain('closed for everybody: ab.chatgpt.com');
    expect((await rig.intramur(granted)).stdout).toContain('that of the banned tool "codex"');
    expect(await rig.entries()).toContainEqual(
      expect.objectContaining({ host: 'ab.chatgpt.com', decision: 'deny', reason: expect.stringContaining('banned tool') as string }),
    );
  });

  it('is a finding of the audit', async () => {
    fs.mkdirSync(path.join(rig.home, '.local/bin'), { recursive: true });
    fs.writeFileSync(path.join(rig.home, '.local/bin/codex'), '#!/bin/sh\n', { mode: 0o755 });
    await rig.intramur(['agents', 'ban', 'codex', '--reason', 'under review']);
    const report = JSON.parse((await rig.intramur(['audit', '--json'])).stdout) as {
      agents: { id: string; status: string }[];
      findings: { id: string; severity: string; message: string }[];
    };
    expect(report.findings).toContainEqual(
      expect.objectContaining({ id: 'INV-002', severity: 'high', message: expect.stringContaining('under review') as string }),
    );
    expect(report.agents.find(({ id }) => id === 'codex')?.status).toBe('banned');
    const list = JSON.parse((await rig.intramur(['agents', 'list', '--json'])).stdout) as { agents: { id: string; status: string }[] };
    expect(list.agents.find(({ id }) => id === 'codex')).toMatchObject({ status: 'banned', statements: [{ verb: 'ban' }] });
  });
});

describe('agents pin', () => {
  it('runs the pinned program only, under its name; a change is refused until it is pinned again, in one step', async () => {
    const tool = path.join(rig.home, 'bin', 'my-agent');
    fs.mkdirSync(path.dirname(tool));
    fs.writeFileSync(tool, '#!/bin/sh\necho one\n', { mode: 0o755 });
    const env = { PATH: `${path.dirname(tool)}:${process.env['PATH']}` };
    const run = () => rig.intramur(['run', '--mode', 'direct', '--', 'my-agent'], { env });
    expect((await rig.intramur(['agents', 'pin', 'my-agent'], { env })).stdout).toMatch(/^my-agent is pinned \(sha256 [0-9a-f]{64}\)/);
    expect(await run()).toMatchObject({ code: 0, stdout: 'one\n' });
    fs.writeFileSync(tool, '#!/bin/sh\necho two\n');
    expect(await run()).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/pinned to sha256 .* agents pin my-agent/) as string,
    });
    await rig.intramur(['agents', 'pin', 'my-agent'], { env });
    expect(await run()).toMatchObject({ code: 0, stdout: 'two\n' });
  });

  it('a program that is banned by its hash is banned under every name', async () => {
    const tool = path.join(rig.home, 'innocent');
    fs.writeFileSync(tool, '#!/bin/sh\necho hi\n', { mode: 0o755 });
    await rig.intramur(['agents', 'ban', 'evil', '--sha256', crypto.hash('sha256', fs.readFileSync(tool))]);
    expect(await rig.intramur(['run', '--mode', 'direct', '--', tool])).toMatchObject({ code: 1, stdout: '' });
  });
});

describe('what the register does not do', () => {
  it('loosen the configuration, take a name that is none, or go on without its file', async () => {
    rig.configure(`${fs.readFileSync(path.join(rig.state, 'intramur.yaml'), 'utf8')}tools: { codex: { status: banned } }\n`);
    expect(await rig.intramur(['agents', 'vet', 'codex'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('is banned') as string,
    });
    expect((await rig.intramur(['agents', 'ban', '../x'])).code).toBe(2);
    expect((await rig.intramur(['agents', 'pin', 'nowhere-installed'])).code).toBe(2);
    expect((await rig.intramur(['agents', 'ban', 'codex', '--versions', 'latest'])).code).toBe(2);
    await rig.intramur(['down']);
    fs.writeFileSync(path.join(rig.state, 'state', 'agents.json'), '{');
    expect(await rig.intramur(['run', '--', 'true'])).toMatchObject({ code: 2, stderr: expect.stringContaining('agents.json') as string });
  });
});
