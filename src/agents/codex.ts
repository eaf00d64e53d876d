// Codex CLI (npm @openai/codex; run: 0.169.0). A key in ~/.codex/auth.json is enough for it to call api.openai.com/v1/responses; it
// asks for a WebSocket first and falls back to HTTP on 426.
import { parse, stringify } from 'smol-toml';
import type { LoginFlow } from '../core/index.ts';
import { agent, type ContainInput, type Containment, type Credential, type Endpoint, type UserView } from './adapter.ts';
import { loginCredentials, stringIn, tokenIds, withoutIdentity } from './login.ts';
import { names } from './names.ts';
import { hostOf, isJson, isTable, type JsonTable, parseTable, pathOf, stringAt, tableAt, withoutSecrets } from './scrub.ts';

const configFile = '.codex/config.toml';
const loginFile = '.codex/auth.json';
const apiHost = 'api.openai.com';
const loginHost = 'chatgpt.com';

const chatgpt: LoginFlow = {
  id: 'login',
  token: { hosts: ['auth.openai.com'], path: '/oauth/token', form: 'json' },
  client: { id: 'app_EMoamEEZ73f0CkXaXp7hrann' },
  access: { hosts: [loginHost], pathPrefix: '/backend-api', prefix: 'oat-' },
  refreshPrefix: 'rt_',
  identity: { namespace: 'https://api.openai.com/auth', claims: ['chatgpt_plan_type', 'chatgpt_account_id', 'chatgpt_user_id'] },
  file: {
    path: loginFile,
    access: ['tokens', 'access_token'],
    refresh: ['tokens', 'refresh_token'],
    identity: ['tokens', 'id_token'],
    renewedAt: ['last_refresh'],
  },
};

function readConfig(user: UserView): JsonTable {
  const text = user.readHome(configFile);
  if (text === undefined) return {};
  try {
    const value: unknown = JSON.parse(JSON.stringify(parse(text)));
    return isJson(value, 0) && isTable(value) ? value : {};
  } catch {
    return {}; // Codex would stop at it; inside it gets its defaults, and `audit` reports the file.
  }
}

function credentials(user: UserView): readonly Credential[] {
  const config = readConfig(user);
  const login = parseTable(user.readHome(loginFile));
  const base = stringAt(config, 'openai_base_url') ?? user.env['OPENAI_BASE_URL'];
  const host = hostOf(base) ?? apiHost;
  const pathPrefix = hostOf(base) === undefined ? '/' : pathOf(base);
  const found: Credential[] = [];
  const key = stringAt(login, 'OPENAI_API_KEY');
  if (key) found.push({ id: 'login:OPENAI_API_KEY', value: key, hosts: [host], pathPrefix, prefix: 'sk-proj-' });
  found.push(...loginCredentials(chatgpt, user));
  for (const name of ['OPENAI_API_KEY', 'CODEX_API_KEY']) {
    const value = user.env[name];
    if (value) found.push({ id: `env:${name}`, value, hosts: [host], pathPrefix, prefix: 'sk-proj-' });
  }
  for (const [id, provider] of Object.entries(tableAt(config, 'model_providers'))) {
    if (!isTable(provider)) continue;
    const url = stringAt(provider, 'base_url');
    const to = hostOf(url);
    if (to === undefined) continue;
    const name = stringAt(provider, 'env_key');
    const value = name === undefined ? undefined : user.env[name];
    // A name that is listed above already keeps that meaning: one variable cannot hold two placeholders.
    if (name !== undefined && value && !found.some((one) => one.id === `env:${name}`)) {
      found.push({ id: `env:${name}`, value, hosts: [to], pathPrefix: pathOf(url), prefix: 'sk-' });
    }
    const bearer = stringAt(provider, 'experimental_bearer_token');
    if (bearer) found.push({ id: `provider:${id}`, value: bearer, hosts: [to], pathPrefix: pathOf(url), prefix: 'sk-' });
  }
  return found;
}

