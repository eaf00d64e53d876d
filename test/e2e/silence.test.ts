// Zero telemetry, proved by system-call trace: the product contacts nobody that the configuration does not name, and the audit
// starts nothing it finds.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRig, finished, main, type Rig } from './rig.ts';

const strace = ['/usr/bin/strace', '/usr/local/bin/strace'].find((file) => fs.existsSync(file));
let rig: Rig;
beforeAll(async () => {
  rig = await createRig();
});
afterAll(() => rig.close());

/** Runs the command line under strace; resolves to the traced calls, all processes together. */
async function traced(
  args: readonly string[],
  calls: string,
  env: NodeJS.ProcessEnv = {},
): Promise<{ code: number | null; lines: string[] }> {
  const log = path.join(rig.dir, `trace-${args[0]}`);
  const child = spawn(
    strace ?? '',
    ['-f', '-qq', '-e', `trace=${calls}`, '-e', 'signal=none', '-o', log, process.execPath, main, ...args],
    {
      cwd: rig.workspace,
      env: { ...rig.env, ...env },
      stdio: 'pipe',
    },
  );
  const { code } = await finished(child);
  return { code, lines: fs.readFileSync(log, 'utf8').split('\n') };
}

const outward = /sa_family=AF_INET6?, /;
const loopback = /inet_addr\("127\.|inet_pton\(AF_INET6, "::1"|inet_pton\(AF_INET6, "::ffff:127\./;

describe.skipIf(!strace)(`silence${strace ? '' : ' (strace is not installed)'}`, () => {
  it('audit connects nowhere and starts nothing', async () => {
    const bin = path.join(rig.home, '.local', 'bin');
    fs.mkdirSync(bin, { recursive: true });
    fs.writeFileSync(path.join(bin, 'claude'), '#!/bin/sh\ntouch "$HOME/started"\n', { mode: 0o755 });
    const { code, lines } = await traced(['audit', '--json'], 'connect,sendto,sendmsg,execve', { PATH: `${bin}:${process.env['PATH']}` });
    expect(code).toBe(0);
    expect(lines.filter((line) => outward.test(line))).toEqual([]);
    expect(lines.filter((line) => /execve\(/.test(line) && !line.includes(process.execPath))).toEqual([]);
    expect(fs.existsSync(path.join(rig.home, 'started'))).toBe(false);
  });

  it('daemon and status talk on loopback and unix sockets only', async () => {
    const log = path.join(rig.dir, 'trace-up');
    const daemon = spawn(
      strace ?? '',
      ['-f', '-qq', '-e', 'trace=connect,sendto,sendmsg', '-e', 'signal=none', '-o', log, process.execPath, main, 'up'],
      {
        cwd: rig.workspace,
        env: rig.env,
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    await new Promise((resolve) => daemon.stdout.once('data', resolve));
    expect((await rig.intramur(['run', '--mode', 'direct', '--', 'curl', '-sS', 'https://outside.example/'])).code).toBe(0);
    expect((await rig.intramur(['down'])).code).toBe(0);
    await new Promise((resolve) => (daemon.exitCode === null ? daemon.once('close', resolve) : resolve(undefined)));
    const lines = fs.readFileSync(log, 'utf8').split('\n');
    expect(lines.filter((line) => outward.test(line) && !loopback.test(line))).toEqual([]);
  });
});
