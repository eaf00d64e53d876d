// Shell command lines as the agents' permission engines see them: split into single commands, wrappers taken off, compared by prefix.
// This is a reading aid for rules, not a shell: whatever it does not understand counts as "not covered by an allow rule".

export interface ShellLine {
  readonly commands: readonly string[];
  /** `$(…)`, backticks or `<(…)`: what really runs is not visible. */
  readonly hasSubstitution: boolean;
  readonly hasRedirection: boolean;
}

export function splitShell(line: string): ShellLine {
  const commands: string[] = [];
  let current = '';
  let quote = '';
  let hasSubstitution = false;
  let hasRedirection = false;
  for (let i = 0; i < line.length; i++) {
    const char = line[i] ?? '';
    const next = line[i + 1] ?? '';
    if (quote !== '') {
      if (char === '\\' && quote === '"') {
        current += char + next;
        i++;
        continue;
      }
      if (quote === '"' && (char === '`' || (char === '$' && next === '('))) hasSubstitution = true;
      if (char === quote) quote = '';
      current += char;
    } else if (char === '"' || char === "'") {
      quote = char;
      current += char;
    } else if (char === '\\') {
      current += char + next;
      i++;
    } else if (char === '`' || (char === '$' && next === '(') || ((char === '<' || char === '>') && next === '(')) {
      hasSubstitution = true;
      current += char;
    } else if (char === '>' || char === '<') {
      hasRedirection = true;
      current += char;
    } else if (char === '&' && (line[i - 1] === '>' || next === '>')) current += char;
    else if (char === ';' || char === '|' || char === '&' || char === '\n') {
      commands.push(current);
      current = '';
    } else current += char;
  }
  commands.push(current);
  return { commands: commands.map((command) => command.trim()).filter((command) => command !== ''), hasSubstitution, hasRedirection };
}

