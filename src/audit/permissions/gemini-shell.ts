// What Gemini CLI makes of a command line besides its rules: commands that it takes to only read run without a question inside the
// workspace, and a few are asked about even when a rule allows the shell. After sandbox/utils/commandSafety of the package 0.61.0.
import path from 'node:path';
import type { Situation } from './dialect.ts';
import { absolute, isInside } from './paths.ts';
import { splitShell, substituted } from './shell.ts';

/** Words and operators; variables are replaced by nothing, quotes taken off. */
export function shellWords(line: string): readonly string[] {
  const words: string[] = [];
  const shape = /(?:"(?:[^"\\]|\\.)*"|'[^']*'|\\.|[^\s"'|&;<>()\\])+|\|\||&&|>>|[|&;<>()]/gs;
  for (const [word] of line.matchAll(shape)) {
    if (/^[|&;<>()]/.test(word)) words.push(word);
    else
      words.push(
        word.replace(/"((?:[^"\\]|\\.)*)"|'([^']*)'|\\(.)|\$\w+|\$\{[^}]*\}/gs, (_, double?: string, single?: string, escaped?: string) =>
          single !== undefined ? single : (escaped ?? (double ?? '').replace(/\$\w+|\$\{[^}]*\}/g, '').replace(/\\(["\\$`])/g, '$1')),
        ),
      );
  }
  return words;
}

