// Stages the package that is published: the bundle, the test kit's types, the packs and the documents. It carries neither the pinned
// Node nor what is bundled already. `--lint` checks the staged package and removes it.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';

const root = path.resolve(import.meta.dirname, '..');
const isLint = process.argv.includes('--lint');
const stage = isLint ? fs.mkdtempSync(path.join(os.tmpdir(), 'intramur-package-')) : path.join(root, 'dist-package');

const { name, version, description, license, type, engines, bin, exports, files, dependencies } = JSON.parse(
  fs.readFileSync(path.join(root, 'package.json'), 'utf8'),
);
/** Not bundled, because it reads files beside itself. */
const external = ['@cedar-policy/cedar-wasm'];

fs.rmSync(stage, { recursive: true, force: true });
fs.mkdirSync(stage, { recursive: true });
execFileSync(process.execPath, ['node_modules/rolldown/bin/cli.mjs', '-c', 'rolldown.config.ts', '--dir', path.join(stage, 'dist')], {
  cwd: root,
  stdio: ['ignore', 'ignore', 'inherit'],
});
execFileSync(
  process.execPath,
  ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.testing.json', '--outDir', path.join(stage, 'dist', 'types')],
  { cwd: root, stdio: 'inherit' },
);
for (const file of files.filter((one) => one !== 'dist')) fs.cpSync(path.join(root, file), path.join(stage, file), { recursive: true });
const kept = Object.fromEntries(Object.entries(dependencies).filter(([one]) => external.includes(one)));
fs.writeFileSync(
  path.join(stage, 'package.json'),
  `${JSON.stringify({ name, version, description, license, type, engines, bin, exports, files, dependencies: kept }, undefined, 2)}\n`,
);

if (isLint) {
  const { messages, pkg } = await publint({ pkgDir: stage, strict: true, pack: false });
  for (const message of messages) process.stdout.write(`${formatMessage(message, pkg)}\n`);
  const started = execFileSync(process.execPath, [path.join(stage, bin.intramur), '--version'], { encoding: 'utf8' }).trim();
  if (started !== version) process.stdout.write(`the staged package says it is ${started}, not ${version}\n`);
  fs.rmSync(stage, { recursive: true, force: true });
  process.exitCode = messages.length > 0 || started !== version ? 1 : 0;
} else {
  process.stdout.write(`${stage}\nnpm publish ${path.relative(process.cwd(), stage)}\n`);
}
