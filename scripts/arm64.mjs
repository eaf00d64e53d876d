// The sandbox on another processor and another kernel: Debian's own for arm64, in QEMU, with the escape suite of this clone in it. Emulation is some
// thirty times slower than a machine, so nothing is timed here and it is no part of `npm test`: `npm run test:arm64`.
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { unpackDebian } from './debian.mjs';

const root = path.resolve(import.meta.dirname, '..');
const home = path.join(root, 'node_modules', '.arm64');
const suite = 'trixie';
const packages =
  'linux-image-cloud-arm64 bubblewrap bash dash bsdutils coreutils findutils grep sed git curl python3-minimal util-linux mount login procps iproute2 iputils-ping openssh-client busybox-static libstdc++6 libatomic1';
/** Minutes, for all of it. */
const longest = 60;

const fault = unpackDebian(home, { suite, architecture: 'arm64', packages: packages.split(' '), needs: true }, () =>
  process.stderr.write(`intramur: unpacking a system for arm64 (Debian ${suite}, 120 MB, not installed)\n`),
);
if (fault !== undefined) fail(`the system for arm64 could not be had: ${fault}`);
const system = path.join(home, 'root');
const [kernel] = fs.globSync('boot/vmlinuz-*', { cwd: system });
const [overlay] = fs.globSync('usr/lib/modules/*/kernel/fs/overlayfs/overlay.ko.xz', { cwd: system });
if (!kernel || !overlay) fail('the system for arm64 has no kernel');

const image = path.join(home, 'image.cpio');
makeImage();
const words = 'console=ttyAMA0 rdinit=/init panic=-1 quiet';
const machine = ['-M', 'virt', '-cpu', 'neoverse-n1', '-m', '4096', '-nic', 'none', '-nographic', '-no-reboot'];
const guest = spawn('qemu-system-aarch64', [...machine, '-kernel', path.join(system, kernel), '-initrd', image, '-append', words], {
  stdio: ['ignore', 'pipe', 'inherit'],
  timeout: longest * 60_000,
});
let said = '';
let verdict;
guest.stdout.setEncoding('utf8').on('data', (text) => {
  const lines = (said + text).split(/\r?\n/);
  said = lines.pop() ?? '';
  for (const line of lines) {
    const told = /^intramur-guest (.*)$/.exec(line)?.[1];
    if (told === undefined) process.stderr.write(`${line}\n`);
    else if (told.startsWith('done ')) verdict = told.slice('done '.length);
    else process.stdout.write(`${told}\n`);
  }
});
guest.on('error', (cause) => fail(`QEMU could not be started: ${cause.message}`));
guest.on('exit', () => {
  if (verdict === undefined) fail('the guest did not come to its end; see above');
  process.stdout.write(`${verdict}\n`);
  process.exit(verdict.startsWith('all held') ? 0 : 1);
});

/** The system with this clone in it, as the archive that a kernel unpacks into its memory. */
function makeImage() {
  const stage = path.join(home, 'stage');
  fs.rmSync(stage, { recursive: true, force: true });
  const leave = ['boot', 'usr/share/doc', 'usr/share/locale', 'usr/share/man', 'usr/share/perl', 'usr/lib/modules'].map((name) =>
    path.join(system, name),
  );
  fs.cpSync(system, stage, { recursive: true, verbatimSymlinks: true, filter: (from) => !leave.includes(from) });
  const module = spawnSync('xz', ['-dc', path.join(system, overlay)], { maxBuffer: 64 << 20 });
  if (module.status !== 0) fail('xz could not unpack the module of the kernel');
  fs.writeFileSync(path.join(stage, 'overlay.ko'), module.stdout);

  const kit = path.join(stage, 'kit');
  const parts = ['package.json', 'dist', 'src', 'test/escape', 'test/arm64', 'node_modules/@cedar-policy'];
  for (const part of parts) fs.cpSync(path.join(root, part), path.join(kit, part), { recursive: true, verbatimSymlinks: true });
  fs.cpSync(nodeFor('arm64'), path.join(stage, 'usr/bin/node'));
  fs.appendFileSync(
    path.join(stage, 'etc/passwd'),
    'root:x:0:0:root:/root:/bin/bash\nintramur-test:x:1000:1000::/home/intramur-test:/bin/sh\n',
  );
  fs.appendFileSync(path.join(stage, 'etc/group'), 'root:x:0:\nintramur-test:x:1000:\n');
  fs.writeFileSync(path.join(stage, 'etc/hosts'), '127.0.0.1 localhost\n');
  fs.copyFileSync(path.join(root, 'test/arm64/init.sh'), path.join(stage, 'init'));
  fs.chmodSync(path.join(stage, 'init'), 0o755);
  const packed = spawnSync('sh', ['-c', 'find . | cpio -o -H newc --quiet > "$0"', image], {
    cwd: stage,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (packed.status !== 0) fail('the image could not be packed');
  fs.rmSync(stage, { recursive: true, force: true });
}

/** The pinned Node for another processor, checked by npm against the lockfile. */
function nodeFor(architecture) {
  const name = `node-linux-${architecture}`;
  const dir = path.join(home, 'node');
  const file = path.join(dir, 'node_modules', name, 'bin', 'node');
  const { version, resolved, integrity } = JSON.parse(fs.readFileSync(path.join(root, 'package-lock.json'), 'utf8')).packages[
    `node_modules/${name}`
  ];
  if (fs.existsSync(file) && fs.existsSync(path.join(dir, version))) return file;
  fs.rmSync(dir, { recursive: true, force: true });
  fs.mkdirSync(dir, { recursive: true });
  fs.writeFileSync(path.join(dir, 'package.json'), JSON.stringify({ private: true, dependencies: { [name]: version } }));
  const lock = {
    lockfileVersion: 3,
    packages: { '': { dependencies: { [name]: version } }, [`node_modules/${name}`]: { version, resolved, integrity } },
  };
  fs.writeFileSync(path.join(dir, 'package-lock.json'), JSON.stringify(lock));
  const got = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: dir, stdio: 'inherit' });
  if (got.status !== 0 || !fs.existsSync(file)) fail(`${name} could not be had from npm`);
  fs.writeFileSync(path.join(dir, version), '');
  return file;
}

function fail(line) {
  process.stderr.write(`intramur: ${line}\n`);
  process.exit(1);
}
