// Which command lines Qwen Code takes to only read: those run without a question, wherever what they read lies. After
// core/utils/shellAstParser of the package 0.24.4.
import { splitShell, substituted } from './shell.ts';

/** `unknown`: it cannot tell, and asks. */
export type Safety = 'read-only' | 'write' | 'unknown';

const readers = new Set(
  'awk basename cat cd column cut df dirname du echo find git grep head ls printenv printf ps pwd rg ripgrep sed sort stat tail tree uniq wc which where whoami'.split(
    ' ',
  ),
);
const writers = /^(chgrp|chmod|chown|cp|install|ln|mkdir|mkfifo|mknod|mv|rename|rm|rmdir|shred|touch|truncate|unlink)$/;
const killers = /^(kill|killall|pkill)$/;
/** An expansion in the arguments of these may be an option that writes or runs. */
const sensitiveToExpansion = /^(awk|find|git|printf|rg|ripgrep|sed|sort|tree|uniq)$/;

export function safetyOf(line: string): Safety {
  const bare = line.replace(/\\./gs, '').replace(/'[^']*'|"[^"]*"/g, '');
  if (/["']/.test(bare) || line.trim() === '') return 'unknown';
  const inner = [...substituted(line)].map(commandSafety);
  const { commands, hasSubstitution } = splitShell(line);
  return worst([...commands.map(commandSafety), ...inner, ...(hasSubstitution ? (['unknown'] as const) : [])]);
}

function worst(all: readonly Safety[]): Safety {
  if (all.includes('write')) return 'write';
  return all.includes('unknown') ? 'unknown' : 'read-only';
}

function commandSafety(command: string): Safety {
  const redirected = /(?:^|[^<>&\d-])(?:\d|&)?>{1,2}\|?\s*(?!&)\S/.test(command.replace(/'[^']*'|"(?:[^"\\]|\\.)*"/g, '_'))
    ? 'write'
    : 'read-only';
  const words = (command.replace(/(?<!\s)\s*\d?>&\d/g, '').match(/(?:"(?:[^"\\]|\\.)*"|'[^']*'|\\.|[^\s"'\\])+/gs) ?? []).map((word) =>
    word.replace(/^(["'])(.*)\1$/s, '$2'),
  );
  const [name = '', ...args] = words;
  if (/^[A-Za-z_]\w*=/.test(name))
    return worst([
      redirected,
      words.length === 1 ? 'read-only' : 'unknown',
      ...(args.length === 0 ? [] : [programSafety(args[0] ?? '', args.slice(1))]),
    ]);
  return worst([redirected, programSafety(name, args)]);
}

function programSafety(name: string, args: readonly string[]): Safety {
  if (name !== name.toLowerCase() || /^(?:(?:for|if|while|until|case|select|do|then|else|done|fi|esac|function)$|[{(!])/.test(name))
    return 'unknown';
  const found = ofProgram(name, args);
  if (found === 'read-only' && sensitiveToExpansion.test(name) && args.some((arg) => /[$*?[]|\{.*[,.].*\}/.test(arg))) return 'unknown';
  return found;
}

function asksForHelp(args: readonly string[]): boolean {
  return options(args).some((arg) => /^--(help|version)$/i.test(arg));
}

function options(args: readonly string[]): readonly string[] {
  const end = args.indexOf('--');
  return end < 0 ? args : args.slice(0, end);
}

function ofProgram(name: string, args: readonly string[]): Safety {
  if (writers.test(name)) return asksForHelp(args) ? 'unknown' : 'write';
  if (killers.test(name)) return args.length === 0 || asksForHelp(args) ? 'unknown' : 'write';
  switch (name) {
    case 'git':
      return gitSafety(args);
    case 'find':
      return findSafety(args);
    case 'sed':
      return sedSafety(args);
    case 'awk':
      return args.some((arg) => /system\s*\(|getline|\||>|@load|^-[if]$|^--(include|file)/.test(arg)) ? 'unknown' : 'read-only';
    case 'sort':
    case 'tree':
      if (options(args).some((arg) => /^-o|^--output/.test(arg))) return 'write';
      return asksForHelp(args) || options(args).some((arg) => /^(?:--o|-[^-]+o)/.test(arg) || (name === 'sort' && arg.startsWith('--co')))
        ? 'unknown'
        : 'read-only';
    case 'uniq':
      return asksForHelp(args) ? 'unknown' : args.filter((arg) => !arg.startsWith('-')).length >= 2 ? 'write' : 'read-only';
    case 'tee':
      return args.some((arg) => !arg.startsWith('-')) ? 'write' : 'unknown';
    case 'dd':
      return args.some((arg) => arg.startsWith('of=')) ? 'write' : 'unknown';
    case 'printf':
      return options(args).some((arg) => /^-[^-]*v/.test(arg)) ? 'unknown' : 'read-only';
    case 'rg':
    case 'ripgrep':
      return args.some((arg) => /^(?:--(?:hostname-bin|pre)(?:=|$)|--search-zip$|-[^-]*z)/.test(arg)) ? 'unknown' : 'read-only';
    default:
      return readers.has(name) ? 'read-only' : 'unknown';
  }
}

function findSafety(args: readonly string[]): Safety {
  if (args.some((arg) => /^-(delete|fls|fprint)/.test(arg))) return 'write';
  const run = args.findIndex((arg) => /^-(exec|execdir|ok|okdir)$/.test(arg));
  if (run >= 0) return writers.test(args[run + 1] ?? '') ? 'write' : 'unknown';
  return args.some((arg) => /^--/.test(arg)) ? 'unknown' : 'read-only';
}

function sedSafety(args: readonly string[]): Safety {
  if (options(args).some((arg) => /^-[^-]*i|^--in-place/.test(arg))) return 'write';
  if (options(args).some((arg) => /^-[^-]*f|^--file/.test(arg))) return 'unknown';
  // Scripts that write or run hold w or e as a command or flag.
  const script = args.find((arg) => !arg.startsWith('-')) ?? '';
  return /^\d*(,\d+)?p?$|^s(.)[^\n]*\2[^\n]*\2[gpiI\d]*$/.test(script) ? 'read-only' : 'unknown';
}

const gitReaders = new Set('blame branch cat-file diff grep log ls-files remote rev-parse show status describe'.split(' '));
const gitWriters =
  /^(add|am|checkout|cherry-pick|clean|clone|commit|fetch|gc|init|merge|mv|pull|push|rebase|reset|restore|revert|rm|stash|switch)$/;
const runsHelper = /^--(?:ext-diff|filters|show-signature|textconv|open-files-in-pager)(?:=|$)/;

function gitSafety(args: readonly string[]): Safety {
  const [first, ...rest] = args;
  if (first === undefined || first === '--version') return 'read-only';
  if (first === '--help') return rest.length === 0 ? 'read-only' : 'unknown';
  if (first.startsWith('-')) return 'unknown';
  if (gitWriters.test(first)) return asksForHelp(rest) || options(rest).includes('--dry-run') ? 'unknown' : 'write';
  if (!gitReaders.has(first)) return 'unknown';
  if (['diff', 'log', 'show'].includes(first) && rest.some((arg) => /^--output(=|$)/.test(arg))) return 'write';
  if (first !== 'branch' && asksForHelp(rest)) return 'unknown';
  if (first === 'remote') {
    const action = rest.find((arg) => !arg.startsWith('-'));
    if (action !== undefined && !['show', 'get-url'].includes(action))
      return /^(add|remove|rm|rename|set-\w+|update|prune)$/.test(action) ? 'write' : 'unknown';
  }
  if (first === 'branch') {
    if (
      rest.some((arg) =>
        /^(?:-[cCdDmMu](?:.|$)|--(?:delete|move|copy|set-upstream(?:-to)?|unset-upstream|create-reflog|edit-description)(?:=|$))/.test(arg),
      )
    )
      return 'write';
    if (
      rest.some((arg) => /^(?:-[alr]|--(?:all|list|remotes|show-current|contains|no-contains|merged|no-merged|points-at))(?:=|$)/.test(arg))
    )
      return 'read-only';
    if (rest.some((arg) => !arg.startsWith('-'))) return 'write';
    return rest.length === 0 ? 'read-only' : 'unknown';
  }
  return options(rest).some((arg) => runsHelper.test(arg)) ? 'unknown' : 'read-only';
}