function contain(input: ContainInput): Containment {
  const { user, placeholders } = input;
  const known = credentials(user);
  const held = (id: string): string | undefined => (Object.hasOwn(placeholders, id) ? placeholders[id] : undefined);
  const replace = (text: string): string | undefined => {
    const match = known.find((credential) => credential.value === text);
    return match && held(match.id);
  };
  const env: Record<string, string> = {};
  for (const { id } of known) {
    const name = id.startsWith('env:') ? id.slice(4) : undefined;
    const placeholder = held(id);
    if (name !== undefined && placeholder !== undefined) env[name] = placeholder;
  }
  const files: { path: string; text: string }[] = [];
  const login = parseTable(user.readHome(loginFile));
  const ids = tokenIds(chatgpt);
  const access = held(ids.access);
  const key = held('login:OPENAI_API_KEY') ?? held('env:OPENAI_API_KEY') ?? held('env:CODEX_API_KEY');
  if (access !== undefined) {
    // Without a refresh token, `last_refresh` in the far future keeps Codex from asking for one.
    const refresh = input.usesLogin === false ? undefined : held(ids.refresh);
    const text = JSON.stringify({
      auth_mode: 'chatgpt',
      OPENAI_API_KEY: null,
      tokens: {
        id_token: withoutIdentity(chatgpt, stringIn(login, ['tokens', 'id_token'])),
        access_token: access,
        refresh_token: refresh ?? '',
        account_id: tableAt(login, 'tokens')['account_id'] ?? null,
      },
      last_refresh: refresh === undefined ? '2099-01-01T00:00:00Z' : (stringAt(login, 'last_refresh') ?? null),
    });
    files.push({ path: loginFile, text });
  } else if (key !== undefined) {
    files.push({ path: loginFile, text: JSON.stringify({ OPENAI_API_KEY: key }) });
  } else if (input.hasModels && held('session') !== undefined) {
    files.push({ path: loginFile, text: JSON.stringify({ OPENAI_API_KEY: held('session') ?? '' }) });
  }
  const clean = tableAt(withoutSecrets(readConfig(user), replace));
  const config = {
    ...clean,
    // Codex's own sandbox cannot nest in ours, which is the stricter of the two; its approvals stay as the user has them.
    sandbox_mode: 'danger-full-access',
    check_for_update_on_startup: false,
    // With a login it compresses what it sends to its model, which nobody could inspect.
    features: { ...tableAt(clean, 'features'), enable_request_compression: false },
    projects: { [input.workspace]: { trust_level: 'trusted' } },
  };
  files.push({ path: configFile, text: stringify(config) });
  const memory = user.readHome('.codex/AGENTS.md');
  if (memory !== undefined) files.push({ path: '.codex/AGENTS.md', text: memory });
  return { env, files };
}

const endpoints: readonly Endpoint[] = [
  { host: apiHost, class: 'other' },
  { host: apiHost, path: '/v1/responses', class: 'model' },
  { host: apiHost, path: '/v1/chat/completions', class: 'model' },
  { host: apiHost, path: '/v1/embeddings', class: 'model' },
  { host: apiHost, path: '/v1/models', class: 'catalogue' },
  { host: loginHost, class: 'other' },
  { host: loginHost, path: '/backend-api', class: 'remote-config' },
  { host: loginHost, path: '/backend-api/codex/responses', class: 'model' },
  { host: loginHost, path: '/backend-api/codex/models', class: 'catalogue' },
  { host: loginHost, path: '/backend-api/codex/analytics-events', class: 'telemetry' },
  { host: loginHost, path: '/backend-api/plugins', class: 'catalogue' },
  { host: 'ab.chatgpt.com', class: 'telemetry' },
  { host: 'o33249.ingest.us.sentry.io', class: 'telemetry' },
  { host: 'auth.openai.com', class: 'login' },
  { host: 'github.com', path: '/openai/plugins', class: 'catalogue' },
  { host: 'github.com', path: '/openai/codex/releases', class: 'update' },
  { host: 'api.github.com', path: '/repos/openai/plugins', class: 'catalogue' },
  { host: 'api.github.com', path: '/repos/openai/codex', class: 'update' },
];

export const codex = agent({
  id: 'codex',
  name: 'Codex CLI',
  vendor: 'OpenAI',
  jurisdiction: 'US',
  ...names.codex,
  dirs: ['.codex'],
  dialects: ['openai-responses'],
  userAgent: /^codex[_-]/,
  settings: [
    { scope: 'managed', path: '/etc/codex/requirements.toml', format: 'toml' },
    { scope: 'managed', path: '/etc/codex/managed_config.toml', format: 'toml' },
    { scope: 'managed', path: '/etc/codex/config.toml', format: 'toml' },
    { scope: 'user', path: '~/.codex/config.toml', format: 'toml' },
    { scope: 'project', path: '.codex/config.toml', format: 'toml' },
  ],
  mcp: [
    { scope: 'user', path: '~/.codex/config.toml', format: 'toml', key: ['mcp_servers'] },
    { scope: 'project', path: '.codex/config.toml', format: 'toml', key: ['mcp_servers'] },
  ],
  endpoints,
  logins: [chatgpt],
  credentials,
  contain,
});
