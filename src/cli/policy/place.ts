// Which policies a command means: what the daemon would load for this workspace, or a directory that was named.
import path from 'node:path';
import { type Config, loadConfig } from '../../config/index.ts';
import { packageRoot, placesFrom } from '../../core/index.ts';
import { loadPolicies, type PolicyEngine } from '../../policy/index.ts';
import type { CliIo } from '../io.ts';
import { jsonOption, type Options } from '../options.ts';

export const commonOptions = {
  ...jsonOption,
  config: { type: 'string', value: 'FILE', does: 'a configuration beside the usual ones' },
} as const satisfies Options;

export function packsDirectory(): string {
  return path.join(packageRoot(), 'src', 'packs');
}

export async function configured({ env, home, cwd }: CliIo, configFile: string | undefined): Promise<Config> {
  return await loadConfig({ env, home, cwd, file: configFile, systemDir: placesFrom(env, home).system });
}

export async function engineFor({ packs, policies }: Pick<Config, 'packs' | 'policies'>): Promise<PolicyEngine> {
  return await loadPolicies({ packs, packsDir: packsDirectory(), dirs: policies });
}

export function print({ stdout }: CliIo, document: object): void {
  stdout.write(`${JSON.stringify(document, undefined, 2)}\n`);
}
