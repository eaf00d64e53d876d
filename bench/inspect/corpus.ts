// The public code that the background is made from and that the benchmark is run on: packages of the npm registry and of Debian,
// fetched by their ordinary clients, unpacked, never run. Permissive licences only for the background, whose hashes we ship.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** `npm:NAME`, `deb:NAME` (a binary package), `src:NAME` (a source package). */
export type PackageName = `${'npm' | 'deb' | 'src'}:${string}`;

export interface SourceFile {
  readonly package: PackageName;
  readonly path: string;
  readonly bytes: Buffer;
}

/** Occur in no list below this one. MIT, BSD, Apache-2.0, PSF, ISC, BSL or public domain. */
export const backgroundPackages: readonly PackageName[] = [
  'src:zlib',
  'src:googletest',
  'src:nlohmann-json3',
  'src:snappy',
  'src:abseil',
  'src:protobuf',
  'src:lua5.4',
  'npm:sqlite3',
  'npm:better-sqlite3',
  'deb:python3-django',
  'deb:python3-requests',
  'deb:python3-click',
  'deb:python3-sqlalchemy',
  'deb:python3-pytest',
  'deb:python3-werkzeug',
  'deb:python3-aiohttp',
  'deb:python3-celery',
  'src:jinja2',
  'src:golang-1.19',
  'src:golang-github-spf13-cobra',
  'src:golang-google-grpc',
  'src:golang-testify',
  'deb:golang-github-gin-gonic-gin-dev',
  'deb:golang-github-gorilla-mux-dev',
  'deb:golang-github-gorilla-handlers-dev',
  'deb:golang-github-rs-cors-dev',
  'deb:golang-github-prometheus-client-golang-dev',
  'src:guava-libraries',
  'src:commons-io',
  'src:libcommons-collections4-java',
  'src:jackson-databind',
  'src:httpcomponents-client',
  'src:apache-log4j2',
  'src:libslf4j-java',
  'deb:librust-serde-dev',
  'deb:librust-tokio-dev',
  'deb:librust-regex-dev',
  'deb:librust-hyper-dev',
  'deb:librust-rayon-dev',
  'deb:librust-clap-dev',
  'npm:com.neuecc.unirx',
  'src:symfony',
  'src:phpunit',
  'src:composer',
  'src:php-guzzlehttp-psr7',
  'deb:ruby-activesupport',
  'deb:ruby-activerecord',
  'deb:rake',
  'deb:ruby-nokogiri',
  'deb:puma',
  'npm:lodash',
  'npm:vue',
  'npm:axios',
  'npm:eslint',
  'npm:webpack',
  'npm:mocha',
  'npm:jquery',
  'npm:three',
  'npm:svelte',
  'npm:nunjucks',
  'npm:zod',
  'npm:fastify',
  'src:node-typescript',
  'npm:@trpc/server',
  'src:netty',
  'src:libcommons-codec-java',
  'src:libcommons-compress-java',
  'src:libevent',
  'src:curl',
]; // prettier-ignore

/** What compilers write into every output, so that it belongs to everybody as soon as it is in one of these. MIT, 0BSD. */
export const helperPackages: readonly PackageName[] = ['npm:@babel/runtime', 'npm:regenerator-runtime', 'npm:tslib'];

/** Stands for the company's own source. */
export const protectedPackages: readonly PackageName[] = [
  'deb:python3-djangorestframework',
  'deb:golang-github-labstack-echo-dev',
  'src:mockito',
  'src:redis',
  'src:leveldb',
  'npm:rxjs',
  'npm:com.cysharp.unitask',
  'deb:ruby-rack',
  'src:rust-ripgrep',
  'src:php-twig',
]; // prettier-ignore

/** Unrelated code of the same languages: whatever is found in it is a false positive. */
export const negativePackages: readonly PackageName[] = [
  'deb:python3-flask',
  'src:hugo',
  'src:libcommons-lang3-java',
  'src:libuv1',
  'src:fmtlib',
  'npm:hono',
  'npm:koa',
  'npm:express',
  'npm:preact',
  'deb:ruby-sinatra',
  'src:rust-bat',
  'src:php-monolog',
  'npm:com.github.asus4.onnxruntime',
  'npm:com.taptap.sdk.login',
  'npm:com.crowdin.unity-plugin',
  'deb:python3-tornado',
  'deb:python3-httpx',
  'deb:ruby-sequel',
  'deb:ruby-mail',
  'deb:golang-github-go-chi-chi-dev',
  'deb:golang-github-hashicorp-hcl-dev',
  'deb:php-nesbot-carbon',
  'deb:librust-nom-dev',
  'deb:librust-image-dev',
  'src:jsoup',
  'src:jansson',
  'src:libyaml',
  'npm:socket.io',
  'npm:moment',
  'npm:winston',
  'npm:yargs',
  'npm:knex',
]; // prettier-ignore

