// Files that can run or steer something later: hooks, agent configuration, editor tasks, CI, build scripts, shell and tool rc files.
// `apply` asks before it brings one of them back; direct mode mounts the ones that run without anyone asking read-only.

interface Row {
  readonly why: string;
  /** Directory names: everything below one, at any depth. `a/b` matches two names in a row. */
  readonly dirs?: readonly string[];
  /** File names at any depth; `*` matches within a name. */
  readonly files?: readonly string[];
  /** It runs or is obeyed without anyone asking: protected in direct mode. */
  readonly isPinned?: true;
}

export const sensitiveRows: readonly Row[] = [
  {
    why: 'configuration of a coding agent',
    isPinned: true,
    dirs: [
      ...[
        '.claude',
        '.codex',
        '.gemini',
        '.qwen',
        '.opencode',
        '.cursor',
        '.windsurf',
        '.continue',
        '.roo',
        '.cline',
        '.clinerules',
        '.kilo',
      ],
      ...[
        '.kilocode',
        '.amazonq',
        '.kiro',
        '.augment',
        '.factory',
        '.crush',
        '.pi',
        '.qoder',
        '.goose',
        '.amp',
        '.agents',
        '.junie',
        '.ai',
      ],
      ...['.aiassistant', '.github/copilot', '.github/agents', '.github/hooks', '.github/skills', '.github/prompts'],
    ],
    files: [
      ...[
        '.mcp.json',
        'mcp.json',
        'opencode.json',
        'opencode.jsonc',
        'kilo.json',
        'kilo.jsonc',
        'crush.json',
        '.crush.json',
        'crushrc',
        '.crushrc',
      ],
      ...['.aider.conf.yml', '.aider.model.settings.yml', '.continuerc.json', '.roomodes', 'managed-settings.json', 'intramur.yaml'],
    ],
  },
  {
    why: 'instructions that a coding agent obeys',
    files: [
      ...[
        'AGENTS.md',
        'AGENTS.override.md',
        'CLAUDE.md',
        'CLAUDE.local.md',
        'GEMINI.md',
        'QWEN.md',
        'CRUSH.md',
        'AmazonQ.md',
        'CONVENTIONS.md',
      ],
      ...['APPEND_SYSTEM.md', '.cursorrules', '.windsurfrules', '.goosehints', '.rules', '.augment-guidelines', 'copilot-instructions.md'],
    ],
  },
  {
    why: 'tasks and settings of an editor',
    isPinned: true,
    dirs: ['.vscode', '.idea', '.zed', '.fleet', '.devcontainer', '.vim', '.nvim'],
    files: ['*.code-workspace', '.devcontainer.json', '.vimrc', '.nvimrc', '.exrc', '.nvim.lua', '.dir-locals.el', '.sublime-project'],
  },
  {
    why: 'continuous integration',
    isPinned: true,
    dirs: ['.github/workflows', '.github/actions', '.circleci', '.gitlab', '.buildkite', '.woodpecker', '.forgejo', '.gitea', '.teamcity'],
    files: [
      ...['.gitlab-ci.yml', '.travis.yml', 'Jenkinsfile', 'azure-pipelines.yml', 'azure-pipelines.yaml', 'bitbucket-pipelines.yml'],
      ...['.drone.yml', '.cirrus.yml', 'appveyor.yml', '.appveyor.yml', 'cloudbuild.yaml', 'dependabot.yml', 'renovate.json'],
    ],
  },
  {
    why: 'git hooks or what installs them',
    isPinned: true,
    dirs: ['.husky', '.githooks', '.git-hooks'],
    files: [
      '.pre-commit-config.yaml',
      'lefthook.yml',
      '.lefthook.yml',
      'lefthook-local.yml',
      '.gitmodules',
      '.gitattributes',
      '.gitconfig',
    ],
  },
  {
    why: 'a shell or tool reads it when it starts',
    isPinned: true,
    files: [
      ...['.bashrc', '.bash_profile', '.bash_login', '.bash_logout', '.profile', '.zshrc', '.zprofile', '.zshenv', '.zlogin', '.kshrc'],
      ...['config.fish', '.envrc', '.inputrc', '.npmrc', '.yarnrc', '.yarnrc.yml', '.pnpmfile.cjs', 'pnpmfile.js', '.pypirc', 'pip.conf'],
      ...[
        '.netrc',
        '.curlrc',
        '.wgetrc',
        '.bazelrc',
        '.mise.toml',
        'mise.toml',
        '.tool-versions',
        '.screenrc',
        '.tmux.conf',
        '.gdbinit',
        '.lldbinit',
      ],
      ...['.ripgreprc', '.psqlrc', '.irbrc', '.pryrc', '.Rprofile', 'direnv.toml', 'bunfig.toml'],
    ],
    dirs: ['.yarn', '.direnv', '.config/git', '.ssh', '.gnupg'],
  },
  {
    why: 'a build or package manager runs it',
    dirs: ['node_modules/.bin', '.cargo', '.mvn', 'gradle/wrapper', 'buildSrc', '.bundle'],
    files: [
      ...[
        'package.json',
        'Makefile',
        'makefile',
        'GNUmakefile',
        '*.mk',
        'justfile',
        'Justfile',
        'Taskfile.yml',
        'Rakefile',
        'Gemfile',
        '*.gemspec',
      ],
      ...[
        'build.rs',
        'setup.py',
        'setup.cfg',
        'pyproject.toml',
        'conftest.py',
        'tox.ini',
        'noxfile.py',
        'sitecustomize.py',
        'usercustomize.py',
        '*.pth',
      ],
      ...[
        'build.gradle',
        'build.gradle.kts',
        'settings.gradle',
        'settings.gradle.kts',
        'init.gradle',
        'gradlew',
        'mvnw',
        'pom.xml',
        'build.xml',
      ],
      ...[
        'CMakeLists.txt',
        '*.cmake',
        'configure',
        'configure.ac',
        'meson.build',
        'BUILD',
        'BUILD.bazel',
        'WORKSPACE',
        'MODULE.bazel',
        'binding.gyp',
      ],
      ...[
        'Dockerfile',
        'Containerfile',
        'docker-compose.yml',
        'docker-compose.yaml',
        'compose.yml',
        'compose.yaml',
        'Vagrantfile',
        'Procfile',
        'flake.nix',
        'shell.nix',
        'default.nix',
      ],
      ...[
        '*.config.js',
        '*.config.cjs',
        '*.config.mjs',
        '*.config.ts',
        '.eslintrc.js',
        '.eslintrc.cjs',
        '.prettierrc.js',
        '.babelrc.js',
        'gulpfile.js',
        'Gruntfile.js',
      ],
    ],
  },
  {
    why: 'a Python environment runs it',
    files: ['activate', 'activate.csh', 'activate.fish', 'activate.ps1', 'activate_this.py', 'pyvenv.cfg'],
  },
];

