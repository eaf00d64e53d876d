// opencode (npm opencode-ai; run: 1.18.33). It has no model host of its own; OPENCODE_CONFIG_CONTENT is merged after the project's
// files, so a repository cannot point the model traffic elsewhere.
import type { LoginFlow } from '../core/index.ts';
import { agent, type ContainInput, type Containment, type Credential, type Endpoint, type UserView } from './adapter.ts';
import { loginCredentials, tokenIds } from './login.ts';
import { names } from './names.ts';
import { hostOf, isTable, type Json, type JsonTable, parseTable, pathOf, stringAt, tableAt, withoutSecrets } from './scrub.ts';

const configFiles = ['.config/opencode/opencode.json', '.config/opencode/opencode.jsonc'] as const;
const loginFile = '.local/share/opencode/auth.json';
const defaultModel = 'default';

/** The one login with tokens that expire which it makes by itself; other providers are keys. */
const chatgpt: LoginFlow = {
  id: 'openai-login',
  token: { hosts: ['auth.openai.com'], path: '/oauth/token', form: 'form' },
  client: { id: 'app_EMoamEEZ73f0CkXaXp7hrann' },
  access: { hosts: ['chatgpt.com'], pathPrefix: '/backend-api', prefix: 'oat-' },
  refreshPrefix: 'rt_',
  identity: { namespace: 'https://api.openai.com/auth', claims: ['chatgpt_plan_type', 'chatgpt_account_id', 'chatgpt_user_id'] },
  file: { path: loginFile, access: ['openai', 'access'], refresh: ['openai', 'refresh'], expiresAt: ['openai', 'expires'] },
};

/** Where a key of a well-known provider goes when its entry names no base URL. */
const providers: Readonly<Record<string, { readonly host: string; readonly variable: string; readonly prefix: string }>> = {
  anthropic: { host: 'api.anthropic.com', variable: 'ANTHROPIC_API_KEY', prefix: 'sk-ant-api03-' },
  openai: { host: 'api.openai.com', variable: 'OPENAI_API_KEY', prefix: 'sk-proj-' },
  google: { host: 'generativelanguage.googleapis.com', variable: 'GOOGLE_GENERATIVE_AI_API_KEY', prefix: 'AIza' },
  openrouter: { host: 'openrouter.ai', variable: 'OPENROUTER_API_KEY', prefix: 'sk-or-v1-' },
  mistral: { host: 'api.mistral.ai', variable: 'MISTRAL_API_KEY', prefix: '' },
  deepseek: { host: 'api.deepseek.com', variable: 'DEEPSEEK_API_KEY', prefix: 'sk-' },
  opencode: { host: 'opencode.ai', variable: 'OPENCODE_API_KEY', prefix: 'sk-' },
};

function readConfig(user: UserView): JsonTable {
  let merged: JsonTable = {};
  for (const file of configFiles) merged = { ...merged, ...parseTable(user.readHome(file)) };
  return merged;
}

function credentials(user: UserView): readonly Credential[] {
  const found: Credential[] = [];
  const configured = tableAt(readConfig(user), 'provider');
  const destination = (id: string): { readonly hosts: readonly string[]; readonly pathPrefix: string } | undefined => {
    const url = stringAt(tableAt(configured, id, 'options'), 'baseURL');
    const own = hostOf(url);
    const host = own ?? (Object.hasOwn(providers, id) ? providers[id]?.host : undefined);
    return host === undefined ? undefined : { hosts: [host], pathPrefix: own === undefined ? '/' : pathOf(url) };
  };
  for (const [id, { variable, prefix }] of Object.entries(providers)) {
    const value = user.env[variable];
    const to = destination(id);
    if (value && to !== undefined) found.push({ id: `env:${variable}`, value, ...to, prefix });
  }
  for (const [id, entry] of Object.entries(configured)) {
    const key = isTable(entry) ? stringAt(tableAt(entry, 'options'), 'apiKey') : undefined;
    const to = destination(id);
    if (key !== undefined && to !== undefined && !key.startsWith('{')) found.push({ id: `config:${id}`, value: key, ...to, prefix: 'sk-' });
  }
  for (const [id, entry] of Object.entries(parseTable(user.readHome(loginFile)))) {
    if (!isTable(entry)) continue;
    const value = stringAt(entry, 'key');
    const to = destination(id);
    if (value !== undefined && to !== undefined) {
      found.push({ id: `login:${id}`, value, ...to, prefix: providers[id]?.prefix ?? 'sk-' });
    }
  }
  return [...found, ...loginCredentials(chatgpt, user)];
}

