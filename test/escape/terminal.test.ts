// A contained program at a real terminal (a pty of script(1)): it is a terminal inside too, with its size; keys make signals; the
// shell outside can stop and continue it.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { doctor } from '../../src/sandbox/index.ts';

const { mode: enforcement } = await doctor();
const hasScript = spawnSync('script', ['--version']).status === 0;
const why = enforcement === 'none' ? ', skipped: no sandbox here' : hasScript ? '' : ', skipped: script(1) is not installed';

const scratch = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'intramur-terminal-')));
const running: ChildProcess[] = [];
afterAll(() => {
  for (const child of running) child.kill('SIGKILL');
  fs.rmSync(scratch, { recursive: true, force: true });
});

interface Terminal {
  type(text: string): void;
  /** Resolves when the screen has shown this. */
  shows(text: string): Promise<void>;
  readonly screen: () => string;
  readonly code: Promise<number | null>;
}

let count = 0;

/** Starts `inside` in the sandbox, from a shell with job control at a terminal of 33 lines and 99 columns. */
function terminal(inside: string): Terminal {
  const workspace = path.join(scratch, String(count++));
  fs.mkdirSync(workspace);
  const plan = {
    argv: ['/bin/bash', '-c', inside],
    workspace,
    cwd: workspace,
    mode: 'direct',
    env: { PATH: '/usr/bin:/bin', HOME: '/home/agent', TERM: 'xterm' },
    home: '/home/agent',
    homeFiles: [],
    readOnly: [],
    caPem: '',
    ports: [],
    proxyPort: 3128,
    gatewayPort: 4180,
    limits: { pids: 128, fileBytes: 1 << 20, tmpfsBytes: 1 << 20 },
    cacheDir: path.join(scratch, 'cache'),
    hostName: 'box',
    userName: 'agent',
  };
  const launcher = path.join(workspace, '..', `launcher-${count}.ts`);
  fs.writeFileSync(
    launcher,
    `import { launch } from ${JSON.stringify(path.resolve(import.meta.dirname, '../../src/sandbox/index.ts'))};
     process.on('SIGINT', () => {}); // as the command line does: the key is for the program
     const launched = await launch(${JSON.stringify(plan)}, { listening({ tcp, dns, dnsElsewhere }) {} });
     process.exit((await launched.exited).code ?? 70);`,
  );
  const shell = `stty rows 33 cols 99; set -m; ${process.execPath} ${launcher}; code=$?; if [ $code = 148 ]; then echo STOPPED; sleep 0.2; fg > /dev/null; code=$?; fi; exit $code`;
  const child = spawn('script', ['-qefc', `/bin/bash -c '${shell}'`, '/dev/null'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: { ...process.env, SHELL: '/bin/bash' },
  });
  running.push(child);
  let text = '';
  const waiting = new Set<() => void>();
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
    for (const look of waiting) look();
  });
  return {
    type: (keys) => void child.stdin.write(keys),
    screen: () => text,
    shows: (wanted) =>
      new Promise((resolve, reject) => {
        const late = setTimeout(() => reject(new Error(`the terminal never showed ${wanted}; it shows ${JSON.stringify(text)}`)), 15_000);
        const look = (): void => {
          if (!text.includes(wanted)) return;
          clearTimeout(late);
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
    code: new Promise((resolve) => child.once('exit', resolve)),
  };
}

describe.skipIf(why !== '')(`at a terminal${why}`, () => {
  it('is a terminal with its size, in both directions', async () => {
    const { shows, type, code } = terminal(
      'test -t 0 && test -t 1 && test -t 2 && echo TTY; stty size; read -r line; echo "GOT $line"; exit 4',
    );
    await shows('TTY');
    await shows('33 99');
    type('hello\n');
    await shows('GOT hello');
    expect(await code).toBe(4);
  });

  it('Ctrl-C reaches the program, which may go on', async () => {
    const { shows, type, code } = terminal('trap "echo INTERRUPTED; exit 5" INT; echo READY; while :; do sleep 0.05; done');
    await shows('READY');
    type('\u0003');
    await shows('INTERRUPTED');
    expect(await code).toBe(5);
  });

  it('Ctrl-C ends a program that does not catch it, with 128 + 2', async () => {
    const { shows, type, code } = terminal('echo READY; exec sleep 30');
    await shows('READY');
    type('\u0003');
    expect(await code).toBe(130);
  });

  it('Ctrl-Z stops it and the shell continues it', async () => {
    const { shows, type, code } = terminal('echo READY; read -r line; echo "AFTER $line"; exit 6');
    await shows('READY');
    type('\u001a');
    await shows('STOPPED');
    type('continued\n');
    await shows('AFTER continued');
    expect(await code).toBe(6);
  });

  it('cannot type into the terminal of its caller', async () => {
    // TIOCSTI and TIOCLINUX. The escape suite makes the same calls with high bits set.
    const push = `my $c = "x"; ioctl(STDIN, 0x5412, $c) or print "REFUSED $!\\n"; ioctl(STDIN, 0x541c, $c) or print "AGAIN $!\\n"`;
    const { shows, code } = terminal(`perl -e '${push}'; echo DONE`);
    await shows('DONE');
    await shows('REFUSED Operation not permitted');
    await shows('AGAIN Operation not permitted');
    expect(await code).toBe(0);
  });
});
