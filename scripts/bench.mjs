// Side-by-side measurements, each in a process of its own; tables on the terminal and in `bench/results/*.txt`, figures as JSON beside
// them. Absolute times are this machine's; ratios within one run are what to compare. Arguments choose: `npm run bench -- ledger`.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';

const root = path.resolve(import.meta.dirname, '..');
const results = path.join(root, 'bench', 'results');

/** name → module and the function that measures; a module without one is a program that writes its own figures. */
const benches = {
  launch: ['bench/launch.ts', 'benchLaunch', 20],
  escape: ['bench/escape.ts', 'benchEscape'],
  sandbox: ['bench/sandbox.ts', 'benchSandbox', 9],
  leaks: ['bench/leaks.ts', 'benchLeaks', 200],
  egress: ['bench/egress.ts', 'benchEgress', 3],
  gateway: ['bench/gateway.ts', 'run', 7],
  soak: ['bench/gateway/soak.ts', 'soak'],
  policy: ['bench/policy.ts', 'run'],
  ledger: ['bench/ledger.ts', 'run'],
  audit: ['bench/audit.ts'],
  attest: ['bench/attest.ts', 'run', 3],
  'audit-peers': ['bench/audit-peers.ts'],
};

/** Too long for every run: only when it is named. */
const onRequest = ['soak', 'audit-peers'];

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !Object.hasOwn(benches, name));
if (unknown.length > 0) {
  process.stderr.write(`no bench ${unknown.join(', ')}; there are ${Object.keys(benches).join(', ')}\n`);
  process.exit(2);
}

fs.mkdirSync(results, { recursive: true });
let isFailed = false;
for (const [name, [file, measure, rounds]] of Object.entries(benches)) {
  if (wanted.length > 0 ? !wanted.includes(name) : onRequest.includes(name)) continue;
  process.stdout.write(`\n── ${name} ──\n`);
  const script = `
    import fs from 'node:fs';
    const { ${measure}: measure } = await import(${JSON.stringify(path.join(root, file))});
    const figures = await measure(${rounds ?? ''});
    const rows = Array.isArray(figures) ? figures : (figures.work ?? figures);
    fs.writeFileSync(${JSON.stringify(path.join(results, `${name}.json`))}, JSON.stringify({ bench: ${JSON.stringify(name)}, node: process.version, cpu: ${JSON.stringify(os.cpus()[0]?.model ?? '')}, figures }, undefined, 2) + '\\n');
    const isTable = Array.isArray(rows) && rows.every((row) => Object.values(row).every((value) => typeof value !== 'object'));
    if (isTable) console.table(rows); else console.dir(rows, { depth: 6 });
    for (const note of figures.notes ?? []) console.log(note);`;
  const args = measure ? ['--input-type=module', '-e', script] : [path.join(root, file)];
  const { status, stdout } = spawnSync(process.execPath, args, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
    maxBuffer: 64 * 2 ** 20,
  });
  process.stdout.write(stdout ?? '');
  fs.writeFileSync(path.join(results, `${name}.txt`), stdout ?? '');
  isFailed ||= status !== 0;
}
process.exitCode = isFailed ? 1 : 0;
