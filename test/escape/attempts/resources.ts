// Using up the machine.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import type { Attempt } from '../attempt.ts';

const group = 'resources';
const layer = 'resource limit';

/** @returns true when more than `bytes` could be written */
function fill(file: string, bytes: number): boolean {
  const chunk = Buffer.alloc(1 << 20);
  const fd = fs.openSync(file, 'w');
  try {
    for (let written = 0; written <= bytes; ) written += fs.writeSync(fd, chunk);
    return true;
  } finally {
    fs.closeSync(fd);
    fs.rmSync(file, { force: true });
  }
}

async function forkUntilRefused(limit: number): Promise<boolean> {
  const children = [];
  let failures = 0;
  for (let i = 0; i < limit + 8 && failures === 0; i++) {
    const child = spawn('/bin/sleep', ['30'], { stdio: 'ignore' });
    child.on('error', () => {
      failures++;
    });
    children.push(child);
    if (i % 16 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await new Promise((resolve) => setTimeout(resolve, 100));
  for (const child of children) child.kill('SIGKILL');
  await new Promise((resolve) => setTimeout(resolve, 100));
  return failures === 0;
}

function corePattern(): string {
  try {
    return fs.readFileSync('/proc/sys/kernel/core_pattern', 'utf8');
  } catch {
    return '';
  }
}

export const resources: readonly Attempt[] = [
  { id: 'a file beyond the limit', group, layer, inside: ({ workspace, limits }) => fill(path.join(workspace, 'big'), limits.fileBytes) },
  ...['/tmp', '/dev/shm', '~'].map(
    (dir): Attempt => ({
      id: `filling ${dir}`,
      group,
      layer,
      async inside({ limits, home }) {
        const at = dir === '~' ? home : dir;
        const parts = Math.ceil(limits.tmpfsBytes / limits.fileBytes) + 1;
        const files = Array.from({ length: parts }, (_, i) => path.join(at, `fill-${i}`));
        try {
          for (const file of files) fs.writeFileSync(file, Buffer.alloc(limits.fileBytes - 4096));
          return true;
        } finally {
          for (const file of files) fs.rmSync(file, { force: true });
        }
      },
    }),
  ),
  ...['/etc', '/run', '/dev', '/var', '/'].map(
    (dir): Attempt => ({
      id: `writing to the memory behind ${dir}`,
      group,
      layer: 'read-only mount',
      inside: () => fill(path.join(dir, 'fill'), 0),
    }),
  ),
  { id: 'a fork bomb', group, layer, limit: 'processes', inside: ({ limits }) => forkUntilRefused(limits.pids) },
  {
    id: 'a core dump for a handler of the host',
    group,
    layer,
    ...(corePattern().startsWith('|') ? {} : { oursAlone: 'no program handles core dumps on this host' }),
    inside: () => !/^Max core file size\s+1\s+1\s/m.test(fs.readFileSync('/proc/self/limits', 'utf8')),
  },
];
