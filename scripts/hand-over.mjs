// Runs a program in this process's place, as far as Node can: same standard streams, its exit code is ours, and a signal that reaches
// only this process is handed on, so that nothing is left running.
import { spawn } from 'node:child_process';
import process from 'node:process';

export function handOver(command, args, options = {}) {
  const child = spawn(command, args, { stdio: 'inherit', ...options });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  // npm starts scripts through a shell that hands no signal on; when that shell is gone, nobody is left to run for.
  const parent = process.ppid;
  setInterval(() => process.ppid === parent || child.kill('SIGTERM'), 500).unref();
  child.on('error', (error) => {
    process.stderr.write(`${command} could not be started: ${error.message}\n`);
    process.exit(1);
  });
  child.on('exit', (code) => process.exit(code ?? 1));
}
