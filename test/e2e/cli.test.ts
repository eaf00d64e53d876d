// The command line's promises that need no sandbox: versions, usage, broken configuration, exit codes.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRig, finished, main, type Rig, root } from './rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await createRig();
});
afterAll(() => rig.close());

/** A file system of its own, which only root can have. */
const canMount = process.getuid?.() === 0 && spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0;

describe('intramur', () => {
  it('--version prints the version of package.json and nothing else', async () => {
    const { version } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8')) as { version: string };
    expect(await rig.intramur(['--version'])).toEqual({ code: 0, signal: null, stdout: `${version}\n`, stderr: '' });
  });

  it('--help names what is built and nothing that is not', async () => {
    const { code, stdout } = await rig.intramur(['--help']);
    expect(code).toBe(0);
    for (const word of ['up', 'status', 'down', 'run', 'audit', 'inspect', 'ledger', 'keys', 'doctor'])
      expect(stdout).toMatch(new RegExp(`^ {2}${word}\\b`, 'm'));
    expect(stdout).not.toMatch(/not built yet/);
  });

  it('--help after a command lists the options of the contract, and starts nothing', async () => {
    const { code, stdout } = await rig.intramur(['run', '--help']);
    expect(code).toBe(0);
    for (const option of [
      'purpose',
      'workspace',
      'mode',
      'allow',
      'env',
      'profile',
      'limit-memory',
      'limit-pids',
      'audit-exec',
      'summary-json',
    ])
      expect(stdout).toMatch(new RegExp(`^ {2}--${option}\\b`, 'm'));
    // What stands behind the dashes is the program's own.
    expect((await rig.intramur(['run', '--', 'no-such-agent-here', '--help'])).stderr).toMatch(/no-such-agent-here/);
  });

  it.each([[['help', 'run']], [['--help', 'run']], [['run', '-h']]])('%j is what run --help is', async (args) => {
    expect(await rig.intramur(args)).toEqual(await rig.intramur(['run', '--help']));
  });

  it('in a directory that is gone: exit 2', async () => {
    const gone = fs.mkdtempSync(path.join(rig.dir, 'gone-'));
    const script = `cd ${JSON.stringify(gone)} && rmdir ${JSON.stringify(gone)} && exec "$0" "$1" status`;
    const { status, stderr } = spawnSync('/bin/sh', ['-c', script, process.execPath, path.join(root, 'dist', 'main.js')], {
      encoding: 'utf8',
    });
    expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringMatching(/the current directory is gone/) });
  });

  it.each<[string, readonly string[], RegExp]>([
    ['no command', [], /Usage/],
    ['an unknown command', ['rnu'], /unknown command "rnu"/],
    ['a command of a later version', ['resume'], /not built yet/],
    ['an object property as a command', ['constructor'], /unknown command/],
    ['run without a program', ['run'], /no program/],
    ['run with an unknown option', ['run', '--keep-env', '--', 'true'], /keep-env/],
    ['run with a wrong purpose', ['run', '--purpose', 'fun', '--', 'true'], /research, production/],
    ['run with a missing program', ['run', '--', 'no-such-agent-here'], /no-such-agent-here/],
    ['run with a file that is no program', ['run', '--', '/etc/passwd'], /"\/etc\/passwd" is not executable/],
    ['run with a directory', ['run', '--', '/etc'], /"\/etc" is a directory/],
    ['a value with --env', ['run', '--env', 'TOKEN=hidden', '--', 'true'], /--env takes the name .*: --env TOKEN$/m],
    ['an empty name with --env', ['run', '--env', '', '--', 'true'], /--env "": this variable is not set/],
    ['run in a missing workspace', ['run', '--workspace', '/no/such/place', '--', 'true'], /\/no\/such\/place/],
    ['up with a wrong port', ['up', '--port', '99999'], /port/],
    ['status with an unknown option', ['status', '--jsonn'], /"--jsonn"; did you mean --json\?/],
    ['inspect of what is not there', ['inspect', 'no-such-file'], /cannot read "no-such-file": there is no such file/],
    ['an option without its value', ['run', '--purpose'], /--purpose needs a value/],
    ['a command that was nearly one', ['statsu'], /did you mean status\?/],
    [
      'a report into a directory that is not there',
      ['audit', '--out', '/no/such/report'],
      /cannot open \/no\/such\/report: there is no such/,
    ],
    ['an import of a directory', ['index', 'import', root], /is a directory/],
    ['an export to a directory', ['index', 'export', root], /is a directory/],
    ['an audit of a name too long', ['audit', 'x'.repeat(5000)], /cannot look at .{100}… \(\d+ characters\): the name is too long/],
    ['an index of a name too long', ['index', 'add', 'x'.repeat(5000), '--classification', 'internal'], /the name is too long/],
    ['run in a workspace with a name too long', ['run', '--workspace', 'x'.repeat(100_000), '--', 'true'], /the name is too long/],
    [
      'a summary into a directory that is not there',
      ['run', '--summary-json', '/no/such/s.json', '--', 'true'],
      /no\/such\/s.json": there is/,
    ],
    ['a summary that is a directory', ['run', '--summary-json', root, '--', 'true'], /it is a directory/],
  ])('%s: exit 2, and says so', async (_name, args, says) => {
    const { code, stdout, stderr } = await rig.intramur(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(says);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(stderr).not.toMatch(/hidden/);
  });

  it.each<[readonly string[]]>([[['--version']], [['--help']], [['run', '--help']], [['policy', 'check']], [['status', '--json']]])(
    '%j with a full disk behind standard output: not 0, and says so',
    (args) => {
      const script = 'exec "$@" >/dev/full';
      const { status, stderr } = spawnSync('/bin/sh', ['-c', script, 'sh', process.execPath, main, ...args], {
        encoding: 'utf8',
        env: rig.env,
        cwd: rig.workspace,
      });
      expect({ status, stderr }).toEqual({ status: 3, stderr: 'intramur: standard output cannot be written: there is no space left\n' });
    },
  );

  it.each<[readonly string[], string, number]>([
    [['--help'], '', 0],
    [['audit', '--json'], '', 0],
    [['status', '--json'], '', 0],
    [['inspect', '--json'], 'nothing\n', 0],
    [['inspect', '--json'], `AWS_SECRET=AKIA${'Q7ZT5MWB3KXN2RDV'}\n-----BEGIN RSA PRIVATE KEY-----\n`, 1],
    [['audit', '--json', '--fail-on', 'info', 'with-findings'], '', 1],
  ])('%j with a reader that went away: no word, and the answer stays in the exit code', async (args, input, code) => {
    fs.mkdirSync(path.join(rig.workspace, 'with-findings'), { recursive: true });
    fs.writeFileSync(path.join(rig.workspace, 'with-findings', '.mcp.json'), '{"mcpServers":{"a":{"command":"npx","args":["-y","a"]}}}');
    const child = rig.start(args);
    child.stdout?.destroy();
    const { stderr, code: ended } = await finished(child, { input });
    expect({ args, ended, stderr }).toEqual({ args, ended: code, stderr: '' });
  });

  it('an export whose reader went away ends without a word', async () => {
    await rig.intramur(['agents', 'ban', 'some-tool']);
    const child = rig.start(['ledger', 'export']);
    child.stdout?.destroy();
    expect(await finished(child)).toMatchObject({ code: 0, stderr: '' });
    await rig.intramur(['agents', 'vet', 'some-tool']);
  });

  it('in a directory whose name is not UTF-8: exit 2', () => {
    const script = 'mkdir -p "$1" && cd "$1" && shift && exec "$@"';
    const place = Buffer.concat([Buffer.from(`${rig.dir}/b`), Buffer.from([0xff])]);
    for (const args of [['diff'], ['apply'], ['run', '--', 'true'], ['index', 'add', '.', '--classification', 'internal']]) {
      // Node's own arguments are text, so the name comes from printf.
      const named = `set -- "$(printf '%b' ${JSON.stringify(place.toString('latin1').replace('\xff', '\\377'))})" "$@"; ${script}`;
      const { status, stderr } = spawnSync('/bin/sh', ['-c', named, 'sh', process.execPath, main, ...args], {
        encoding: 'utf8',
        env: rig.env,
      });
      expect({ args, status, stderr }).toEqual({ args, status: 2, stderr: expect.stringContaining('not valid UTF-8') });
    }
  });

  it('with a full disk behind standard error the exit code still says it', () => {
    for (const args of [['status', '--no-such-option'], ['no-such-command']]) {
      const { status } = spawnSync('/bin/sh', ['-c', 'exec "$@" 2>/dev/full', 'sh', process.execPath, main, ...args], { env: rig.env });
      expect([args, status]).toEqual([args, 2]);
    }
  });

  it.each([['INTRAMUR_HOME'], ['XDG_STATE_HOME'], ['XDG_CACHE_HOME'], ['HOME']])('with %s in /proc: exit 2, and no waiting', (name) => {
    const env = { PATH: process.env['PATH'], HOME: rig.home, [name]: '/proc/nowhere' };
    for (const args of [['status'], ['run', '--', 'true']]) {
      const { status, stderr } = spawnSync(process.execPath, [main, ...args], {
        encoding: 'utf8',
        env,
        cwd: rig.workspace,
        timeout: 20_000,
      });
      expect({ args, status, stderr }).toEqual({ args, status: 2, stderr: expect.stringContaining('"/proc/nowhere"') });
    }
  });

  it('with a place whose path is too long for a socket: exit 2, and says what to do', async () => {
    const env = { INTRAMUR_HOME: path.join(rig.dir, 'long'.repeat(40)) };
    for (const args of [['up'], ['up', '--background'], ['run', '--', 'true']]) {
      const { code, stderr } = await rig.intramur(args, { env });
      expect({ args, code, stderr }).toEqual({
        args,
        code: 2,
        stderr: expect.stringMatching(/socket has \d+ bytes.*\n +INTRAMUR_HOME=DIR/),
      });
    }
    expect((await rig.intramur(['approvals'], { env })).stderr).toMatch(/it is not running/);
  });

  it('without a daemon says that it is not running, and in JSON has the same fields', async () => {
    const env = { INTRAMUR_HOME: path.join(rig.dir, 'unused') };
    expect(await rig.intramur(['approvals'], { env })).toMatchObject({
      code: 3,
      stdout: '',
      stderr: expect.stringMatching(/it is not running\n +intramur up\n$/),
    });
    const { stdout } = await rig.intramur(['status', '--json'], { env });
    expect(JSON.parse(stdout)).toMatchObject({
      running: false,
      pid: null,
      gateway: null,
      console: null,
      ledger: null,
      policy: null,
      sessions: [],
    });
  });

  it('with an empty HOME writes nothing into the directory that it is started in', () => {
    const cwd = fs.mkdtempSync(path.join(rig.dir, 'empty-'));
    // Compiled code would be kept in the real home of whoever runs this.
    const env = { PATH: process.env['PATH'], HOME: '', NODE_DISABLE_COMPILE_CACHE: '1' };
    const { stderr } = spawnSync(process.execPath, [main, 'ledger', 'verify'], { encoding: 'utf8', env, cwd });
    expect(stderr).toContain(path.join(os.userInfo().homedir, '.local/state/intramur/ledger'));
    expect(stderr).not.toContain(cwd);
    expect(fs.readdirSync(cwd)).toEqual([]);
  });

  it.skipIf(!canMount || !fs.existsSync('/usr/bin/bwrap'))(
    `doctor knows what mends a bubblewrap that does not start${canMount ? '' : ', skipped: only root can make one'}`,
    () => {
      const script = 'mount --bind "$(readlink -f /bin/false)" /usr/bin/bwrap && exec "$@"';
      const command = ['-m', '/bin/sh', '-c', script, 'sh', process.execPath, main, 'doctor'];
      const { status, stdout } = spawnSync('unshare', command, { encoding: 'utf8', env: rig.env, cwd: rig.workspace });
      const fix = / {5}fix: sudo apt-get install bubblewrap/;
      expect([status, stdout.split('\n').slice(0, 4)]).toEqual([
        3,
        [
          'no   bubblewrap: /usr/bin/bwrap does not start',
          expect.stringMatching(fix),
          expect.stringMatching(/^no {3}namespaces/),
          expect.stringMatching(fix),
        ],
      ]);
      expect(stdout).not.toMatch(/fix: intramur doctor$/m);
    },
  );

  it.skipIf(!canMount)(
    `on a home that is read-only: 3 and what cannot be written${canMount ? '' : ', skipped: only root can make one'}`,
    () => {
      const on = (...args: string[]) => {
        const env = { PATH: process.env['PATH'], HOME: rig.home };
        const script = 'mount -t tmpfs -o ro none "$HOME" && exec "$@"';
        const command = ['-m', '/bin/sh', '-c', script, 'sh', process.execPath, path.join(root, 'dist', 'main.js'), ...args];
        const { status, stdout, stderr } = spawnSync('unshare', command, { encoding: 'utf8', env, cwd: rig.workspace });
        return { status, stdout, stderr };
      };
      for (const args of [
        ['up', '--background'],
        ['run', '--', 'true'],
        ['keys', 'add', 'k'],
        ['agents', 'ban', 'codex'],
        ['index', 'build'],
      ]) {
        const stderr = expect.stringMatching(/^intramur: cannot make \/.*\.local\/state\/intramur.*: the file system is read-only\n$/);
        expect([args, on(...args)]).toEqual([args, { status: 3, stdout: '', stderr }]);
      }
      const status = on('status', '--json');
      expect([status.status, JSON.parse(status.stdout)]).toMatchObject([0, { running: false, sandbox: { mode: 'none' } }]);
      const doctor = on('doctor');
      expect(doctor).toMatchObject({
        status: 3,
        stdout: expect.stringMatching(/^no {3}a place on disk: nothing can be written to \/.*INTRAMUR_HOME/ms),
      });
      expect(doctor.stdout).toMatch(/^ok {3}namespaces/m);
    },
  );

  it.each<[string, string, RegExp]>([
    [
      'an unknown key',
      'providers:\n  - { id: a, dialect: openai-chat, url: "http://127.0.0.1:1/v1", perimter: onprem }\n',
      /intramur\.yaml:2:\d+: .*perimter.*perimeter/s,
    ],
    ['a wrong word', 'purposes: { default: prodution }\n', /intramur\.yaml:1:\d+: .*prodution.*production/s],
    ['no YAML at all', 'providers: [\n', /intramur\.yaml:\d+:\d+/],
    ['a model without a provider', 'models: { "*": [nobody/x] }\n', /nobody/],
  ])('a configuration with %s: exit 2 with file and line, nothing started', async (_name, yaml, says) => {
    const own = await createRig();
    try {
      own.configure(yaml);
      for (const args of [['up'], ['run', '--', 'true']]) {
        const { code, stderr } = await own.intramur(args);
        expect({ args, code }).toEqual({ args, code: 2 });
        expect(stderr).toMatch(says);
      }
      expect(fs.existsSync(path.join(own.state, 'state', 'daemon.sock'))).toBe(false);
    } finally {
      await own.close();
    }
  });
});
