// `npm start`: audits this machine, then runs the daemon in the foreground until Ctrl-C.
import { spawn, spawnSync } from 'node:child_process';
import path from 'node:path';
import process from 'node:process';

const main = path.resolve(import.meta.dirname, '..', 'dist', 'main.js');
const args = process.argv.slice(2);

spawnSync(process.execPath, [main, 'audit'], { stdio: 'inherit' });
process.stdout.write('\n');
const daemon = spawn(process.execPath, [main, 'up', ...args], { stdio: 'inherit' });
// Ctrl-C reaches the daemon through the terminal; a signal to this process alone is handed on.
process.on('SIGINT', () => {});
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => daemon.kill(signal));
daemon.on('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)));