const CODE = /\.(?:[cm]?[jt]sx?|py|go|java|kt|c|h|cc|cpp|cxx|hpp|hh|inl|rs|cs|php|rb|rake)$/i;
const FOREIGN = /(?:^|\/)(?:node_modules|vendor|third_party|deps|external|debian|\.pc)\/|\.min\.js$|\.(?:umd|prod|global)\.js$/;
const LARGEST = 1 << 20;

/** Where packages are kept between runs. */
export function corpusDirectory(env: NodeJS.ProcessEnv): string {
  return env['INTRAMUR_BENCH_CORPUS'] ?? path.join(os.tmpdir(), 'intramur-bench-corpus');
}

/** The source files of a package, each text once. Fetches what is not there yet. */
export function filesOf(name: PackageName, directory: string): SourceFile[] {
  const home = path.join(directory, name.replace(/[^\w.-]/g, '_'));
  if (!fs.existsSync(home)) {
    const draft = `${home}.${process.pid}`;
    fs.mkdirSync(draft, { recursive: true });
    fetchPackage(name, draft);
    unpackAll(draft);
    fs.renameSync(draft, home);
  }
  const seen = new Set<string>();
  return walk(home)
    .filter((file) => CODE.test(file) && !FOREIGN.test(file))
    .flatMap((file) => {
      const bytes = fs.readFileSync(path.join(home, file));
      const text = bytes.toString('latin1');
      if (bytes.length > LARGEST || bytes.subarray(0, 4096).includes(0) || seen.has(text)) return [];
      seen.add(text);
      return [{ package: name, path: file, bytes }];
    });
}

function fetchPackage(name: PackageName, into: string): void {
  const [kind, what] = [name.slice(0, 3), name.slice(4)];
  const run = (command: string, args: readonly string[]) =>
    execFileSync(command, args, { cwd: into, stdio: ['ignore', 'ignore', 'inherit'] });
  if (kind === 'npm') run('npm', ['pack', '--silent', '--ignore-scripts', what]);
  else if (kind === 'deb') run('apt-get', ['download', '-qq', what]);
  else run('apt-get', [...debianSources(path.dirname(into)), 'source', '--download-only', '-qq', what]);
}

/** Debian's source lists in a directory of their own: the machine's configuration stays as it is. */
function debianSources(directory: string): string[] {
  const at = (part: string) => path.join(directory, '.apt', part);
  const options = [
    '-o',
    'Dir::Etc::sourcelist=/dev/null',
    '-o',
    `Dir::Etc::sourceparts=${at('parts')}`,
    '-o',
    `Dir::State::lists=${at('lists')}`,
    '-o',
    `Dir::Cache=${at('cache')}`,
  ];
  if (!fs.existsSync(at('parts'))) {
    for (const part of ['parts', 'lists/partial', 'cache/archives/partial']) fs.mkdirSync(at(part), { recursive: true });
    const own = fs.readFileSync('/etc/apt/sources.list.d/debian.sources', 'utf8');
    fs.writeFileSync(at('parts/sources.sources'), own.replace(/^Types:.*$/gm, 'Types: deb-src'));
    execFileSync('apt-get', [...options, 'update', '-qq'], { stdio: ['ignore', 'ignore', 'inherit'] });
  }
  return options;
}

function unpackAll(directory: string): void {
  for (const file of fs.readdirSync(directory)) {
    const full = path.join(directory, file);
    if (file.endsWith('.deb')) execFileSync('dpkg-deb', ['-x', full, directory]);
    else if (/\.(?:tgz|tar\.\w+)$/.test(file) && !/\.debian\.tar/.test(file))
      execFileSync('tar', ['-xf', full, '-C', directory, '--no-same-owner', '--no-same-permissions']);
    else continue;
    fs.rmSync(full);
  }
}

function walk(root: string, directory = ''): string[] {
  return fs.readdirSync(path.join(root, directory), { withFileTypes: true }).flatMap((entry) => {
    const name = directory === '' ? entry.name : `${directory}/${entry.name}`;
    return entry.isDirectory() ? walk(root, name) : entry.isFile() ? [name] : [];
  });
}
