// Everything that a machine can say about the code without running it, all at once; prints what failed and nothing else.
import { spawn } from 'node:child_process';
import process from 'node:process';

const checks = {
  format: ['biome', 'ci', '--reporter=summary', '.'],
  lint: ['oxlint', '--type-aware', '--quiet'],
  types: ['tsc', '-p', '.'],
  layers: ['vitest', 'run', '--reporter=dot', 'test/layers.test.ts'],
  unused: ['knip', '--no-progress'],
  package: ['node', 'scripts/pack.mjs', '--lint'],
};

function run(name, [command, ...args]) {
  return new Promise((resolve) => {
    const started = performance.now();
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const output = [];
    child.stdout.on('data', (chunk) => output.push(chunk));
    child.stderr.on('data', (chunk) => output.push(chunk));
    child.on('error', (error) => resolve({ name, code: 1, text: error.message, seconds: 0 }));
    child.on('close', (code) =>
      resolve({ name, code: code ?? 1, text: Buffer.concat(output).toString(), seconds: (performance.now() - started) / 1000 }),
    );
  });
}

const results = await Promise.all(Object.entries(checks).map(([name, command]) => run(name, command)));
for (const { name, code, text, seconds } of results) {
  if (code !== 0) process.stdout.write(`\n── ${name} ──\n${text}\n`);
  process.stdout.write(`${code === 0 ? 'ok  ' : 'FAIL'} ${name} (${seconds.toFixed(1)} s)\n`);
}
process.exitCode = results.some(({ code }) => code !== 0) ? 1 : 0;