/** What stands inside `$(…)` and backticks runs too; one level after the other. */
export function substituted(line: string, depth = 0): readonly string[] {
  if (depth > 4) return [];
  const out: string[] = [];
  for (let i = line.indexOf('$('); i >= 0; i = line.indexOf('$(', i + 2)) {
    let open = 1;
    let end = i + 2;
    while (end < line.length && open > 0) {
      if (line[end] === '(') open++;
      else if (line[end] === ')') open--;
      end++;
    }
    out.push(line.slice(i + 2, end - 1));
  }
  for (const [, inner = ''] of line.matchAll(/`([^`]*)`/g)) out.push(inner);
  return out.flatMap((inner) => [...splitShell(inner).commands, ...substituted(inner, depth + 1)]);
}

const wrappers = /^(?:timeout(?:\s+-\S+)*\s+\S+|time|nice(?:\s+-n?\s*-?\d+)?|nohup|stdbuf(?:\s+-\S+)+|command|builtin)\s+/;
const variables = /^(?:[A-Za-z_]\w*=(?:"[^"]*"|'[^']*'|[^\s"']*)\s+)+/;

/** Without variables in front and without wrappers that run their arguments. */
export function bareCommand(command: string): string {
  let bare = command.replace(variables, '');
  for (let i = 0; i < 4 && wrappers.test(bare); i++) bare = bare.replace(wrappers, '').replace(variables, '');
  return bare;
}

export function wordsOf(command: string): readonly string[] {
  return (command.match(/"(?:[^"\\]|\\.)*"|'[^']*'|[^\s"']+/g) ?? []).map((word) => word.replace(/^(["'])(.*)\1$/s, '$2'));
}

const readers = new Set(
  'ls cat head tail grep egrep fgrep rg find wc diff stat du df pwd cd echo printf which whereis type file sort uniq cut tr nl tree basename dirname realpath readlink date whoami id uname hostname true false test printenv sha256sum md5sum cmp comm strings hexdump od xxd column jq less more'.split(
    ' ',
  ),
);
const gitReaders =
  /^git(?:\s+(?:-C\s+\S+|--no-pager))*\s+(?:status|log|diff|show|branch(?:\s+(?:-a|-r|-v+|--list|--show-current))*\s*$|rev-parse|blame|ls-files|remote(?:\s+(?:-v|show\b.*))?\s*$|describe|shortlog|reflog(?:\s+show)?\b|tag(?:\s+(?:-l|--list).*)?\s*$|config\s+--(?:get|list)\b|stash\s+list|ls-tree|cat-file|merge-base|rev-list|grep)\b/;

/** Commands that agents run without a question because they only read. Flags that write or run something take that away. */
export function isReadOnly(command: string): boolean {
  const bare = bareCommand(command);
  const [program = '', ...args] = wordsOf(bare);
  if (program === 'git') return gitReaders.test(bare) && !/\s(--output|-o\s|--ext-diff|--exec)/.test(bare);
  if (!readers.has(program)) return false;
  if (program === 'find' && /\s-(exec|execdir|ok|okdir|delete|fprint\w*|fls)\b/.test(bare)) return false;
  if (program === 'sort' && /\s(-o|--output|--compress-program)/.test(bare)) return false;
  if (program === 'date' && args.some((arg) => /^(-s|--set)/.test(arg))) return false;
  if (program === 'hostname' && args.length > 0) return false;
  if (program === 'rg' && /\s--pre\b/.test(bare)) return false;
  if (program === 'tree' && args.includes('-o')) return false;
  return !/(^|[^>&\d])>(?!\s*\/dev\/null)/.test(bare);
}

/** Variables that agents accept in front of an allowed command, because they change how it speaks and not what it does. */
const harmlessVariable =
  /^(?:(?:NODE_ENV|LANG|LC_\w+|TZ|TERM|NO_COLOR|FORCE_COLOR|COLORTERM|CI|RUST_BACKTRACE|RUST_LOG|PYTHONUNBUFFERED|PYTHONDONTWRITEBYTECODE|GOOS|GOARCH|CGO_ENABLED|GO111MODULE)=[\w.,:@%+-]*\s+)+/;

/** For allow rules: as `bareCommand`, except that a variable which could change what runs stays where it is. */
export function plainCommand(command: string): string {
  let plain = command.replace(harmlessVariable, '');
  for (let i = 0; i < 4 && wrappers.test(plain); i++) plain = plain.replace(wrappers, '').replace(harmlessVariable, '');
  return plain;
}

const outputShape = /(?:^|[^<>&\d-])(?:\d|&)?>{1,2}\|?\s*(?!&)("[^"]*"|'[^']*'|[^\s;|&<>]+)/g;

/** Files that the line writes by redirection; `/dev/null` and the like are none. */
export function redirectedTo(line: string): readonly string[] {
  const bare = line.replace(/'[^']*'|"(?:[^"\\]|\\.)*"/g, (quoted, at: number) =>
    />\s*$/.test(line.slice(0, at)) ? quoted : '_'.repeat(quoted.length),
  );
  return [...bare.matchAll(outputShape)]
    .map(([, file = '']) => file.replace(/^["']|["']$/g, ''))
    .filter((file) => !/^\/dev\/(null|stdout|stderr|tty)$/.test(file));
}

/** The command without its redirections. */
export function withoutRedirections(command: string): string {
  return command.replace(/(?<!\s)\s*(?:\d|&)?>{1,2}\|?\s*(?:&\d|"[^"]*"|'[^']*'|[^\s;|&<>]+)/g, '').trim();
}

/** Words that look like paths, for file rules that also hold in the shell. */
export function pathsIn(command: string): readonly string[] {
  return wordsOf(bareCommand(command))
    .slice(1)
    .filter((word) => !word.startsWith('-') && word !== '' && !/^\w+:\/\//.test(word));
}

/** `git` covers `git` and `git status`, not `gitk`. */
export function startsWithWords(command: string, prefix: string): boolean {
  return command === prefix || command.startsWith(`${prefix} `) || (prefix.endsWith(' ') && command.startsWith(prefix));
}

export function escapeRegExp(text: string): string {
  return text.replace(/[.+?^${}()|[\]\\*]/g, '\\$&');
}

/** `*` stands for any run of characters; the whole text must match. Linear: no backtracking over many stars. */
export function matchesStars(pattern: string, text: string): boolean {
  const pieces = pattern.split('*');
  const first = pieces[0] ?? '';
  const last = pieces.at(-1) ?? '';
  if (pieces.length === 1) return pattern === text;
  if (!text.startsWith(first) || !text.endsWith(last) || text.length < first.length + last.length) return false;
  let from = first.length;
  for (const piece of pieces.slice(1, -1)) {
    const at = text.indexOf(piece, from);
    if (at < 0) return false;
    from = at + piece.length;
  }
  return from <= text.length - last.length;
}
