// A person at a terminal: Ctrl-C, Ctrl-Z, the window's size, colours, a pager and a shell's job control work inside as they do outside,
// the terminal is as it was afterwards, and nothing inside can type into the shell outside.
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createRig, type Rig } from './rig.ts';
import { openTerminal, type Terminal } from './terminal.ts';

let rig: Rig;
let terminal: Terminal;

beforeAll(async () => {
  rig = await createRig();
  await rig.intramur(['up', '--background']);
});
afterAll(() => rig.close());
beforeEach(async () => {
  terminal = openTerminal(rig, { COLORTERM: 'truecolor' });
  await terminal.isBack();
});
afterEach(() => terminal.close());

/** Puts a script into the workspace; the command line that runs it inside. */
function inside(name: string, lines: readonly string[], shell = 'bash'): string {
  fs.writeFileSync(path.join(rig.workspace, name), `${lines.join('\n')}\n`);
  return `intramur run --mode direct -- ${shell} ${name}`;
}

describe('keys', { timeout: 120_000 }, () => {
  it('Ctrl-C reaches the program and not what carries it: one that traps it goes on, prints and ends with its own code', async () => {
    terminal.enter(
      inside('traps', ['trap "echo caught it" INT', 'echo ready', 'until [ -e go ]; do sleep 0.1; done', 'echo went on', 'exit 9']),
    );
    await terminal.shows(/^ready$/m);
    terminal.press('C-c');
    await terminal.shows(/caught it/);
    terminal.press('C-c');
    fs.writeFileSync(path.join(rig.workspace, 'go'), '');
    await terminal.shows(/^went on$/m);
    await terminal.isBack();
    expect(await terminal.code()).toBe(9);
  });

  it('Ctrl-\\ reaches the program and not what carries it', async () => {
    terminal.enter(inside('quits', ['trap "echo caught it; exit 4" QUIT', 'echo ready', 'while :; do sleep 0.1; done']));
    await terminal.shows(/^ready$/m);
    terminal.press('C-\\');
    await terminal.shows(/caught it/);
    await terminal.isBack();
    expect(await terminal.code()).toBe(4);
  });

  it('Ctrl-C ends a program that does not trap it, with 130', async () => {
    terminal.enter(inside('sleeps', ['echo ready', 'exec sleep 1000']));
    await terminal.shows(/^ready$/m);
    terminal.press('C-c');
    await terminal.isBack();
    expect(await terminal.code()).toBe(130);
  });

  it('Ctrl-C at the question of apply ends it with 130, Ctrl-D is no, and nothing sensitive came in', async () => {
    expect((await rig.intramur(['run', '--', 'bash', '-c', 'echo plain > asked-plain; echo x > .envrc'])).code).toBe(0);
    for (const [key, code] of [
      ['C-c', 130],
      ['C-d', 1],
    ] as const) {
      // The question before this one is gone from the screen.
      await terminal.run('true');
      terminal.enter('intramur apply');
      await terminal.shows(/Apply it too\? \[y\/N\]/);
      expect(fs.existsSync(path.join(rig.workspace, 'asked-plain'))).toBe(false);
      terminal.press(key);
      expect(await terminal.isBack()).not.toMatch(/bug|AbortError|Warning/);
      expect(await terminal.code()).toBe(code);
    }
    expect(['asked-plain', '.envrc'].map((name) => fs.existsSync(path.join(rig.workspace, name)))).toEqual([true, false]);
  });

  it('Ctrl-Z gives the shell back, and fg the program', async () => {
    terminal.enter(inside('reads', ['echo ready', 'while read -r line; do echo "got $line"; done', 'exit 3']));
    await terminal.shows(/^ready$/m);
    terminal.press('C-z');
    await terminal.shows(/\[1\]\+ +Stopped +intramur run/);
    await terminal.isBack();
    terminal.enter('fg');
    await terminal.shows(/^intramur run --mode direct -- bash reads$/m);
    terminal.enter('after the pause');
    await terminal.shows(/^got after the pause$/m);
    terminal.press('C-d');
    await terminal.isBack();
    expect(await terminal.code()).toBe(3);
  });

  it('a shell inside has job control, and Ctrl-C at its prompt leaves it be', async () => {
    terminal.enter('intramur run --mode direct -- bash --norc');
    await terminal.shows(/^bash\S+[$#]$/m);
    terminal.enter("PS1='inside> '");
    await terminal.shows(/^inside>$/m);
    terminal.enter('sleep 1000 &');
    await terminal.shows(/^\[1\] \d+$/m);
    terminal.enter('jobs');
    await terminal.shows(/^\[1\]\+ +Running +sleep 1000 &$/m);
    terminal.enter('fg');
    await terminal.shows(/^sleep 1000$/m);
    terminal.press('C-z');
    await terminal.shows(/^\[1\]\+ +Stopped +sleep 1000$/m);
    terminal.enter('bg');
    await terminal.shows(/^\[1\]\+ sleep 1000 &$/m);
    terminal.enter('fg # again');
    await terminal.shows(/inside> fg # again\nsleep 1000$/m);
    terminal.press('C-c');
    await terminal.shows(/\^C\ninside>$/);
    terminal.press('C-c');
    await terminal.shows(/inside> \^C\ninside>$/);
    terminal.enter('exit 5');
    await terminal.isBack();
    expect(await terminal.code()).toBe(5);
  });
});

describe('what is seen', { timeout: 120_000 }, () => {
  it('the size inside is the size outside, and follows it', async () => {
    terminal.enter(inside('sizes', ['trap "stty size" WINCH', 'stty size', 'while :; do sleep 0.1; done']));
    await terminal.shows(/^40 120$/m);
    terminal.resize(97, 31);
    try {
      await terminal.shows(/^31 97$/m);
    } finally {
      terminal.resize(120, 40);
    }
    await terminal.shows(/^40 120[^]*^40 120$/m);
    terminal.press('C-c');
    await terminal.isBack();
  });

  it('colours, characters and the kind of terminal pass as they are', async () => {
    terminal.enter(
      inside('colours', [
        "printf '\\033[31mr\\303\\266t\\033[0m %s\\n' '日本 ✓'",
        'echo "is $TERM $COLORTERM"; tty >/dev/null && echo terminal',
      ]),
    );
    const seen = await terminal.shows(/^terminal$/m);
    expect(seen).toMatch(/^röt 日本 ✓$/m);
    expect(seen).toMatch(/^is tmux-256color truecolor$/m);
    expect(terminal.colours()).toContain('\u001b[31mröt');
    await terminal.isBack();
  });

  it('a terminal shows what the program prints and, with standard error away, nothing else', async () => {
    expect(await terminal.run('intramur run -- echo only this 2>/dev/null')).toEqual({ code: 0, printed: 'only this' });
  });

  it('a pager takes the screen, pages, and gives it back', async () => {
    terminal.enter(inside('pages', ['seq 500 | less']));
    await terminal.shows(/^1\n2\n[^]*^39\n:$/m);
    terminal.type('G');
    await terminal.shows(/^499\n500\n\(END\)$/m);
    terminal.type('q');
    await terminal.isBack();
  });
});

describe('afterwards', { timeout: 120_000 }, () => {
  /** Runs `act` while the program inside has the terminal in raw mode; the terminal's modes before and after, as one shell command line sees them. */
  async function modesAround(act: () => void): Promise<{ before: string; after: string }> {
    const [before, after] = ['before', 'after'].map((name) => path.join(rig.dir, name)) as [string, string];
    const command = inside('raw', ['stty raw -echo -isig', 'echo "$$" > raw.pid', 'echo ready', 'exec sleep 1000']);
    terminal.enter(`clear; stty -a >'${before}'; ${command}; stty -a >'${after}'`);
    await terminal.shows(/^ready$/m);
    act();
    await terminal.isBack();
    return { before: fs.readFileSync(before, 'utf8'), after: fs.readFileSync(after, 'utf8') };
  }

  it('the launcher restores the modes of a terminal that a program killed with -9 left raw', async () => {
    const { before, after } = await modesAround(() => process.kill(sleeperOf(terminal.child()), 'SIGKILL'));
    expect(after).toBe(before);
  });

  it('killed with -9 itself, it leaves the modes to the shell, which restores them; what was inside is gone', async () => {
    let sleeper = 0;
    const { before, after } = await modesAround(() => {
      sleeper = sleeperOf(terminal.child());
      process.kill(terminal.child(), 'SIGKILL');
    });
    expect(after).toBe(before);
    await expect.poll(() => fs.existsSync(`/proc/${sleeper}`), { timeout: 20_000 }).toBe(false);
  });

  it('a shell inside that is killed with -9 while it holds the terminal gives both back', async () => {
    const [before, after] = ['before', 'after'].map((name) => path.join(rig.dir, name)) as [string, string];
    terminal.enter(`clear; stty -a >'${before}'; intramur run --mode direct -- bash --norc; stty -a >'${after}'`);
    await terminal.shows(/^bash\S+[$#]$/m);
    terminal.enter('stty raw -echo; kill -9 $$');
    await terminal.isBack();
    expect(fs.readFileSync(after, 'utf8')).toBe(fs.readFileSync(before, 'utf8'));
    expect(await terminal.run('echo typing works')).toMatchObject({ printed: 'typing works' });
  });

  it('in the background it ends without touching the terminal, and is not stopped for it', async () => {
    const { printed } = await terminal.run('intramur run --mode direct -- true 2>/dev/null & wait $!; echo "ended with $?"');
    expect(printed).toMatch(/^ended with 0$/m);
    expect(printed).not.toMatch(/Stopped/);
  });

  it('TIOCSTI: what is inside cannot type into the shell outside', async () => {
    const program = [
      'import fcntl, os, termios',
      'for name in ["/dev/tty", "/dev/stdin", "/dev/console"]:',
      '    for request in [termios.TIOCSTI, termios.TIOCSTI | 1 << 32]:',
      '        try:',
      '            fd = os.open(name, os.O_RDWR)',
      '            for byte in b"echo typed-from-inside\\n": fcntl.ioctl(fd, request, bytes([byte]))',
      '            print("typed")',
      '        except (OSError, OverflowError) as error: print("refused", type(error).__name__, getattr(error, "errno", ""))',
    ];
    const { printed } = await terminal.run(`${inside('types.py', program, 'python3')} 2>/dev/null`);
    expect(printed.split('\n').filter((line) => line === 'refused PermissionError 1').length).toBeGreaterThanOrEqual(3);
    expect(printed).not.toMatch(/typed/);
    expect(terminal.screen()).not.toMatch(/typed-from-inside/);
  });
});

/** The `sleep` below the launcher, by its process id out here. */
function sleeperOf(launcher: number): number {
  /** Nothing of a process that ends meanwhile, such as the one that takes the first looks at a workspace. */
  const of = (pid: number, name: string): string => {
    try {
      return fs.readFileSync(`/proc/${pid}/${name}`, 'utf8').trim();
    } catch {
      return '';
    }
  };
  const children = (pid: number): number[] => of(pid, `task/${pid}/children`).split(' ').filter(Boolean).map(Number);
  for (const queue = [launcher]; queue.length > 0; ) {
    const pid = queue.shift() ?? 0;
    if (of(pid, 'comm') === 'sleep') return pid;
    queue.push(...children(pid));
  }
  throw new Error('nothing sleeps inside');
}
