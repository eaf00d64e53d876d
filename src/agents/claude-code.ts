// Claude Code (npm @anthropic-ai/claude-code; read and run: 2.1.197, 2.1.330). It stays on api.anthropic.com, which we intercept:
// docs/decisions/0080-agents-keep-their-vendor-host.md says why.
import type { LoginFlow } from '../core/index.ts';
import { agent, type ContainInput, type Containment, type Credential, type Endpoint, type UserView } from './adapter.ts';
import { loginCredentials, tokenIds } from './login.ts';
import { names } from './names.ts';
import { hostOf, type Json, parseTable, pathOf, stringAt, tableAt, withoutSecrets } from './scrub.ts';

const modelHost = 'api.anthropic.com';
const keyPrefix = 'sk-ant-api03-';
const loginPrefix = 'sk-ant-oat01-';
const stateFile = '.claude.json';
const settingsFile = '.claude/settings.json';
const loginFile = '.claude/.credentials.json';

const claudeAi: LoginFlow = {
  id: 'login',
  // 2.1.197 asks platform.claude.com as well; older ones the console.
  token: { hosts: ['platform.claude.com', 'console.anthropic.com'], path: '/v1/oauth/token', form: 'json' },
  client: { id: '9d1c250a-e61b-44d9-88ed-5944d1962f5e' },
  access: { hosts: [modelHost], pathPrefix: '/', prefix: loginPrefix },
  // A login of the console (read: 2.1.330). The answer is `{"raw_key": "…"}`.
  key: { hosts: [modelHost], path: '/api/oauth/claude_cli/create_api_key', member: 'raw_key', prefix: keyPrefix },
  refreshPrefix: 'sk-ant-ort01-',
  file: {
    path: loginFile,
    access: ['claudeAiOauth', 'accessToken'],
    refresh: ['claudeAiOauth', 'refreshToken'],
    expiresAt: ['claudeAiOauth', 'expiresAt'],
  },
};

/** Where the user's credentials are meant to go. INVARIANT: a key for a company's gateway is never bound to the vendor, nor the other way round. */
function destination(user: UserView): { readonly host: string; readonly pathPrefix: string; readonly url: string | undefined } {
  const url = user.env['ANTHROPIC_BASE_URL'] ?? stringAt(tableAt(parseTable(user.readHome(settingsFile)), 'env'), 'ANTHROPIC_BASE_URL');
  const host = hostOf(url);
  return host === undefined || host === modelHost
    ? { host: modelHost, pathPrefix: '/', url: undefined }
    : { host, pathPrefix: pathOf(url), url };
}

const variables: readonly { readonly name: string; readonly prefix: string }[] = [
  { name: 'ANTHROPIC_API_KEY', prefix: keyPrefix },
  { name: 'ANTHROPIC_AUTH_TOKEN', prefix: 'sk-ant-' },
  { name: 'CLAUDE_CODE_OAUTH_TOKEN', prefix: loginPrefix },
];

function credentials(user: UserView): readonly Credential[] {
  const { host, pathPrefix } = destination(user);
  const settings = tableAt(parseTable(user.readHome(settingsFile)), 'env');
  const found: Credential[] = [];
  for (const { name, prefix } of variables) {
    const fromEnv = user.env[name];
    const value = fromEnv || stringAt(settings, name);
    if (value) found.push({ id: fromEnv ? `env:${name}` : `settings:${name}`, value, hosts: [host], pathPrefix, prefix });
  }
  const own = stringAt(parseTable(user.readHome(stateFile)), 'primaryApiKey');
  if (own) found.push({ id: 'state:primaryApiKey', value: own, hosts: [modelHost], pathPrefix: '/', prefix: keyPrefix });
  return [...found, ...loginCredentials(claudeAi, user)];
}