/** Single commands in a line, as the grammar of a shell finds them; `undefined` when it is none. */
export function commandsIn(line: string): readonly string[] | undefined {
  const bare = line
    .replace(/\\./gs, '')
    .replace(/'[^']*'/g, '')
    .replace(/"[^"]*"/g, '');
  if (/["']/.test(bare)) return undefined;
  const plain = (part: string): string => {
    let rest = part;
    for (let last = ''; last !== rest; ) {
      last = rest;
      rest = rest
        .replace(/^(?:(?:do|then|else|elif|if|while|until|!|\{)\s+|\(\s*)/, '')
        .replace(/(?<!\s)\s*\)$/, (end) => (rest.includes('(') ? end : ''));
    }
    return /^(?:for\b.*|case\b.*|done|fi|esac|\}|select\b.*)$/s.test(rest)
      ? ''
      : rest.replace(/(?<!\s)\s*(?:\d|&)?>{1,2}\|?\s*(?:&\d|"[^"]*"|'[^']*'|[^\s;|&<>]+)/g, '').trim();
  };
  const found = [...splitShell(line).commands, ...substituted(line)].map(plain).filter((part) => part !== '');
  return found.length === 0 ? undefined : found;
}

const wrapper = /^\s*(?:\S+\/)?(?:sh|bash|zsh)\s+-c\s+/i;

/** What `sh -c '…'` runs; the line itself when it is none. */
export function unwrapped(command: string): string {
  const match = wrapper.exec(command);
  if (match === null) return command.trim();
  const inner = command.slice(match[0].length).trim();
  return /^(["']).*\1$/s.test(inner) ? inner.slice(1, -1).replace(/\\(["\\$`])/g, '$1') : inner;
}

export function containsGit(words: readonly string[]): boolean {
  return words.some((word, index) => {
    if (path.posix.basename(word.trim()).toLowerCase() !== 'git') return false;
    let before = index - 1;
    while (before >= 0 && /^[a-zA-Z_]\w*=/.test(words[before] ?? '')) before--;
    return before < 0 || ['sudo', 'env', 'time', '&&', '||', ';', '|', '&', '('].includes(words[before]?.toLowerCase() ?? '');
  });
}

const findWrites = new Set(['-exec', '-execdir', '-ok', '-okdir', '-delete', '-fls', '-fprint', '-fprint0', '-fprintf']);

function rgRuns(args: readonly string[]): boolean {
  return args.some((arg) => arg === '--search-zip' || arg === '-z' || /^--(pre|hostname-bin)(=|$)/.test(arg));
}

/** Asked about whatever a rule for the whole shell says. */
export function isDangerous(words: readonly string[]): boolean {
  const [program, ...args] = words;
  switch (program) {
    case 'ln':
      return args.some((arg) => arg === '--symbolic' || /^-[^-]*s/.test(arg));
    case 'rm':
      return ['-f', '-rf', '-fr'].includes(args[0] ?? '');
    case 'sudo':
      return isDangerous(args);
    case 'find':
      return words.some((word) => findWrites.has(word));
    case 'rg':
      return rgRuns(args);
    case 'git':
      return overridesConfig(args) || gitReads(args) === false;
    case 'base64':
      return args.some((arg) => /^(-o|--output)/.test(arg));
    default:
      return false;
  }
}

function overridesConfig(args: readonly string[]): boolean {
  return args.some((arg) => /^-c/.test(arg) || /^--config-env(=|$)/.test(arg));
}

/** Whether a git command of the known readers only reads; `undefined` for any other. */
function gitReads(args: readonly string[]): boolean | undefined {
  let index = 0;
  for (; index < args.length; index++) {
    const arg = args[index] ?? '';
    if (['-C', '-c', '--config-env', '--exec-path', '--git-dir', '--namespace', '--super-prefix', '--work-tree'].includes(arg)) index++;
    else if (!arg.startsWith('-')) break;
  }
  const name = args[index];
  if (name === undefined || !['status', 'log', 'diff', 'show', 'branch'].includes(name)) return undefined;
  const rest = args.slice(index + 1);
  if (rest.some((arg) => /^--(output|exec)(=|$)|^--(ext-diff|textconv|paginate)$/.test(arg))) return false;
  if (name !== 'branch' || rest.length === 0) return true;
  return rest.every((arg) => /^(--list|-l|--show-current|-a|--all|-r|--remotes|-v|-vv|--verbose|--format=.*)$/.test(arg));
}

const reading = new Set('cat head tail tac nl stat wc cut paste rev uniq numfmt ls grep'.split(' '));
const harmless = new Set('echo expr false id pwd seq tr true uname which whoami'.split(' '));

/** Runs without a question although no rule allows it. */
export function isKnownSafe(words: readonly string[], situation: Situation): boolean {
  const [program = '', ...args] = words;
  if (harmless.has(program)) return true;
  if (/^(bash|zsh)$/.test(program) && words.length === 3 && /^-l?c$/.test(args[0] ?? '')) {
    const script = args[1] ?? '';
    const commands = splitShell(script).commands;
    return !/[()<>]/.test(script) && commands.length > 0 && commands.every((one) => isKnownSafe(shellWords(one), situation));
  }
  const stays = (arg: string): boolean => !escapes(arg, situation);
  if (program === 'cd') {
    const places = args.filter((arg) => !arg.startsWith('-'));
    return places.length > 0 && places.every(stays);
  }
  if (program === 'find') return !args.some((arg) => findWrites.has(arg)) && args.every((arg) => arg.startsWith('-') || stays(arg));
  if (program === 'base64') return !isDangerous(words) && args.every((arg) => arg.startsWith('-') || stays(arg));
  if (program === 'git') return !overridesConfig(args) && gitReads(args) === true;
  if (program === 'sed')
    return words.length <= 4 && args[0] === '-n' && /^\d+(,\d+)?p$/.test(args[1] ?? '') && (args[2] === undefined || stays(args[2]));
  if (!reading.has(program)) return false;
  let isPlain = false;
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] ?? '';
    if (!isPlain && arg === '--') isPlain = true;
    else if (!isPlain && program === 'grep' && /^(-f|--file)/.test(arg)) {
      const file = arg.startsWith('--file=') ? arg.slice(7) : arg === '--file' || arg === '-f' ? args[++index] : arg.slice(2);
      if (file !== undefined && !stays(file)) return false;
    } else if (!isPlain && arg.startsWith('-')) {
      if (arg.includes('=') && !stays(arg.slice(arg.indexOf('=') + 1))) return false;
    } else if (!stays(arg)) return false;
  }
  return true;
}

function escapes(arg: string, situation: Situation): boolean {
  if (arg === '') return false;
  if (/[$`]/.test(arg) || /^~[^/]/.test(arg)) return true;
  const { workspace, tree } = situation;
  const target = absolute(arg, situation);
  if (!isInside(target, workspace)) return true;
  const real = tree.resolve(target);
  return real !== undefined && !isInside(real, tree.resolve(workspace) ?? workspace);
}