/** Below `.git` only these run or redirect something; objects, refs and the index are data. */
const gitFiles: readonly { readonly path: RegExp; readonly why: string }[] = [
  { path: /^(?:modules\/.*\/|worktrees\/[^/]+\/)?hooks(?:\/|$)/, why: 'a git hook' },
  { path: /^(?:modules\/.*\/|worktrees\/[^/]+\/)?config(?:\.worktree)?$/, why: 'git configuration, which can name programs to run' },
  { path: /^(?:modules\/.*\/)?info\/(?:attributes|sparse-checkout)$/, why: 'git attributes, which can name filters to run' },
  { path: /^(?:modules\/.*\/)?objects\/info\/alternates$/, why: 'points git at another repository' },
  { path: /^(?:modules\/.*\/)?(?:worktrees\/[^/]+\/)?(?:gitdir|commondir)$/, why: 'points git at another repository' },
  {
    path: /^(?:modules\/.*\/)?(?:worktrees\/[^/]+\/)?(?:rebase-merge|rebase-apply|sequencer)(?:\/|$)/,
    why: 'steps that git goes on with, which can name commands to run',
  },
];

interface Matcher {
  readonly why: string;
  readonly isPinned: boolean;
  readonly dirs: readonly string[];
  readonly names: ReadonlySet<string>;
  readonly globs: readonly RegExp[];
}

