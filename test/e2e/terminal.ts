// A person at a real terminal: tmux on a socket of its own with a plain shell in it, in which `intramur` is a command. What is seen is
// what the terminal shows, never what a program wrote.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { main, type Rig } from './rig.ts';

/** The prompt of the shell outside. */
export const prompt = 'outer>';

export interface Terminal {
  /** What is typed, as it is; no Enter. */
  type(text: string): void;
  /** Keys by tmux's names: `Enter`, `C-c`, `Escape`. */
  press(...keys: readonly string[]): void;
  /** Types a line and Enter. */
  enter(line: string): void;
  /** What stands on the screen. */
  screen(): string;
  /** What stands on the screen with its escape sequences for colour. */
  colours(): string;
  /** Waits until the screen shows it; returns the screen. @throws Error with the screen when it never does */
  shows(wanted: RegExp, limitMs?: number): Promise<string>;
  /** Waits until the shell outside is the foreground program again and shows its prompt on the last line. */
  isBack(limitMs?: number): Promise<string>;
  /** A command line of the shell outside, run to its end on a cleared screen. */
  run(line: string): Promise<{ code: number; printed: string }>;
  /** The exit code of the last command of the shell outside. */
  code(): Promise<number>;
  /** Process id of what the shell outside runs; the launcher, when that is `intramur`. */
  child(): number;
  resize(columns: number, rows: number): void;
  close(): void;
}

let count = 0;

export function openTerminal(rig: Rig, env: NodeJS.ProcessEnv = {}): Terminal {
  const bin = path.join(rig.dir, 'bin');
  fs.mkdirSync(bin, { recursive: true });
  fs.writeFileSync(path.join(bin, 'intramur'), `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`, { mode: 0o755 });
  count += 1;
  const socket = `intramur-test-${process.pid}-${count}`;
  const { NO_COLOR: _, ...plain } = rig.env;
  const tmux = (...args: readonly string[]): string => {
    const { status, stdout, stderr } = spawnSync('tmux', ['-L', socket, '-f', '/dev/null', ...args], {
      env: { ...plain, ...env, PATH: `${bin}:${process.env['PATH']}`, TERM: 'xterm-256color', TMUX_TMPDIR: rig.dir, PS1: `${prompt} ` },
      cwd: rig.workspace,
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`tmux ${args[0]}: ${stderr}`);
    return stdout;
  };
  tmux(
    'start-server',
    ';',
    'set',
    '-g',
    'default-terminal',
    'tmux-256color',
    ';',
    'set',
    '-g',
    'status',
    'off',
    ';',
    'set',
    '-g',
    'exit-empty',
    'off',
    ';',
    'set',
    '-g',
    'escape-time',
    '0',
  );
  tmux('new-session', '-d', '-x', '120', '-y', '40', '--', 'bash', '--norc', '--noprofile', '-i');
  const shell = Number(tmux('display-message', '-p', '#{pane_pid}'));

  const screen = (): string => tmux('capture-pane', '-p').trimEnd();
  const until = async (what: string, isMet: (seen: string) => boolean, limitMs: number): Promise<string> => {
    for (const end = Date.now() + limitMs; ; ) {
      const seen = screen();
      if (isMet(seen)) return seen;
      if (Date.now() > end) throw new Error(`the terminal never showed ${what}; it shows:\n${seen}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  let asked = 0;
  /** Enters the line and asks for its exit code; what the answer looks like, unlike every earlier one. */
  const codeAfter = (line?: string): RegExp => {
    asked += 1;
    terminal.enter(`${line === undefined ? '' : `${line}; `}echo "[code ${asked} $?]"`);
    return new RegExp(`^\\[code ${asked} (\\d+)\\]$`, 'm');
  };
  const terminal: Terminal = {
    type: (text) => void tmux('send-keys', '-l', '--', text),
    press: (...keys) => void tmux('send-keys', ...keys),
    enter(line) {
      terminal.type(line);
      terminal.press('Enter');
    },
    screen,
    colours: () => tmux('capture-pane', '-p', '-e').trimEnd(),
    shows: (wanted, limitMs = 60_000) => until(String(wanted), (seen) => wanted.test(seen), limitMs),
    isBack: (limitMs = 60_000) =>
      until(
        'the prompt',
        (seen) =>
          (seen === prompt || seen.endsWith(`\n${prompt}`)) && tmux('display-message', '-p', '#{pane_current_command}').trim() === 'bash',
        limitMs,
      ),
    async run(line) {
      const code = codeAfter(`clear; ${line}`);
      const seen = await terminal.shows(code);
      await terminal.isBack();
      return { code: Number(code.exec(seen)?.[1]), printed: seen.slice(0, seen.search(code)).trimEnd() };
    },
    async code() {
      const code = codeAfter();
      return Number(code.exec(await terminal.shows(code))?.[1]);
    },
    child: () => Number(fs.readFileSync(`/proc/${shell}/task/${shell}/children`, 'utf8').trim().split(' ')[0]),
    resize: (columns, rows) => void tmux('resize-window', '-x', String(columns), '-y', String(rows)),
    close: () => void tmux('kill-server'),
  };
  return terminal;
}
