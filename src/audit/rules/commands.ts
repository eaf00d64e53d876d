// Which commands are as good as a shell, as good as root, or a way out: shared by the rules about grants.
import type { Grant } from '../permissions/index.ts';

const interpreters = new Set(
  'bash sh zsh fish dash ksh python python2 python3 node deno bun perl ruby php lua osascript pwsh powershell env xargs eval exec source awk gawk tclsh Rscript npx bunx uvx pipx nohup script expect busybox watch parallel'.split(
    ' ',
  ),
);
const outward = new Set(
  'curl wget ssh scp sftp rsync nc ncat netcat socat telnet ftp http https aws gcloud az ngrok cloudflared'.split(' '),
);
const rootLike = new Set(
  'sudo doas su pkexec docker podman nerdctl kubectl helm nsenter chroot systemctl systemd-run mount unshare crictl ctr lxc runc'.split(
    ' ',
  ),
);

/** First word of a shell grant, and whether anything may follow it. */
export function openPrefix(grant: Grant): { readonly words: readonly string[]; readonly isOpen: boolean } {
  const pattern = grant.pattern.replace(/^\^?(\(\?:)?/, '').replace(/\)?\$$/, '');
  const isOpen =
    pattern.trimEnd().endsWith('*') ||
    grant.tool === 'prefix_rule' ||
    /^(cursor|copilot-vscode|roo|droid|windsurf|junie|gemini|qwen|vibe)$/.test(grant.dialect);
  const bare = pattern
    .trimEnd()
    .replace(/(:\*|\.?\*)$/, '')
    .trimEnd()
    .replace(/\\([bs])\S*/g, ' ')
    .trim();
  return { words: bare.split(/\s+/).filter(Boolean), isOpen };
}

