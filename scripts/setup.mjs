// Sets up what is missing, then runs one task. Plain JavaScript for Node 18 and later: it is what runs on a fresh clone, before
// anything is installed. Every step says in one line what it installs; a step that has nothing to do says nothing.
import { spawnSync } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { handOver } from './hand-over.mjs';
import { unpackLlama } from './llama.mjs';

const root = path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), '..');
const say = (line) => process.stderr.write(`intramur: ${line}\n`);

function fail(line, code = 1) {
  say(line);
  process.exit(code);
}

function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options });
  if (result.error) fail(`${command} could not be started: ${result.error.message}`);
  if (result.signal) process.kill(process.pid, result.signal);
  return result.status ?? 1;
}

const hashOf = (file) => crypto.createHash('sha256').update(fs.readFileSync(file)).digest('hex');
const has = (program) => (process.env.PATH ?? '').split(path.delimiter).some((dir) => dir && fs.existsSync(path.join(dir, program)));

/**
 * Installs what the lockfile of `dir` says, unless it was the one that was installed last. `npm ci` refuses a lockfile that lacks a
 * platform package which the registry does not have; for other people's packages `npm install --no-save` takes the rest by its hash.
 */
function modules(dir, what, command = ['ci']) {
  const stamp = path.join(dir, 'node_modules', '.intramur-lock');
  const lock = hashOf(path.join(dir, 'package-lock.json'));
  if (fs.existsSync(stamp) && fs.readFileSync(stamp, 'utf8') === lock) return;
  say(`installing ${what} (npm ${command.join(' ')}, no install scripts)`);
  const status = run('npm', [...command, '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: dir });
  if (status !== 0) fail('npm failed; see above', status);
  fs.writeFileSync(stamp, lock);
}

/** The Node that runs the product: the pinned one on Linux, else the system's when it meets the floor. */
function pinnedNode() {
  const pinned = path.join(root, 'node_modules', `node-linux-${process.arch}`, 'bin', 'node');
  if (process.platform === 'linux' && fs.existsSync(pinned)) return pinned;
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > 22 || (major === 22 && minor >= 18)) return process.execPath;
  return fail(`Node ${process.versions.node} is too old: 22.18 or later is needed`, 2);
}

const packageManagers = [
  [
    'apt-get',
    (names) => [
      ['apt-get', ['update', '-qq']],
      ['apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...names]],
    ],
  ],
  ['dnf', (names) => [['dnf', ['install', '-y', '-q', ...names]]]],
  ['zypper', (names) => [['zypper', ['--non-interactive', 'install', ...names]]]],
  ['pacman', (names) => [['pacman', ['-S', '--noconfirm', '--needed', ...names]]]],
  ['apk', (names) => [['apk', ['add', '--quiet', ...names]]]],
];

/**
 * System packages, through the system's package manager when that is allowed without a question. `wanted` maps a program to the
 * package that brings it.
 */
function systemPackages(wanted) {
  if (process.platform !== 'linux') return;
  const missing = Object.entries(wanted).filter(
    ([program]) => !has(program) && !fs.existsSync(`/usr/bin/${program}`) && !fs.existsSync(`/usr/sbin/${program}`),
  );
  if (missing.length === 0) return;
  const names = missing.map(([, name]) => name);
  const manager = packageManagers.find(([program]) => has(program));
  if (!manager) return say(`please install: ${names.join(', ')}`);
  const commands = manager[1](names);
  const isRoot = process.getuid?.() === 0;
  const maySudo = !isRoot && has('sudo') && spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0;
  if (!isRoot && !maySudo) return say(`please run: sudo ${[commands.at(-1)[0], ...commands.at(-1)[1]].join(' ')}`);
  say(`installing ${names.join(', ')} (${manager[0]})`);
  for (const [command, args] of commands) {
    const [program, ...rest] = isRoot ? [command, ...args] : ['sudo', '-n', command, ...args];
    const quiet = { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } };
    if (run(program, rest, quiet) !== 0) return say(`could not install ${names.join(', ')}; please install by hand`);
  }
}

/** Newest change below `entry`, in milliseconds since the epoch. */
function newest(entry) {
  const stat = fs.statSync(entry);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(stat.mtimeMs, ...fs.readdirSync(entry).map((name) => newest(path.join(entry, name))));
}

function build(node) {
  const built = path.join(root, 'dist', 'main.js');
  const sources = ['src', 'rolldown.config.ts', 'package.json'].map((name) => path.join(root, name));
  if (fs.existsSync(built) && fs.statSync(built).mtimeMs > Math.max(...sources.map(newest))) return;
  say('building dist/');
  const status = run(node, ['node_modules/rolldown/bin/cli.mjs', '-c', 'rolldown.config.ts'], { stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) fail('the build failed; see above', status);
}

const forTests = {
  curl: 'curl',
  git: 'git',
  openssl: 'openssl',
  strace: 'strace',
  tmux: 'tmux',
  python3: 'python3',
  ssh: 'openssh-client',
  sshd: 'openssh-server',
  gpg: 'gnupg',
};

/** task → what it needs beside Node modules and bubblewrap, and the script that does it. */
const tasks = {
  start: { script: 'scripts/start.mjs' },
  demo: { script: 'scripts/demo.mjs', agents: true },
  test: {
    script: 'scripts/test.mjs',
    agents: true,
    llama: true,
    system: forTests,
    args: ['--project', 'rooms', '--project', 'house'],
  },
  'test:agents': { script: 'scripts/test.mjs', agents: true, system: forTests, args: ['--project', 'agents', '--project', 'clock'] },
  'test:arm64': { script: 'scripts/arm64.mjs', system: { 'qemu-system-aarch64': 'qemu-system-arm', cpio: 'cpio', xz: 'xz-utils' } },
  bench: {
    script: 'scripts/bench.mjs',
    system: { rg: 'ripgrep', socat: 'socat', firejail: 'firejail', nginx: 'nginx-light' },
    peers: true,
  },
  check: { script: 'scripts/check.mjs' },
  build: { script: undefined },
};

const [name = '', ...rest] = process.argv.slice(2);
const task = tasks[name];
if (!task) fail(`unknown task "${name}"; one of ${Object.keys(tasks).join(', ')}`, 2);

modules(root, 'Node modules' + (process.platform === 'linux' ? ' with a pinned Node 24' : ''));
const node = pinnedNode();
if (process.platform === 'linux') systemPackages({ bwrap: 'bubblewrap', ...task.system });
if (task.agents) modules(path.join(root, 'test', 'agents'), 'five coding agents for tests and demo, 1.4 GB', ['install', '--no-save']);
if (task.peers && fs.existsSync(path.join(root, 'bench', 'peers')))
  modules(path.join(root, 'bench', 'peers'), 'the peers that are measured against', ['install', '--no-save']);
if (task.llama) {
  const fault = unpackLlama(root, say);
  if (fault !== undefined) say(`llama.cpp's server is not to be had here, and its tests are skipped: ${fault}`);
}
build(node);
if (task.script) {
  const PATH = [path.dirname(node), path.join(root, 'node_modules', '.bin'), process.env.PATH].join(path.delimiter);
  handOver(node, [path.join(root, task.script), ...(task.args ?? []), ...rest], { cwd: root, env: { ...process.env, PATH } });
}
