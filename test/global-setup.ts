// The whole-product tests run what users run: the bundle. It is built anew when a source is newer.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');

export default function setup(): void {
  const built = path.join(root, 'dist', 'main.js');
  const sources = fs
    .globSync(['src/**/*.ts', 'rolldown.config.ts', 'package.json'], { cwd: root })
    .filter((name) => !name.endsWith('.test.ts'));
  const newest = Math.max(...sources.map((name) => fs.statSync(path.join(root, name)).mtimeMs));
  if (fs.existsSync(built) && fs.statSync(built).mtimeMs > newest) return;
  const cli = path.join(root, 'node_modules', 'rolldown', 'bin', 'cli.mjs');
  execFileSync(process.execPath, [cli, '-c', 'rolldown.config.ts'], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
}
