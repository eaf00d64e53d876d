// A real llama.cpp server with a model of noise. It is what `npm test` unpacked (scripts/llama.mjs), in bubblewrap with those files as its
// root; LLAMA_SERVER names another program, LLAMA_MODEL another model.
import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import path from 'node:path';
import { tinyModel } from './gguf.ts';

const { LLAMA_SERVER: program, LLAMA_MODEL: model } = process.env;
const unpacked = path.resolve(import.meta.dirname, '..', '..', '..', 'node_modules', '.llama-cpp', 'root');

/** Why there is none; undefined when there is one. */
export const llamaMissing =
  program !== undefined || fs.existsSync(unpacked) ? undefined : 'it could not be unpacked from Debian (see what npm test said first)';

export interface LlamaServer {
  readonly port: number;
  /** What it last said. */
  said(): string;
  stop(): void;
}

/** @param dir a directory of the test, for the model */
export async function startLlama(dir: string): Promise<LlamaServer> {
  const port = await freePort();
  const file = model ?? path.join(dir, 'noise.gguf');
  if (model === undefined) fs.writeFileSync(file, tinyModel());
  const args = ['--host', '127.0.0.1', '--port', String(port), '--ctx-size', '16384', '--parallel', '2', '--seed', '1', '--jinja'];
  const server =
    program === undefined ? boxed(file, args) : spawn(program, ['--model', file, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let words = '';
  for (const stream of [server.stdout, server.stderr])
    stream?.on('data', (bytes: Buffer) => void (words = (words + bytes.toString()).slice(-4000)));
  for (let i = 0; i < 200; i++) {
    const answer = await fetch(`http://127.0.0.1:${port}/health`).catch(() => undefined);
    if (answer?.status === 200) return { port, said: () => words, stop: () => server.kill('SIGKILL') };
    if (server.exitCode !== null) break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  server.kill('SIGKILL');
  throw new Error(`llama-server did not start: ${words}`);
}

/** It shares the network, so that it can be reached, and nothing else. */
function boxed(file: string, args: readonly string[]): ChildProcess {
  const links = ['bin', 'lib', 'lib64'].flatMap((name) => ['--symlink', `usr/${name}`, `/${name}`]);
  const mounts = ['--ro-bind', path.join(unpacked, 'usr'), '/usr', ...links, '--dev', '/dev', '--proc', '/proc', '--tmpfs', '/tmp'];
  const apart = ['--unshare-pid', '--unshare-ipc', '--unshare-uts', '--die-with-parent', '--clearenv', '--setenv', 'HOME', '/tmp'];
  return spawn(
    'bwrap',
    [...mounts, '--ro-bind', file, '/model.gguf', ...apart, '/usr/bin/llama-server', '--model', '/model.gguf', ...args],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
