// Test kit: the files of a configuration, of each kind one, in a directory of their own.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { IntramurError } from '../core/index.ts';
import { type Config, loadConfig } from './index.ts';

export const user = 'config/intramur/intramur.yaml';
export const workspace = 'workspace/intramur.yaml';
export const system = 'etc/intramur.yaml';

export const invalid = (message: string) => ({ code: 'CONFIG_INVALID', message });

interface LoadRig {
  at(...parts: string[]): string;
  write(file: string, text: string | Uint8Array): void;
  load(file?: string): Promise<Config>;
  /** Code and message of the refusal, with the test's own directory taken out. */
  faultOf(promise: Promise<unknown>): Promise<{ code: string; message: string }>;
}

/** Called once at the top of a test file: each of its tests gets an empty directory. */
export function loadRig(): LoadRig {
  let root: string;
  const at = (...parts: string[]) => path.join(root, ...parts);
  beforeEach(() => {
    root = mkdtempSync(path.join(tmpdir(), 'config-'));
    mkdirSync(at('workspace'));
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));
  return {
    at,
    write(file, text) {
      mkdirSync(path.dirname(at(file)), { recursive: true });
      writeFileSync(at(file), text);
    },
    load: (file) =>
      loadConfig({ env: { XDG_CONFIG_HOME: at('config') }, home: at('home'), cwd: at('workspace'), file, systemDir: at('etc') }),
    async faultOf(promise) {
      const fault = await promise.then(
        () => undefined,
        (error: unknown) => error,
      );
      if (!(fault instanceof IntramurError)) throw new Error(`no IntramurError but ${String(fault)}`);
      return { code: fault.code, message: fault.message.replaceAll(`${root}/`, '') };
    },
  };
}
