// Packages of Debian as files: taken from the mirror that this machine uses, checked by apt against Debian's keys, unpacked side by side
// and never installed. For tests that need a program or a kernel which this machine does not run by itself.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';

const keys = '/usr/share/keyrings/debian-archive-keyring.gpg';

/**
 * Unpacks into `home/root`, once.
 * @param packages with `needs`, all that they depend on comes along
 * @returns why it could not be had; undefined when it is there
 */
export function unpackDebian(home, { suite, architecture, packages, needs = false }, say) {
  if (fs.existsSync(path.join(home, 'root'))) return undefined;
  if (process.platform !== 'linux' || !fs.existsSync(keys)) return 'this is no Debian';
  const mirror = mirrorOf();
  if (mirror === undefined) return 'apt names no mirror of Debian';
  say();
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
    'Dir::Cache::archives': `${home}/${needs ? 'packages' : 'cache/archives'}`,
    'APT::Architecture': architecture,
    'APT::Install-Recommends': 'false',
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
  const get = needs ? ['install', '-y', '--download-only'] : ['download'];
  const fault = apt(home, ['update', '-qq']) ?? apt(home, [...get, '-qq', ...packages]) ?? unpackAll(home);
  if (fault !== undefined) return fault;
  for (const dir of ['lists', 'cache', 'packages']) fs.rmSync(path.join(home, dir), { recursive: true, force: true });
  fs.renameSync(path.join(home, 'unpacked'), path.join(home, 'root'));
  return undefined;
}

function unpackAll(home) {
  return fs
    .readdirSync(path.join(home, 'packages'))
    .filter((file) => file.endsWith('.deb'))
    .map((file) => faultOf(spawnSync('dpkg-deb', ['-x', path.join(home, 'packages', file), path.join(home, 'unpacked')])))
    .find((each) => each !== undefined);
}

function apt(home, args) {
  const env = { ...process.env, APT_CONFIG: path.join(home, 'apt.conf'), LC_ALL: 'C' };
  return faultOf(spawnSync('apt-get', args, { cwd: path.join(home, 'packages'), env, timeout: 300_000 }));
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
