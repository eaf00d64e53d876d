import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ContainInput, UserView } from './adapter.ts';
import { adapterFor, adapters, endpointClass, loginAt } from './index.ts';
import { looksSecret, withoutSecrets } from './scrub.ts';

function view(env: Record<string, string>, files: Record<string, string> = {}): UserView {
  return { env, readHome: (name) => files[name] };
}

function containOf(id: string, user: UserView, more: Partial<ContainInput> = {}) {
  const adapter = adapters.find((one) => one.id === id);
  if (adapter === undefined) throw new Error(`no adapter ${id}`);
  const placeholders: Record<string, string> = { session: 'ivk-session-placeholder' };
  for (const credential of adapter.credentials(user)) placeholders[credential.id] = `${credential.prefix}PLACEHOLDER-${credential.id}`;
  const base = { user, workspace: '/w/repo', home: '/home/agent', gatewayUrl: 'http://127.0.0.1:4100', placeholders, hasModels: false };
  const { env, files } = adapter.contain({ ...base, ...more });
  return { env, files: Object.fromEntries(files.map((file) => [file.path, file.text])) };
}

function json(text: string | undefined): Record<string, unknown> {
  return JSON.parse(text ?? 'null');
}

describe('a user without any login, and models of the company', () => {
  it.each([
    ['claude-code', { ANTHROPIC_API_KEY: 'ivk-session-placeholder', DISABLE_AUTOUPDATER: '1' }],
    ['codex', {}],
    [
      'qwen-code',
      { OPENAI_BASE_URL: 'http://127.0.0.1:4100/v1', OPENAI_API_KEY: 'ivk-session-placeholder', OPENAI_MODEL: 'qwen3-coder-plus' },
    ],
    ['gemini-cli', { GEMINI_API_KEY: 'ivk-session-placeholder', GEMINI_CLI_TRUST_WORKSPACE: 'true' }],
  ])('%s gets the session key', (id, env) => {
    expect(containOf(id, view({}), { hasModels: true }).env).toEqual(env);
  });

  it('claude-code starts without questions', () => {
    const { files } = containOf('claude-code', view({}), { hasModels: true });
    expect(json(files['.claude.json'])).toMatchObject({
      hasCompletedOnboarding: true,
      bypassPermissionsModeAccepted: true,
      customApiKeyResponses: { approved: ['-session-placeholder'], rejected: [] },
      projects: { '/w/repo': { hasTrustDialogAccepted: true } },
    });
  });

  it('codex finds the key in its login file and trusts the workspace', () => {
    const { files } = containOf('codex', view({}), { hasModels: true });
    expect(json(files['.codex/auth.json'])).toEqual({ OPENAI_API_KEY: 'ivk-session-placeholder' });
    expect(files['.codex/config.toml']).toContain('trust_level = "trusted"');
  });

  it('opencode gets a provider that a repository cannot override', () => {
    const { env } = containOf('opencode', view({}), { hasModels: true, model: 'coder' });
    expect(json(env['OPENCODE_CONFIG_CONTENT'])).toMatchObject({
      provider: { gateway: { options: { baseURL: 'http://127.0.0.1:4100/v1', apiKey: 'ivk-session-placeholder' }, models: { coder: {} } } },
      model: 'gateway/coder',
    });
  });

  it('gemini-cli needs an authentication type, and a fixed model', () => {
    const { files } = containOf('gemini-cli', view({}), { hasModels: true });
    expect(json(files['.gemini/settings.json'])).toMatchObject({
      security: { auth: { selectedType: 'gemini-api-key' } },
      model: { name: 'gemini-3.1-pro-preview' },
    });
  });
});

