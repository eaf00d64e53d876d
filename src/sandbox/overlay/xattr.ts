// Reads whether files carry an extended attribute. Node has no call for it, so a list of lgetxattr(2) calls is compiled to a small
// program like the init: it takes paths as arguments and prints one 32-bit result for each.
import { execFileSync } from 'node:child_process';
import { elf } from '../elf.ts';
import { imageFile } from '../init-file.ts';
import type { Arch } from '../syscall-number.ts';
import { SyscallScript } from '../syscall-script.ts';

/** Set by overlayfs on a directory that hides the one below it. */
export const opaqueAttribute = 'user.overlay.opaque';
/** Set by overlayfs on what it copied up from below. */
export const originAttribute = 'user.overlay.origin';
export const capabilityAttribute = 'security.capability';

const batch = 256;
const resultBytes = 4;
const [noData, notSupported, tooLong] = [-61, -95, -34];

/**
 * @param ifUnasked what is taken to hold for a path that cannot be asked: of a file that its owner cannot read, the kernel says nothing
 * @returns the paths that carry the attribute
 */
export function withAttribute(paths: readonly string[], attribute: string, cacheDir: string, ifUnasked: 'has' | 'has not'): Set<string> {
  const found = new Set<string>();
  if (paths.length === 0) return found;
  const program = imageFile(cacheDir, elf(reader(attribute), process.arch as Arch));
  for (let at = 0; at < paths.length; at += batch) {
    const some = paths.slice(at, at + batch);
    // Always the same number of arguments: the program reads them all.
    const padded = [...some, ...Array<string>(batch - some.length).fill('')];
    const results = execFileSync(program, padded, { env: {}, stdio: ['ignore', 'pipe', 'ignore', 'ignore', 'ignore'] });
    some.forEach((path, i) => {
      const result = results.readInt32LE(i * resultBytes);
      const isUnasked = result < 0 && ![tooLong, noData, notSupported].includes(result);
      if (isUnasked ? ifUnasked === 'has' : result >= 0 || result === tooLong) found.add(path);
    });
  }
  return found;
}

function reader(attribute: string): ReturnType<SyscallScript['build']> {
  const script = new SyscallScript(2);
  const name = script.text(attribute);
  const value = script.space(64);
  const results = script.space(batch * resultBytes);
  script.stage('reading attributes');
  for (let i = 0; i < batch; i++) {
    const result = script.within(results, i * resultBytes, resultBytes);
    script.attempt('lgetxattr', [{ argv: i + 1 }, name, value, value.bytes.length], result);
  }
  script.call('write', [1, results, results.bytes.length], { exactly: results.bytes.length });
  script.call('exit', [0]);
  return script.build();
}