export function isInterpreter(grant: Grant): string | undefined {
  const { words, isOpen } = openPrefix(grant);
  const [first = '', second = ''] = words;
  const program = first.replace(/^.*\//, '');
  if (!isOpen) return undefined;
  if (interpreters.has(program)) {
    // `python -m pytest`, `node scripts/build.js`: a fixed script is not an open interpreter.
    if (
      words.length > 1 &&
      !/^(-c|-e|-m|--eval|-p|--command|-lc)$/.test(words.at(-1) ?? '') &&
      !/^(env|xargs|eval|exec|source|npx|bunx|uvx|pipx)$/.test(program)
    )
      return undefined;
    if (/^(npx|bunx|uvx|pipx)$/.test(program) && words.length > 1 && second !== 'run' && !second.startsWith('-')) return undefined;
    return program;
  }
  if (outward.has(program)) return program;
  if (program === 'find' && (words.length === 1 || words.includes('-exec'))) return 'find';
  if (program === 'make' && words.length === 1) return 'make';
  if (program === 'git' && /^(-c|-C)$/.test(second)) return 'git -c';
  return undefined;
}

export function isRootLike(grant: Grant): string | undefined {
  const { words, isOpen } = openPrefix(grant);
  const [first = '', second = ''] = words;
  const program = first.replace(/^.*\//, '');
  if (!rootLike.has(program)) return undefined;
  if (program === 'sudo' || program === 'doas' || program === 'su' || program === 'pkexec') return program;
  if (words.length === 1) return isOpen ? program : undefined;
  return /^(run|exec|apply|create|delete|cp|build|compose|start|edit|patch|install|upgrade|stop|restart|enable)$/.test(second)
    ? `${program} ${second}`
    : undefined;
}

/** Prefixes whose arguments let anything run: aliases, hooks, scripts of the repository. */
const openTools = new Set([
  'git',
  'npm',
  'npm run',
  'npm exec',
  'pnpm',
  'pnpm run',
  'pnpm exec',
  'yarn',
  'yarn run',
  'bun',
  'bun run',
  'cargo',
  'go',
  'go run',
  'mvn',
  'gradle',
  './gradlew',
  'pip',
  'pip install',
  'poetry run',
  'uv',
  'uv run',
  'composer',
  'bundle exec',
  'rake',
  'just',
  'task',
  'tox',
  'ansible',
  'terraform',
  'gh',
  'gh api',
  'dotnet',
  'sed',
  'tee',
]);

export function isUnfenced(grant: Grant): string | undefined {
  const { words, isOpen } = openPrefix(grant);
  const prefix = words.join(' ');
  return isOpen && openTools.has(prefix) ? prefix : undefined;
}

export function isEveryCommand(grant: Grant): boolean {
  if (grant.mode !== 'allow') return false;
  if (grant.action === 'any') return grant.tool === '*' || grant.tool === '**';
  return grant.action === 'shell' && /^(\*|\*\*|:\*|\.\*|\^\.\*\$?|\^\.\*|\*:\*|\* \*)$/.test(grant.pattern.trim());
}

/** Command lines that start an agent without questions. */
export const unattendedAgents: readonly { readonly agent: string; readonly shape: RegExp; readonly what: string }[] = [
  {
    agent: 'claude-code',
    shape: /\bclaude\b[^\n#]*(--dangerously-skip-permissions|--permission-mode[= ]bypassPermissions)/,
    what: 'claude without permission checks',
  },
  {
    agent: 'codex',
    shape: /\bcodex\b[^\n#]*(--dangerously-bypass-approvals-and-sandbox|--yolo|--full-auto|(-s|--sandbox)[= ]danger-full-access)/,
    what: 'codex without approvals or sandbox',
  },
  { agent: 'gemini-cli', shape: /\bgemini\b[^\n#]*(\s-y\b|--yolo|--approval-mode[= ]yolo)/, what: 'gemini in yolo mode' },
  { agent: 'qwen-code', shape: /\bqwen\b[^\n#]*(\s-y\b|--yolo|--approval-mode[= ]yolo)/, what: 'qwen in yolo mode' },
  { agent: 'continue', shape: /(^|[\s;&|"'`])cn\b[^\n#]*(\s-p\b|--print|--auto)/m, what: 'cn headless, where every tool is allowed' },
  {
    agent: 'droid',
    shape: /\bdroid\s+exec\b[^\n#]*(--skip-permissions-unsafe|--auto[= ]high)/,
    what: 'droid exec without permission checks',
  },
  {
    agent: 'copilot-cli',
    shape: /\bcopilot\b[^\n#]*(--allow-all(-tools)?\b|--yolo)|COPILOT_ALLOW_ALL=true/,
    what: 'copilot with every tool allowed',
  },
  { agent: 'cursor', shape: /\bcursor-agent\b[^\n#]*(--force|\s-f\b|--yolo)/, what: 'cursor-agent with --force' },
  { agent: 'aider', shape: /\baider\b[^\n#]*(--yes-always|--yes\b)|AIDER_YES_ALWAYS=(1|true)/, what: 'aider with --yes-always' },
  { agent: 'goose', shape: /GOOSE_MODE=["']?auto\b/, what: 'goose in auto mode' },
  { agent: 'amp', shape: /\bamp\b[^\n#]*--dangerously-allow-all/, what: 'amp with everything allowed' },
  { agent: 'amazon-q', shape: /\bq\s+chat\b[^\n#]*--trust-all-tools/, what: 'q chat with all tools trusted' },
  { agent: 'kiro', shape: /\bkiro-cli\b[^\n#]*--trust-all-tools/, what: 'kiro-cli with all tools trusted' },
  { agent: 'crush', shape: /\bcrush\b[^\n#]*(--yolo|\s-y\b)/, what: 'crush in yolo mode' },
  { agent: 'cline', shape: /\bcline\b[^\n#]*(--yolo|--auto-approve)/, what: 'cline in yolo mode' },
  { agent: 'qoder-cli', shape: /\bqodercli\b[^\n#]*(--yolo|--dangerously-skip-permissions)/, what: 'qodercli in yolo mode' },
  { agent: 'codebuddy', shape: /\bcodebuddy\b[^\n#]*(--dangerously-skip-permissions|\s-y\b)/, what: 'codebuddy without permission checks' },
  { agent: 'kimi-code', shape: /\bkimi\b[^\n#]*--yolo/, what: 'kimi in yolo mode' },
  { agent: 'grok-cli', shape: /\bgrok\b[^\n#]*(--always-approve|--yolo)/, what: 'grok with everything approved' },
  { agent: 'mistral-vibe', shape: /\bvibe\b[^\n#]*--auto-approve/, what: 'vibe with everything approved' },
  { agent: 'openhands', shape: /\bopenhands\b[^\n#]*(--always-approve|--yolo)/, what: 'openhands with everything approved' },
  {
    agent: 'opencode',
    shape: /OPENCODE_PERMISSION=["']?(allow\b|\{[^\n]*"(\*|bash)"\s*:\s*"allow")/,
    what: 'opencode with everything allowed',
  },
];

/** Each line of a text with its number, from 1. */
export function* linesOf(text: string): Generator<readonly [line: number, text: string]> {
  let line = 0;
  for (const one of text.split('\n')) {
    line++;
    yield [line, one.length > 4000 ? one.slice(0, 4000) : one];
  }
}