const matchers: readonly Matcher[] = sensitiveRows.map(({ why, isPinned, dirs = [], files = [] }) => ({
  why,
  isPinned: isPinned === true,
  dirs: dirs.map((dir) => `/${fold(dir)}/`),
  names: new Set(files.filter((name) => !name.includes('*')).map(fold)),
  globs: files.filter((name) => name.includes('*')).map(globOf),
}));

/** Why the file at `file` (relative to the workspace) can run or steer something later; `undefined` when it is plain content. */
export function sensitiveReason(file: string): string | undefined {
  const folded = `/${fold(file)}`;
  const inGit = /^(?:.*)?\/\.git(?:\/(?<rest>.*))?$/.exec(folded);
  if (inGit) {
    const rest = inGit.groups?.['rest'];
    if (rest === undefined) return 'points git at another repository';
    // A repository inside a repository's own directory is matched by its innermost part.
    return gitFiles.find(({ path }) => path.test(rest))?.why;
  }
  const name = folded.slice(folded.lastIndexOf('/') + 1);
  const isInstalled = folded.includes('/node_modules/');
  const found = matchers.find(
    ({ dirs, names, globs }) =>
      dirs.some((dir) => `${folded}/`.includes(dir)) || (!isInstalled && (names.has(name) || globs.some((glob) => glob.test(name)))),
  );
  return found?.why;
}

/**
 * Guarded in direct mode although they may not exist: what agents, editors, hooks and CI pick up by themselves. The others are
 * guarded where they exist: each guard of something absent is an entry in the listing of the workspace while the session runs.
 */
const guardedWhenAbsent = {
  dirs: [
    ...[
      '.git/hooks',
      '.claude',
      '.codex',
      '.gemini',
      '.qwen',
      '.opencode',
      '.cursor',
      '.windsurf',
      '.continue',
      '.roo',
      '.clinerules',
      '.amazonq',
    ],
    ...['.kiro', '.agents', '.vscode', '.idea', '.zed', '.devcontainer', '.husky', '.github/workflows', '.github/hooks', '.circleci'],
  ],
  files: [
    ...[
      '.git/config',
      '.mcp.json',
      'opencode.json',
      'opencode.jsonc',
      '.envrc',
      '.npmrc',
      '.yarnrc.yml',
      '.pnpmfile.cjs',
      '.mise.toml',
      'mise.toml',
    ],
    ...[
      '.pre-commit-config.yaml',
      'lefthook.yml',
      '.gitlab-ci.yml',
      '.bashrc',
      '.bash_profile',
      '.profile',
      '.zshrc',
      '.zshenv',
      '.gitconfig',
    ],
  ],
} as const;

export interface Pinned {
  readonly path: string;
  readonly isDirectory: boolean;
  readonly isGuardedWhenAbsent: boolean;
}

/** What direct mode protects at the top of the workspace. */
export function pinnedPaths(): readonly Pinned[] {
  const rows = sensitiveRows.filter(({ isPinned }) => isPinned);
  const dirs = new Set<string>([...guardedWhenAbsent.dirs, ...rows.flatMap(({ dirs = [] }) => dirs)]);
  const files = new Set<string>([
    ...guardedWhenAbsent.files,
    ...rows.flatMap(({ files = [] }) => files.filter((name) => !name.includes('*'))),
  ]);
  const always = new Set<string>([...guardedWhenAbsent.dirs, ...guardedWhenAbsent.files]);
  const pinned =
    (isDirectory: boolean) =>
    (path: string): Pinned => ({ path, isDirectory, isGuardedWhenAbsent: always.has(path) });
  return [...[...dirs].map(pinned(true)), ...[...files].map(pinned(false))];
}

/** Case, Unicode form and invisible characters do not make another name: some file systems and tools agree with us. */
function fold(text: string): string {
  return text
    .normalize('NFKC')
    .replaceAll(/\p{Default_Ignorable_Code_Point}/gu, '')
    .toLowerCase();
}

function globOf(glob: string): RegExp {
  const source = fold(glob).replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${source.replaceAll('*', '.*')}$`);
}