function contain(input: ContainInput): Containment {
  const { user, placeholders } = input;
  const known = credentials(user);
  const held = (id: string): string | undefined => (Object.hasOwn(placeholders, id) ? placeholders[id] : undefined);
  const replace = (text: string): string | undefined => {
    const match = known.find((credential) => credential.value === text);
    return match && held(match.id);
  };
  const { url } = destination(user);
  const env: Record<string, string> = { DISABLE_AUTOUPDATER: '1' };
  if (url !== undefined && !input.hasModels) env['ANTHROPIC_BASE_URL'] = url;
  for (const { name } of variables) {
    const placeholder = held(`env:${name}`) ?? held(`settings:${name}`);
    if (placeholder !== undefined) env[name] = placeholder;
  }
  const login = parseTable(user.readHome(loginFile));
  const loginPlaceholder = held(tokenIds(claudeAi).access);
  const ownPlaceholder = held('state:primaryApiKey');
  const session = held('session');
  if (known.length === 0 && input.hasModels && session !== undefined) env['ANTHROPIC_API_KEY'] = session;

  const files: { path: string; text: string }[] = [];
  const state = parseTable(user.readHome(stateFile));
  const project = tableAt(state, 'projects', input.workspace);
  const approved = [env['ANTHROPIC_API_KEY'], ownPlaceholder].flatMap((key) => (key === undefined ? [] : [key.slice(-20)]));
  const seed: Record<string, Json> = {
    // What the program asks at its first start, answered: the sandbox is what protects, not these questions.
    hasCompletedOnboarding: true,
    bypassPermissionsModeAccepted: true,
    theme: stringAt(state, 'theme') ?? 'dark',
    autoUpdates: false,
    customApiKeyResponses: { approved, rejected: [] },
    mcpServers: withoutSecrets(tableAt(state, 'mcpServers'), replace),
    projects: {
      [input.workspace]: {
        hasTrustDialogAccepted: true,
        hasCompletedProjectOnboarding: true,
        allowedTools: project['allowedTools'] ?? [],
        mcpServers: withoutSecrets(tableAt(project, 'mcpServers'), replace),
      },
    },
  };
  if (ownPlaceholder !== undefined) seed['primaryApiKey'] = ownPlaceholder;
  files.push({ path: stateFile, text: JSON.stringify(seed) });

  const settings = parseTable(user.readHome(settingsFile));
  if (Object.keys(settings).length > 0) {
    const clean = withoutSecrets(settings, replace);
    const { ANTHROPIC_BASE_URL: _base, ...kept } = tableAt(clean, 'env');
    files.push({ path: settingsFile, text: JSON.stringify({ ...tableAt(clean), env: kept }, null, 2) });
  }
  if (loginPlaceholder !== undefined) {
    const oauth = tableAt(login, 'claudeAiOauth');
    const refresh = input.usesLogin === false ? undefined : held(tokenIds(claudeAi).refresh);
    const { expiresAt } = oauth;
    const text = JSON.stringify({
      claudeAiOauth: {
        accessToken: loginPlaceholder,
        refreshToken: refresh ?? '',
        expiresAt: refresh !== undefined && typeof expiresAt === 'number' ? expiresAt : Date.UTC(2099, 0, 1),
        scopes: oauth['scopes'] ?? ['user:inference', 'user:profile'],
        subscriptionType: oauth['subscriptionType'] ?? null,
      },
    });
    files.push({ path: loginFile, text });
  }
  const memory = user.readHome('.claude/CLAUDE.md');
  if (memory !== undefined) files.push({ path: '.claude/CLAUDE.md', text: memory });
  return { env, files };
}

const endpoints: readonly Endpoint[] = [
  { host: modelHost, class: 'other' },
  { host: modelHost, path: '/v1/messages', class: 'model' },
  { host: modelHost, path: '/v1/models', class: 'catalogue' },
  { host: modelHost, path: '/v1/complete', class: 'model' },
  { host: modelHost, path: '/api/hello', class: 'remote-config' },
  { host: modelHost, path: '/api/event_logging', class: 'telemetry' },
  { host: modelHost, path: '/api/claude_code/metrics', class: 'telemetry' },
  { host: modelHost, path: '/api/claude_code/organizations/metrics_enabled', class: 'telemetry' },
  { host: modelHost, path: '/api/claude_cli_feedback', class: 'telemetry' },
  { host: modelHost, path: '/api/eval', class: 'remote-config' },
  { host: modelHost, path: '/api/claude_code', class: 'remote-config' },
  { host: modelHost, path: '/api/claude_code_penguin_mode', class: 'remote-config' },
  { host: modelHost, path: '/api/claude_cli', class: 'remote-config' },
  { host: modelHost, path: '/api/oauth', class: 'login' },
  { host: modelHost, path: '/v1/oauth', class: 'login' },
  { host: modelHost, path: '/api/directory', class: 'catalogue' },
  { host: modelHost, path: '/mcp-registry', class: 'catalogue' },
  { host: 'http-intake.logs.us5.datadoghq.com', class: 'telemetry' },
  { host: 'statsig.anthropic.com', class: 'telemetry' },
  { host: 'cdn.growthbook.io', class: 'remote-config' },
  { host: 'claude.ai', class: 'login' },
  { host: 'platform.claude.com', class: 'login' },
  { host: 'console.anthropic.com', class: 'login' },
  { host: 'downloads.claude.ai', class: 'catalogue' },
  { host: 'downloads.claude.ai', path: '/claude-code-releases', class: 'update' },
  { host: 'downloads.claude.ai', path: '/claude-code-releases/plugins', class: 'catalogue' },
  { host: 'microsoft365.mcp.claude.com', class: 'tool' },
  { host: 'mcp-proxy.anthropic.com', class: 'tool' },
];

export const claudeCode = agent({
  id: 'claude-code',
  name: 'Claude Code',
  vendor: 'Anthropic',
  jurisdiction: 'US',
  ...names['claude-code'],
  dirs: ['.claude'],
  dialects: ['anthropic-messages'],
  userAgent: /^claude-(cli|code)\//,
  settings: [
    { scope: 'managed', path: '/etc/claude-code/managed-settings.json', format: 'json' },
    { scope: 'user', path: '~/.claude/settings.json', format: 'json' },
    { scope: 'project', path: '.claude/settings.json', format: 'json' },
    { scope: 'local', path: '.claude/settings.local.json', format: 'json' },
    { scope: 'state', path: '~/.claude.json', format: 'json' },
  ],
  mcp: [
    { scope: 'managed', path: '/etc/claude-code/managed-mcp.json', format: 'json', key: ['mcpServers'] },
    { scope: 'user', path: '~/.claude.json', format: 'json', key: ['mcpServers'] },
    { scope: 'local', path: '~/.claude.json', format: 'json', key: ['projects', '*', 'mcpServers'] },
    { scope: 'project', path: '.mcp.json', format: 'json', key: ['mcpServers'] },
  ],
  endpoints,
  logins: [claudeAi],
  credentials,
  contain,
});
