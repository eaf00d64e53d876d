// `npm start`: audits this machine, then runs the daemon in the foreground until Ctrl-C.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import process from 'node:process';
import { handOver } from './hand-over.mjs';

const main = path.resolve(import.meta.dirname, '..', 'dist', 'main.js');

spawnSync(process.execPath, [main, 'audit'], { stdio: 'inherit' });
process.stdout.write('\n');
handOver(process.execPath, [main, 'up', ...process.argv.slice(2)]);