describe('credentials are bound to where they belong', () => {
  it.each([
    ['claude-code', view({ ANTHROPIC_API_KEY: 'k1' }), { id: 'env:ANTHROPIC_API_KEY', hosts: ['api.anthropic.com'], pathPrefix: '/' }],
    [
      'claude-code',
      view({ ANTHROPIC_AUTH_TOKEN: 'k1', ANTHROPIC_BASE_URL: 'https://llm.acme.example/a' }),
      { id: 'env:ANTHROPIC_AUTH_TOKEN', hosts: ['llm.acme.example'], pathPrefix: '/a' },
    ],
    [
      'claude-code',
      view({}, { '.claude/.credentials.json': '{"claudeAiOauth":{"accessToken":"t"}}' }),
      { id: 'login:access', hosts: ['api.anthropic.com'], pathPrefix: '/' },
    ],
    ['codex', view({}, { '.codex/auth.json': '{"OPENAI_API_KEY":"k"}' }), { id: 'login:OPENAI_API_KEY', hosts: ['api.openai.com'] }],
    [
      'codex',
      view({ GW: 'k' }, { '.codex/config.toml': '[model_providers.gw]\nbase_url="https://gw.example/v1"\nenv_key="GW"\n' }),
      { id: 'env:GW', hosts: ['gw.example'], pathPrefix: '/v1' },
    ],
    [
      'qwen-code',
      view(
        {},
        { '.qwen/settings.json': '{"modelProviders":{"openai":[{"baseUrl":"https://m.example/v1","envKey":"M"}]},"env":{"M":"k"}}' },
      ),
      { id: 'settings:M', hosts: ['m.example'], pathPrefix: '/v1' },
    ],
    [
      'opencode',
      view({}, { '.local/share/opencode/auth.json': '{"openai":{"type":"api","key":"k"}}' }),
      { id: 'login:openai', hosts: ['api.openai.com'] },
    ],
    [
      'gemini-cli',
      view({}, { '.gemini/.env': 'GEMINI_API_KEY="k"\n' }),
      { id: 'env:GEMINI_API_KEY', hosts: ['generativelanguage.googleapis.com'] },
    ],
  ])('%s', (id, user, expected) => {
    expect(adapters.find((one) => one.id === id)?.credentials(user)).toEqual([expect.objectContaining(expected)]);
  });
});

describe('a login that expires is renewed with a placeholder, and only where it is used', () => {
  const expired = 1_700_000_000_000;
  const auth = { tokens: { access_token: 'A', refresh_token: 'R', account_id: 'acct' }, last_refresh: '2020-01-01T00:00:00Z' };
  it.each([
    ['claude-code', '.claude/.credentials.json', { claudeAiOauth: { accessToken: 'A', refreshToken: 'R', expiresAt: expired } }],
    ['codex', '.codex/auth.json', auth],
    ['qwen-code', '.qwen/oauth_creds.json', { access_token: 'A', refresh_token: 'R', expiry_date: expired }],
    ['opencode', '.local/share/opencode/auth.json', { openai: { type: 'oauth', access: 'A', refresh: 'R', expires: expired } }],
    ['gemini-cli', '.gemini/oauth_creds.json', { access_token: 'A', refresh_token: 'R', expiry_date: expired }],
  ])('%s', (id, file, login) => {
    const user = view({}, { [file]: JSON.stringify(login) });
    const [flow] = adapters.find((one) => one.id === id)?.logins ?? [];
    const text = containOf(id, user).files[file] ?? '';
    for (const kind of ['access', 'refresh']) expect(text).toContain(`PLACEHOLDER-${flow?.id}:${kind}"`);
    expect(text).toMatch(/1700000000000|2020-01-01/);
    expect(text).not.toMatch(/"[AR]"/);
    const unused = containOf(id, user, { usesLogin: false }).files[file] ?? '';
    expect(unused).not.toContain(`PLACEHOLDER-${flow?.id}:refresh`);
    const credentials = adapters.find((one) => one.id === id)?.credentials(user) ?? [];
    const refresh = credentials.find(({ login: token }) => token?.kind === 'refresh');
    expect(refresh).toMatchObject({ value: 'R', hosts: flow?.token.hosts, pathPrefix: flow?.token.path, login: { file } });
    for (const host of flow?.token.hosts ?? []) {
      expect(endpointClass(host, flow?.token.path ?? '')).toBe('login');
      expect(loginAt(host, flow?.token.path ?? '', id)).toEqual({ flow, brings: 'tokens' });
      expect(loginAt(host, '/elsewhere', id)).toBeUndefined();
    }
  });
});

describe('the place where a login is exchanged for a key', () => {
  const at = '/api/oauth/claude_cli/create_api_key';
  it.each([
    at,
    `/${at}`,
    `${at}/`,
    '/api/oauth/claude_cli/x/../create_api_key',
    '/api/oauth/./claude_cli//create_api_key',
    '/api/oauth/claude_cli/create%5Fapi_key',
    '/api/oauth/claude_cli%2fcreate_api_key',
    '/api/oauth/claude_cli/create%255Fapi_key',
    '/api/oauth\\claude_cli\\create_api_key',
    '/API/oauth/claude_cli/CREATE_API_KEY;v=1',
  ])('is known in the spelling %s', (path) => {
    expect(loginAt('API.anthropic.com.', path, 'claude-code')).toMatchObject({ brings: 'key' });
  });

  it.each(['/api/oauth/claude_cli/roles', '/create_api_key', `${at}/x`])('is not %s', (path) => {
    expect(loginAt('api.anthropic.com', path, 'claude-code')).toBeUndefined();
  });
});

