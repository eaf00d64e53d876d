// A refusal by default says what a person could do, and a person outside does it while the session runs.
import type { ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Entry } from '../../src/core/index.ts';
import { createRig, type Rig } from './rig.ts';

interface Proposal {
  readonly id: string;
  readonly status: string;
  readonly count: number;
  readonly grant: unknown;
}

let rig: Rig;
let server: http.Server;
let reached = 0;

beforeAll(async () => {
  server = http.createServer((_request, response) => {
    reached += 1;
    response.end('from the tool host\n');
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  rig = await createRig({ extra: `resolve: ["tool.example:80:127.0.0.1:${port}", "other.example:80:127.0.0.1:${port}"]\n` });
});
afterAll(async () => {
  server.close();
  await rig.close();
});

const summaryFile = () => path.join(rig.dir, 'summary.json');
const list = async () => (JSON.parse((await rig.intramur(['approvals', 'list', '--json'])).stdout) as { approvals: Proposal[] }).approvals;

/** A session that asks for a host as often as it is told to, by a line each. */
function asking(host: string): ChildProcess {
  const script = `while read -r line; do curl -s http://${host}/; echo "done"; done`;
  return rig.start(['run', '--mode', 'direct', '--', 'bash', '-c', script]);
}

describe('a refusal by default', () => {
  it('carries next steps as data, in its body and in the summary', async () => {
    const { stdout } = await rig.intramur([
      'run',
      '--mode',
      'direct',
      '--summary-json',
      summaryFile(),
      '--',
      'curl',
      '-s',
      'http://tool.example/',
    ]);
    const step = {
      approval: expect.stringMatching(/^p\d+$/),
      grant: { kind: 'host', host: 'tool.example', port: 80 },
      option: 'intramur run --allow tool.example:80',
      config: 'egress: { allow: [{ host: tool.example, ports: [80] }] }',
      policy:
        'permit(principal, action in Intramur::Action::"egress.other", resource == Intramur::Host::"tool.example") when { resource.port == 80 };',
    };
    expect(JSON.parse(/^next_steps: (.*)$/m.exec(stdout)?.[1] ?? '')).toEqual([step]);
    expect(JSON.parse(fs.readFileSync(summaryFile(), 'utf8'))).toMatchObject({ next_steps: [step] });
  });

  it('proposes a policy that is valid and opens just that', async () => {
    const { stdout } = await rig.intramur(['run', '--mode', 'direct', '--', 'curl', '-s', 'http://tool.example/']);
    const [{ policy }] = JSON.parse(/^next_steps: (.*)$/m.exec(stdout)?.[1] ?? '') as [{ policy: string }];
    const directory = path.join(rig.dir, 'proposed');
    fs.mkdirSync(directory);
    fs.writeFileSync(path.join(directory, 'tool.cedar'), `@id("tool") ${policy}\n`);
    const before = fs.readFileSync(path.join(rig.state, 'intramur.yaml'), 'utf8');
    rig.configure(`${before}policies: [${JSON.stringify(directory)}]\n`);
    const ran = await rig.intramur([
      'run',
      '--mode',
      'direct',
      '--',
      'sh',
      '-c',
      'curl -s http://tool.example/; curl -s http://other.example/',
    ]);
    rig.configure(before);
    expect(ran.stdout).toMatch(/^from the tool host\nIntramur refused: /);
  });

  it.each([
    ['a rule that forbids', 'http://169.254.169.254/'],
    ['an address without a name', 'http://192.0.2.7/'],
  ])('proposes nothing against %s', async (_name, url) => {
    const { stdout } = await rig.intramur(['run', '--mode', 'direct', '--', 'curl', '-s', url]);
    expect(stdout).toContain('Intramur refused: ');
    expect(stdout).not.toContain('next_steps');
  });
});

describe('approvals', () => {
  it('grants for the session that asked, and for it alone; the entry says who and why', async () => {
    reached = 0;
    const child = asking('tool.example');
    const lines = linesOf(child.stdout);
    child.stdin?.write('\n');
    await lines.until('done');
    const pending = (await list()).findLast(({ status }) => status === 'pending');
    expect([reached, pending]).toMatchObject([0, { count: 1, grant: { kind: 'host', host: 'tool.example', port: 80 } }]);
    const approved = await rig.intramur(['approvals', 'approve', pending?.id ?? '', '--reason', 'needed for the build']);
    expect([approved.code, approved.stdout]).toEqual([0, expect.stringContaining('approved: tool.example:80')]);
    child.stdin?.write('\n');
    await lines.until('done');
    expect([reached, lines.all()]).toEqual([1, expect.stringContaining('from the tool host')]);
    child.stdin?.end();
    await new Promise((resolve) => child.once('close', resolve));
    const { stdout } = await rig.intramur(['run', '--mode', 'direct', '--', 'curl', '-s', 'http://tool.example/']);
    expect([reached, stdout]).toEqual([1, expect.stringContaining('Intramur refused')]);
    const exported = await rig.intramur(['ledger', 'export', '--format', 'jsonl']);
    const entries = exported.stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Entry);
    expect(entries.find(({ action }) => action === 'approval.decide')).toMatchObject({
      decision: 'allow',
      host: 'tool.example',
      reason: 'needed for the build',
    });
    const again = await rig.intramur(['approvals', 'approve', pending?.id ?? '']);
    expect([again.code, again.stderr]).toEqual([2, expect.stringContaining('is approved already')]);
  });

  it('a denied proposal stays refused', async () => {
    const child = asking('other.example');
    const lines = linesOf(child.stdout);
    child.stdin?.write('\n');
    await lines.until('done');
    const pending = (await list()).findLast(({ status }) => status === 'pending');
    expect((await rig.intramur(['approvals', 'deny', pending?.id ?? ''])).code).toBe(0);
    const late = await rig.intramur(['approvals', 'approve', pending?.id ?? '']);
    expect(late.code).toBe(2);
    child.stdin?.end();
    await new Promise((resolve) => child.once('close', resolve));
    expect((await list()).find(({ id }) => id === pending?.id)?.status).toBe('denied');
  });

  it('nothing of a session that is over waits; what it lacked is still shown', async () => {
    const { stdout } = await rig.intramur(['run', '--mode', 'direct', '--', 'curl', '-s', 'http://other.example/']);
    const [{ approval }] = JSON.parse(/^next_steps: (.*)$/m.exec(stdout)?.[1] ?? '') as [{ approval: string }];
    const all = await list();
    expect(all.filter(({ status }) => status === 'pending')).toEqual([]);
    expect(all.find(({ id }) => id === approval)).toMatchObject({ status: 'over', grant: { host: 'other.example', port: 80 } });
    expect((await rig.intramur(['approvals'])).stdout).toMatch(new RegExp(`^${approval} +over +other\\.example:80 for curl`, 'm'));
    for (const verb of ['approve', 'deny']) {
      const { code, stderr } = await rig.intramur(['approvals', verb, approval]);
      expect([code, stderr]).toEqual([3, expect.stringMatching(/is over(.|\n)*intramur run --allow other\.example:80/)]);
    }
  });

  it('cannot be given from inside: there is nobody to give it to', async () => {
    const socket = path.join(rig.state, 'state', 'daemon.sock');
    expect(fs.existsSync(socket)).toBe(true);
    const { stdout } = await rig.intramur([
      'run',
      '--mode',
      'direct',
      '--',
      'sh',
      '-c',
      `ls ${socket} 2>&1; curl -s --unix-socket ${socket} http://d/proposals; echo $?`,
    ]);
    expect(stdout).toMatch(/No such file or directory\n7\n$/);
  });
});

function linesOf(stream: NodeJS.ReadableStream | null) {
  let text = '';
  let from = 0;
  stream?.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  return {
    all: () => text,
    async until(word: string) {
      await expect.poll(() => text.indexOf(word, from), { timeout: 20_000 }).toBeGreaterThanOrEqual(0);
      from = text.indexOf(word, from) + word.length;
    },
  };
}