function contain(input: ContainInput): Containment {
  const { user, placeholders } = input;
  const known = credentials(user);
  const held = (id: string): string | undefined => (Object.hasOwn(placeholders, id) ? placeholders[id] : undefined);
  const replace = (text: string): string | undefined => {
    const match = known.find((credential) => credential.value === text);
    return match && held(match.id);
  };
  const env: Record<string, string> = { OPENCODE_DISABLE_AUTOUPDATE: '1', OPENCODE_DISABLE_LSP_DOWNLOAD: '1' };
  const session = held('session');
  const overlay: Record<string, Json> = { autoupdate: false, share: 'disabled' };
  const files: { path: string; text: string }[] = [];
  if (input.hasModels && session !== undefined) {
    const model = input.model ?? defaultModel;
    overlay['provider'] = {
      gateway: {
        npm: '@ai-sdk/openai-compatible',
        name: 'Gateway',
        options: { baseURL: `${input.gatewayUrl}/v1`, apiKey: session },
        models: { [model]: { name: model } },
      },
    };
    overlay['model'] = `gateway/${model}`;
    overlay['small_model'] = `gateway/${model}`;
    // The catalogue of other vendors' models is of no use here, and its host is closed.
    env['OPENCODE_DISABLE_MODELS_FETCH'] = '1';
  } else {
    for (const { id } of known) {
      const placeholder = held(id);
      if (id.startsWith('env:') && placeholder !== undefined) env[id.slice(4)] = placeholder;
    }
    const logins: Record<string, Json> = {};
    for (const { id } of known) {
      const placeholder = held(id);
      if (id.startsWith('login:') && placeholder !== undefined) logins[id.slice(6)] = { type: 'api', key: placeholder };
    }
    const access = held(tokenIds(chatgpt).access);
    if (access !== undefined) {
      const entry = tableAt(parseTable(user.readHome(loginFile)), 'openai');
      const refresh = input.usesLogin === false ? undefined : held(tokenIds(chatgpt).refresh);
      const { expires, accountId } = entry;
      logins['openai'] = {
        type: 'oauth',
        access,
        refresh: refresh ?? '',
        expires: refresh !== undefined && typeof expires === 'number' ? expires : Date.UTC(2099, 0, 1),
        ...(typeof accountId === 'string' ? { accountId } : {}),
      };
    }
    if (Object.keys(logins).length > 0) files.push({ path: loginFile, text: JSON.stringify(logins) });
  }
  env['OPENCODE_CONFIG_CONTENT'] = JSON.stringify(overlay);
  const clean = tableAt(withoutSecrets(readConfig(user), replace));
  if (Object.keys(clean).length > 0) files.push({ path: configFiles[0], text: JSON.stringify(clean, null, 2) });
  const memory = user.readHome('.config/opencode/AGENTS.md');
  if (memory !== undefined) files.push({ path: '.config/opencode/AGENTS.md', text: memory });
  return { env, files };
}

const endpoints: readonly Endpoint[] = [
  { host: 'opencode.ai', class: 'other' },
  { host: 'opencode.ai', path: '/zen', class: 'model' },
  { host: 'opencode.ai', path: '/s', class: 'tool' },
  { host: 'opencode.ai', path: '/.well-known/opencode', class: 'remote-config' },
  { host: 'opencode.ai', path: '/install', class: 'update' },
  { host: 'api.opencode.ai', class: 'tool' },
  { host: 'models.dev', class: 'catalogue' },
  { host: 'models.opencode.ai', class: 'catalogue' },
  { host: 'mcp.exa.ai', class: 'tool' },
  { host: 'api.github.com', path: '/repos/anomalyco/opencode', class: 'update' },
  { host: 'openrouter.ai', path: '/api/v1', class: 'model' },
  { host: 'api.mistral.ai', path: '/v1', class: 'model' },
  { host: 'api.deepseek.com', class: 'model' },
];

export const opencode = agent({
  id: 'opencode',
  name: 'opencode',
  vendor: 'Anomaly (SST)',
  jurisdiction: 'US',
  // It writes a .gitignore and its plugins' packages there, and ends when it cannot.
  scratch: ['.opencode'],
  ...names.opencode,
  dirs: ['.config/opencode', '.local/share/opencode'],
  dialects: ['openai-chat'],
  userAgent: /^opencode\//,
  settings: [
    { scope: 'managed', path: '/etc/opencode/opencode.json', format: 'jsonc' },
    { scope: 'managed', path: '/etc/opencode/opencode.jsonc', format: 'jsonc' },
    { scope: 'user', path: '~/.config/opencode/opencode.json', format: 'jsonc' },
    { scope: 'user', path: '~/.config/opencode/opencode.jsonc', format: 'jsonc' },
    { scope: 'project', path: 'opencode.json', format: 'jsonc' },
    { scope: 'project', path: 'opencode.jsonc', format: 'jsonc' },
    { scope: 'project', path: '.opencode/opencode.json', format: 'jsonc' },
    { scope: 'project', path: '.opencode/opencode.jsonc', format: 'jsonc' },
  ],
  mcp: [
    { scope: 'managed', path: '/etc/opencode/opencode.json', format: 'jsonc', key: ['mcp'] },
    { scope: 'user', path: '~/.config/opencode/opencode.json', format: 'jsonc', key: ['mcp'] },
    { scope: 'user', path: '~/.config/opencode/opencode.jsonc', format: 'jsonc', key: ['mcp'] },
    { scope: 'project', path: 'opencode.json', format: 'jsonc', key: ['mcp'] },
    { scope: 'project', path: 'opencode.jsonc', format: 'jsonc', key: ['mcp'] },
    { scope: 'project', path: '.opencode/opencode.json', format: 'jsonc', key: ['mcp'] },
  ],
  endpoints,
  logins: [chatgpt],
  credentials,
  contain,
});
