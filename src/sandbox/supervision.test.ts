// A number that a process of the sandbox had may be another's by the time that we look: whoever is not of its network is left alone.
import { type ChildProcess, spawn } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { afterEach, expect, it } from 'vitest';
import { doctor } from './doctor.ts';
import { networkOf } from './supervision.ts';

const { mode } = await doctor();
const started: ChildProcess[] = [];
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
});

async function inNetwork(options: readonly string[]): Promise<number> {
  const child = spawn('unshare', [...options, 'sleep', '30'], { stdio: 'ignore' });
  started.push(child);
  const pid = child.pid ?? 0;
  const own = readlinkSync('/proc/self/ns/net');
  while (options.length > 0 && readlinkSync(`/proc/${pid}/ns/net`) === own) await new Promise((resolve) => setTimeout(resolve, 5));
  return pid;
}

it.skipIf(mode === 'none')(
  `only processes of the sandbox's network are inside${mode === 'none' ? ', skipped: no namespaces here' : ''}`,
  async () => {
    const leader = await inNetwork(['--user', '--net']);
    const stranger = await inNetwork(['--user', '--net']);
    const isInside = networkOf(leader);
    expect([leader, stranger, process.pid, process.ppid, 0].map(isInside)).toEqual([true, false, false, false, false]);
  },
);

it('where there is no network of its own nobody is inside', async () => {
  const leader = await inNetwork([]);
  expect([leader, process.pid].map(networkOf(leader))).toEqual([false, false]);
});
