// The server of llama.cpp as Debian's next release ships it, for the one test that talks to it: taken from the mirror that this machine
// uses, checked by apt against Debian's keys, unpacked into node_modules/.llama-cpp and never installed. What it needs of the system comes
// along, because it is built for a newer one; the test runs it in bubblewrap with these files as its root.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';

const suite = 'forky';
const packages = 'llama.cpp-tools libllama0 libggml0 libc6 libstdc++6 libgcc-s1 libgomp1 libssl3t64 zlib1g libzstd1'.split(' ');
const keys = '/usr/share/keyrings/debian-archive-keyring.gpg';
const architectures = { x64: 'amd64', arm64: 'arm64' };

/** @returns why it could not be had; undefined when it is there */
export function unpackLlama(root, say) {
  const home = path.join(root, 'node_modules', '.llama-cpp');
  if (fs.existsSync(path.join(home, 'root'))) return undefined;
  const architecture = architectures[process.arch];
  if (process.platform !== 'linux' || !architecture || !fs.existsSync(keys)) return 'this is no Debian';
  const mirror = mirrorOf();
  if (mirror === undefined) return 'apt names no mirror of Debian';
  say(`unpacking llama.cpp's server for one test (Debian ${suite}, 13 MB, not installed)`);
  fs.rmSync(home, { recursive: true, force: true });
  for (const dir of ['parts', 'state', 'lists/partial', 'cache/archives/partial', 'packages', 'unpacked'])
    fs.mkdirSync(path.join(home, dir), { recursive: true });
  fs.writeFileSync(
    path.join(home, 'parts', 'debian.sources'),
    `Types: deb\nURIs: ${mirror}\nSuites: ${suite}\nComponents: main\nArchitectures: ${architecture}\nSigned-By: ${keys}\n`,
  );
  fs.writeFileSync(path.join(home, 'status'), '');
  const settings = {
    'Dir::Etc::sourcelist': '/dev/null',
    'Dir::Etc::sourceparts': `${home}/parts`,
    'Dir::State': `${home}/state`,
    'Dir::State::Lists': `${home}/lists`,
    'Dir::State::status': `${home}/status`,
    'Dir::Cache': `${home}/cache`,
    'APT::Architecture': architecture,
    'APT::Sandbox::User': '',
    'Acquire::Languages': 'none',
    'Acquire::Retries': '1',
    'Acquire::http::Timeout': '20',
  };
  fs.writeFileSync(
    path.join(home, 'apt.conf'),
    Object.entries(settings)
      .map(([name, value]) => `${name} ${JSON.stringify(value)};\n`)
      .join(''),
  );
  const fault =
    apt(home, ['update', '-qq']) ??
    apt(home, ['download', '-qq', ...packages]) ??
    fs
      .readdirSync(path.join(home, 'packages'))
      .map((file) => faultOf(spawnSync('dpkg-deb', ['-x', path.join(home, 'packages', file), path.join(home, 'unpacked')])))
      .find((each) => each !== undefined);
  if (fault !== undefined) return fault;
  for (const dir of ['lists', 'cache', 'packages']) fs.rmSync(path.join(home, dir), { recursive: true, force: true });
  fs.renameSync(path.join(home, 'unpacked'), path.join(home, 'root'));
  return undefined;
}

function apt(home, args) {
  const env = { ...process.env, APT_CONFIG: path.join(home, 'apt.conf'), LC_ALL: 'C' };
  return faultOf(spawnSync('apt-get', args, { cwd: path.join(home, 'packages'), env, timeout: 120_000 }));
}

/** The mirror that this machine's own packages come from. */
function mirrorOf() {
  const { stdout } = spawnSync('apt-get', ['indextargets', '--format', '$(REPO_URI)', 'Created-By: Packages'], { encoding: 'utf8' });
  return stdout?.split('\n').find((uri) => /^https?:\/\/.*\/debian\/?$/.test(uri));
}

function faultOf({ status, error, stderr }) {
  if (status === 0) return undefined;
  const last = stderr?.toString().trim().split('\n').at(-1);
  return error?.message ?? (last || `it ended with ${status}`);
}
