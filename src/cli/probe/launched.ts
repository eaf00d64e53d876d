// How each agent that can be probed is started on one prompt: as its user would start it without options, and with every question switched
// off. It finds its model by environment and options only, so that the user's own settings stay as they are.

export interface ProbeRecipe {
  readonly agent: string;
  args(prompt: string, how: 'asking' | 'unattended'): readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly files: readonly { readonly path: string; readonly text: string }[];
}

/** A name in no real domain; every name leads to the rehearsal model inside. */
export const modelHost = 'rehearsal.invalid';
const url = `http://${modelHost}`;
const key = `sk-ant-api03-${'0'.repeat(86)}-AA`;
const model = 'rehearsal';
const defaultsFile = '.probe-defaults.json';

export function probeRecipes(home: string): readonly ProbeRecipe[] {
  return [
    {
      agent: 'claude-code',
      args: (prompt, how) => ['-p', prompt, ...(how === 'unattended' ? ['--dangerously-skip-permissions'] : [])],
      env: {
        ANTHROPIC_BASE_URL: url,
        ANTHROPIC_API_KEY: key,
        ANTHROPIC_MODEL: model,
        ANTHROPIC_SMALL_FAST_MODEL: model,
        DISABLE_AUTOUPDATER: '1',
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
        CLAUDE_CODE_DISABLE_EXPERIMENTAL_BETAS: '1',
      },
      files: [],
    },
    {
      agent: 'codex',
      args: (prompt, how) => [
        'exec',
        '--skip-git-repo-check',
        // Its own sandbox cannot be built inside ours; what its rules ask for is asked either way.
        ...(how === 'unattended' ? ['--dangerously-bypass-approvals-and-sandbox'] : ['--sandbox', 'danger-full-access']),
        ...[
          'model="rehearsal"',
          'model_provider="probe"',
          'model_providers.probe.name="probe"',
          'model_providers.probe.wire_api="responses"',
        ].flatMap((setting) => ['-c', setting]),
        ...['-c', `model_providers.probe.base_url="${url}/v1"`, '-c', 'model_providers.probe.env_key="PROBE_KEY"', prompt],
      ],
      env: { PROBE_KEY: key },
      files: [],
    },
    {
      agent: 'qwen-code',
      args: (prompt, how) => ['-p', prompt, '--auth-type', 'openai', '-m', model, ...(how === 'unattended' ? ['--yolo'] : [])],
      env: { OPENAI_BASE_URL: `${url}/v1`, OPENAI_API_KEY: key, OPENAI_MODEL: model },
      files: [],
    },
    {
      agent: 'gemini-cli',
      args: (prompt, how) => ['-p', prompt, '-m', model, ...(how === 'unattended' ? ['--yolo'] : [])],
      env: {
        // It stays on its vendor's host, which leads to the rehearsal model here.
        GEMINI_API_KEY: key,
        GEMINI_CLI_TRUST_WORKSPACE: 'true',
        GEMINI_CLI_SYSTEM_DEFAULTS_PATH: `${home}/${defaultsFile}`,
      },
      files: [{ path: defaultsFile, text: JSON.stringify({ security: { auth: { selectedType: 'gemini-api-key' } } }) }],
    },
    {
      agent: 'opencode',
      args: (prompt) => ['run', '--model', `probe/${model}`, prompt],
      env: { OPENCODE_DISABLE_AUTOUPDATE: '1', OPENCODE_CONFIG: `${home}/${defaultsFile}` },
      files: [
        {
          path: defaultsFile,
          text: JSON.stringify({
            provider: {
              probe: { npm: '@ai-sdk/openai-compatible', options: { baseURL: `${url}/v1`, apiKey: key }, models: { [model]: {} } },
            },
          }),
        },
      ],
    },
  ];
}