describe('no real secret goes in', () => {
  const secrets = {
    key: 'sk-ant-api03-REALREALREALREALREAL0123456789',
    access: 'sk-ant-oat01-REALACCESS0123456789abcdef',
    refresh: 'sk-ant-ort01-REALREFRESH0123456789abcd',
    mcp: 'ghp_REALgithubREALgithubREALgithub012345',
    header: 'Q7vX2mL9pR4tY8wZ1aB3cD6eF0gH5jK9',
    url: 'https://user:hunter2secret@internal.example/mcp',
    login: 'REAL-opaque-login-value',
  };
  const mcpServers = {
    gh: { command: 'npx', args: ['-y', 's', '--api-key', secrets.header], env: { GITHUB_TOKEN: secrets.mcp }, url: secrets.url },
  };
  const home: Record<string, string> = {
    '.claude.json': JSON.stringify({ primaryApiKey: secrets.key, mcpServers, oauthAccount: { emailAddress: 'someone@acme.example' } }),
    '.claude/settings.json': JSON.stringify({
      env: { ANTHROPIC_API_KEY: secrets.key, X: secrets.header },
      apiKeyHelper: '/bin/print-key',
      model: 'opus',
    }),
    '.claude/.credentials.json': JSON.stringify({ claudeAiOauth: { accessToken: secrets.access, refreshToken: secrets.refresh } }),
    '.codex/auth.json': JSON.stringify({
      OPENAI_API_KEY: secrets.key,
      tokens: {
        access_token: secrets.access,
        refresh_token: secrets.refresh,
        id_token: 'a.eyJlbWFpbCI6InNvbWVvbmVAYWNtZS5leGFtcGxlIn0.sig',
      },
    }),
    '.codex/config.toml': `model = "m"\n[mcp_servers.gh]\ncommand = "npx"\n[mcp_servers.gh.env]\nGITHUB_TOKEN = "${secrets.mcp}"\n[mcp_servers.x]\nurl = "${secrets.url}"\nhttp_headers = { A = "${secrets.header}" }\n`,
    '.qwen/settings.json': JSON.stringify({
      env: { DASHSCOPE_API_KEY: secrets.key },
      security: { auth: { apiKey: secrets.access } },
      mcpServers,
    }),
    '.config/opencode/opencode.json': JSON.stringify({ provider: { openai: { options: { apiKey: secrets.key } } }, mcp: mcpServers }),
    '.local/share/opencode/auth.json': JSON.stringify({
      anthropic: { type: 'oauth', access: secrets.login, refresh: secrets.refresh },
      openai: { type: 'oauth', access: secrets.access, refresh: secrets.refresh, expires: 1 },
    }),
    '.qwen/oauth_creds.json': JSON.stringify({
      access_token: secrets.access,
      refresh_token: secrets.refresh,
      resource_url: 'portal.qwen.ai',
    }),
    '.gemini/settings.json': JSON.stringify({ mcpServers }),
    '.gemini/.env': `GEMINI_API_KEY=${secrets.key}\n`,
    '.gemini/oauth_creds.json': JSON.stringify({ access_token: secrets.access, refresh_token: secrets.refresh }),
  };
  const env = { ANTHROPIC_API_KEY: secrets.login, OPENAI_API_KEY: secrets.login, GEMINI_API_KEY: secrets.login };

  it.each(adapters.flatMap(({ id }) => [true, false].map((hasModels) => [id, hasModels] as const)))(
    '%s, models of ours: %s',
    (id, hasModels) => {
      const inside = JSON.stringify(containOf(id, view(env, home), { hasModels }));
      for (const secret of [...Object.values(secrets), 'someone@acme.example', 'print-key']) expect(inside).not.toContain(secret);
    },
  );

  it('broken settings files leave the agent on its defaults', () => {
    const broken = Object.fromEntries(Object.keys(home).map((name) => [name, '{"a": [1, '] as const));
    for (const { id } of adapters) expect(() => containOf(id, view({}, broken), { hasModels: true })).not.toThrow();
  });

  it('property: a token-shaped value never survives, wherever it stands', () => {
    const secret = fc.constantFrom(secrets.key, secrets.access, secrets.mcp, secrets.header, secrets.url);
    const value = fc.letrec((tie) => ({
      any: fc.oneof({ maxDepth: 4 }, fc.string(), fc.boolean(), secret, fc.array(tie('any')), fc.dictionary(fc.string(), tie('any'))),
    })).any;
    fc.assert(
      fc.property(value, (input) => {
        const text = JSON.stringify(withoutSecrets(JSON.parse(JSON.stringify(input)), () => undefined));
        for (const one of Object.values(secrets)) if (looksSecret(one)) expect(text).not.toContain(one);
      }),
    );
  });

  it('keeps what is no secret', () => {
    const settings = {
      model: 'opus',
      max_tokens: 5,
      env: { EDITOR: 'vim', KEY: '$MY_KEY' },
      env_key: 'OPENAI_API_KEY',
      permissions: { deny: ['Read(./.env)', 'Bash(git push --force-with-lease:*)'] },
    };
    expect(withoutSecrets(settings, () => undefined)).toEqual(settings);
  });
});

