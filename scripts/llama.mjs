// The server of llama.cpp as Debian's next release ships it, for the one test that talks to it: unpacked into node_modules/.llama-cpp. What
// it needs of the system comes along, because it is built for a newer one; the test runs it in bubblewrap with these files as its root.
import path from 'node:path';
import process from 'node:process';
import { unpackDebian } from './debian.mjs';

const suite = 'forky';
const packages = 'llama.cpp-tools libllama0 libggml0 libc6 libstdc++6 libgcc-s1 libgomp1 libssl3t64 zlib1g libzstd1'.split(' ');
const architectures = { x64: 'amd64', arm64: 'arm64' };

/** @returns why it could not be had; undefined when it is there */
export function unpackLlama(root, say) {
  const architecture = architectures[process.arch];
  if (!architecture) return 'this is no Debian';
  return unpackDebian(path.join(root, 'node_modules', '.llama-cpp'), { suite, architecture, packages }, () =>
    say(`unpacking llama.cpp's server for one test (Debian ${suite}, 13 MB, not installed)`),
  );
}
