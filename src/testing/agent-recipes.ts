// How to run each real agent headless on one prompt, with every tool approved, as data: the end-to-end tests and the demo read it.
// Inside `intramur run` the adapters point the agent at the gateway; outside, `outside` does so with a virtual key.

export interface Gateway {
  /** No path, no trailing slash. */
  readonly url: string;
  /** A virtual key. */
  readonly key: string;
  /** The model's name that the agent asks for. */
  readonly model: string;
}

export interface HomeFile {
  /** Relative to HOME. */
  readonly path: string;
  readonly text: string;
}

export interface AgentRecipe {
  /** The adapter's id. */
  readonly id: string;
  /** Relative to the `node_modules` of test/agents. */
  readonly program: string;
  /** True when `program` is JavaScript and `node` (>= 22) has to start it. */
  readonly needsNode: boolean;
  /** Arguments for one prompt; `model` is what the agent asks for, left out for its default. */
  args(prompt: string, model?: string): readonly string[];
  /** What it needs besides, wherever it runs: consent prompts and self-updates off. */
  readonly env: Readonly<Record<string, string>>;
  /** Outside of `intramur run`: environment and files of a HOME that point it at a gateway. */
  outside(gateway: Gateway): { readonly env: Readonly<Record<string, string>>; readonly files: readonly HomeFile[] };
}

const claude = {
  needsNode: false,
  args: (prompt, model) => [
    '-p',
    prompt,
    '--allowedTools',
    'Write,Bash,Read',
    '--permission-mode',
    'acceptEdits',
    ...flag('--model', model),
  ],
  env: { DISABLE_AUTOUPDATER: '1' },
  outside: ({ url, key, model }) => ({
    env: {
      ANTHROPIC_BASE_URL: url,
      ANTHROPIC_AUTH_TOKEN: key,
      ANTHROPIC_MODEL: model,
      ANTHROPIC_SMALL_FAST_MODEL: model,
      // Away from its vendor's host it repeats a refused call with fewer betas, up to six times, before it shows the message.
      CLAUDE_CODE_DISABLE_EXPERIMENTAL_BETAS: '1',
    },
    files: [],
  }),
} satisfies Partial<AgentRecipe>;

export const agentRecipes: readonly AgentRecipe[] = [
  { ...claude, id: 'claude-code', program: '@anthropic-ai/claude-code-linux-x64/claude' },
  {
    id: 'codex',
    program: '@openai/codex/bin/codex.js',
    needsNode: true,
    args: (prompt, model) => ['exec', '--skip-git-repo-check', '--dangerously-bypass-approvals-and-sandbox', ...flag('-m', model), prompt],
    env: {},
    outside: ({ url, key, model }) => ({
      env: { INTRAMUR_KEY: key },
      files: [
        {
          path: '.codex/config.toml',
          text: `model = ${JSON.stringify(model)}
model_provider = "intramur"

[model_providers.intramur]
name = "intramur"
base_url = ${JSON.stringify(`${url}/v1`)}
env_key = "INTRAMUR_KEY"
wire_api = "responses"
`,
        },
      ],
    }),
  },
  {
    id: 'qwen-code',
    program: '@qwen-code/qwen-code/cli-entry.js',
    needsNode: true,
    args: (prompt, model) => ['-p', prompt, '--yolo', '--auth-type', 'openai', ...flag('-m', model)],
    env: {},
    outside: ({ url, key, model }) => ({ env: { OPENAI_BASE_URL: `${url}/v1`, OPENAI_API_KEY: key, OPENAI_MODEL: model }, files: [] }),
  },
  {
    id: 'opencode',
    program: 'opencode-linux-x64/bin/opencode',
    needsNode: false,
    args: (prompt, model) => ['run', ...flag('--model', model), prompt],
    env: { OPENCODE_DISABLE_AUTOUPDATE: '1' },
    outside: ({ url, key, model }) => ({
      env: {},
      files: [
        {
          path: '.config/opencode/opencode.json',
          text: JSON.stringify({
            $schema: 'https://opencode.ai/config.json',
            provider: {
              intramur: {
                npm: '@ai-sdk/openai-compatible',
                options: { baseURL: `${url}/v1`, apiKey: key },
                models: { [model]: {} },
              },
            },
            model: `intramur/${model}`,
            small_model: `intramur/${model}`,
          }),
        },
      ],
    }),
  },
  {
    id: 'gemini-cli',
    program: '@google/gemini-cli/bundle/gemini.js',
    needsNode: true,
    args: (prompt, model) => ['-p', prompt, '--yolo', ...flag('-m', model)],
    env: { GEMINI_CLI_TRUST_WORKSPACE: 'true' },
    outside: ({ url, key, model }) => ({
      env: { GOOGLE_GEMINI_BASE_URL: url, GEMINI_API_KEY: key, GEMINI_MODEL: model },
      // Without a chosen way to log in it ends with "Invalid auth method selected".
      files: [{ path: '.gemini/settings.json', text: JSON.stringify({ security: { auth: { selectedType: 'gemini-api-key' } } }) }],
    }),
  },
];

/** An older Claude Code, kept because its requests differ (no mid-conversation system messages, other betas). */
export const claudeCode2x1x197: AgentRecipe = {
  ...claude,
  id: 'claude-code',
  program: 'claude-code-2-1-197/node_modules/@anthropic-ai/claude-code-linux-x64/claude',
};

function flag(name: string, value: string | undefined): string[] {
  return value === undefined ? [] : [name, value];
}