describe('which agent a program is', () => {
  it.each([
    ['claude', 'claude-code'],
    ['/usr/local/bin/codex', 'codex'],
    ['/x/node_modules/@google/gemini-cli/bundle/gemini.js', 'gemini-cli'],
    ['/x/node_modules/@qwen-code/qwen-code/cli-entry.js', 'qwen-code'],
    ['C:\\Users\\a\\node_modules\\opencode-ai\\bin\\opencode.exe', 'opencode'],
    ['/usr/bin/git', undefined],
    ['/x/claude/other', undefined],
  ])('%s -> %s', (program, id) => {
    expect(adapterFor(program)?.id).toBe(id);
  });

  it('follows a link to a package', () => {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'agents-'));
    try {
      fs.mkdirSync(path.join(dir, 'node_modules/@openai/codex/bin'), { recursive: true });
      fs.writeFileSync(path.join(dir, 'node_modules/@openai/codex/bin/codex.js'), '');
      fs.symlinkSync(path.join(dir, 'node_modules/@openai/codex/bin/codex.js'), path.join(dir, 'my-tool'));
      expect(adapterFor(path.join(dir, 'my-tool'))?.id).toBe('codex');
    } finally {
      fs.rmSync(dir, { recursive: true });
    }
  });
});

describe('why an agent talks to a place', () => {
  it.each([
    ['api.anthropic.com', '/v1/messages', 'model'],
    ['API.anthropic.com.', '/v1/messages?beta=true', 'model'],
    ['api.anthropic.com', '/v1/messages/count_tokens', 'model'],
    ['api.anthropic.com', '/api/event_logging/v2/batch', 'telemetry'],
    ['api.anthropic.com', '/api/eval/sdk-abc', 'remote-config'],
    ['api.anthropic.com', '/api/claude_code/settings', 'remote-config'],
    ['api.anthropic.com', '/v1/messagesX', 'other'],
    ['api.anthropic.com', '/v1/messages/../../api/event_logging', 'other'],
    ['api.anthropic.com', '/v1/messages%2f..%2fapi', 'other'],
    ['api.openai.com', '/v1/responses', 'model'],
    ['chatgpt.com', '/backend-api/codex/responses', 'model'],
    ['chatgpt.com', '/backend-api/plugins/export/curated', 'catalogue'],
    ['ab.chatgpt.com', '/otlp/v1/metrics', 'telemetry'],
    ['generativelanguage.googleapis.com', '/v1beta/models/g:streamGenerateContent', 'model'],
    ['cloudcode-pa.googleapis.com', '/v1internal:streamGenerateContent', 'model'],
    ['play.googleapis.com', '/log', 'telemetry'],
    ['gb4w8c3ygj-default-sea.rum.aliyuncs.com', '/', 'telemetry'],
    ['another.rum.aliyuncs.com', '/', 'telemetry'],
    ['notrum.aliyuncs.com', '/', undefined],
    ['evil-api.anthropic.com', '/v1/messages', undefined],
    ['api.anthropic.com.evil.example', '/v1/messages', undefined],
    ['github.com', '/acme/repo', undefined],
  ])('%s%s -> %s', (host, requestPath, expected) => {
    expect(endpointClass(host, requestPath)).toBe(expected);
  });
});
