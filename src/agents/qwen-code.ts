// Qwen Code (npm @qwen-code/qwen-code; run: 0.24.4). It has no model host of its own that works without a login, so it is pointed at
// our gateway by name; `security.auth.selectedType` saves the flag `--auth-type`.
import type { LoginFlow } from '../core/index.ts';
import { agent, type ContainInput, type Containment, type Credential, type Endpoint, type UserView } from './adapter.ts';
import { loginCredentials, tokenIds } from './login.ts';
import { names } from './names.ts';
import { hostOf, isTable, type Json, looksSecret, parseTable, pathOf, stringAt, tableAt, withoutSecrets } from './scrub.ts';

const settingsFile = '.qwen/settings.json';
const defaultModel = 'qwen3-coder-plus';
const loginFile = '.qwen/oauth_creds.json';

/** The vendor ended this login on 2026-04-15: 0.24.4 still takes it where the user has set `security.auth.useExternal`, and else refuses it. */
const qwenAi: LoginFlow = {
  id: 'login',
  token: { hosts: ['chat.qwen.ai'], path: '/api/v1/oauth2/token', form: 'form' },
  client: { id: 'f0304373b74a44d2b584a3fb70ca9e56' },
  access: { hosts: ['portal.qwen.ai', 'dashscope.aliyuncs.com', 'dashscope-intl.aliyuncs.com'], pathPrefix: '/', prefix: '' },
  refreshPrefix: '',
  file: { path: loginFile, access: ['access_token'], refresh: ['refresh_token'], expiresAt: ['expiry_date'], host: ['resource_url'] },
};
const defaultHosts: Readonly<Record<string, string>> = {
  OPENAI_API_KEY: 'api.openai.com',
  DASHSCOPE_API_KEY: 'dashscope.aliyuncs.com',
  BAILIAN_CODING_PLAN_API_KEY: 'coding.dashscope.aliyuncs.com',
  ANTHROPIC_API_KEY: 'api.anthropic.com',
  GEMINI_API_KEY: 'generativelanguage.googleapis.com',
};

function credentials(user: UserView): readonly Credential[] {
  const settings = parseTable(user.readHome(settingsFile));
  const stored = tableAt(settings, 'env');
  const found: Credential[] = [];
  const add = (name: string, url: string | undefined): void => {
    const fromEnv = user.env[name];
    const value = fromEnv || stringAt(stored, name);
    const host = hostOf(url) ?? defaultHosts[name];
    const id = fromEnv ? `env:${name}` : `settings:${name}`;
    if (!value || host === undefined || found.some((one) => one.id === id)) return;
    found.push({ id, value, hosts: [host], pathPrefix: hostOf(url) === undefined ? '/' : pathOf(url), prefix: 'sk-' });
  };
  for (const list of Object.values(tableAt(settings, 'modelProviders'))) {
    if (!Array.isArray(list)) continue;
    for (const entry of list) {
      if (!isTable(entry)) continue;
      const name = stringAt(entry, 'envKey');
      if (name !== undefined) add(name, stringAt(entry, 'baseUrl'));
    }
  }
  const base = user.env['OPENAI_BASE_URL'] ?? stringAt(stored, 'OPENAI_BASE_URL');
  add('OPENAI_API_KEY', base);
  for (const name of Object.keys(defaultHosts)) add(name, undefined);
  const auth = tableAt(settings, 'security', 'auth');
  const key = stringAt(auth, 'apiKey');
  const host = hostOf(stringAt(auth, 'baseUrl') ?? base) ?? 'api.openai.com';
  if (key) found.push({ id: 'settings:security.auth.apiKey', value: key, hosts: [host], pathPrefix: '/', prefix: 'sk-' });
  return [...found, ...loginCredentials(qwenAi, user)];
}

function contain(input: ContainInput): Containment {
  const { user, placeholders } = input;
  const known = credentials(user);
  const held = (id: string): string | undefined => (Object.hasOwn(placeholders, id) ? placeholders[id] : undefined);
  const replace = (text: string): string | undefined => {
    const match = known.find((credential) => credential.value === text);
    return match && held(match.id);
  };
  const clean = tableAt(withoutSecrets(parseTable(user.readHome(settingsFile)), replace));
  const session = held('session');
  const env: Record<string, string> = {};
  const settings: Record<string, Json> = { ...clean, general: { ...tableAt(clean, 'general'), enableAutoUpdate: false } };
  // The model settings of the user would send it past the gateway that the configuration names.
  if (input.hasModels && session !== undefined) {
    const model = input.model ?? user.env['OPENAI_MODEL'] ?? defaultModel;
    env['OPENAI_BASE_URL'] = `${input.gatewayUrl}/v1`;
    env['OPENAI_API_KEY'] = session;
    env['OPENAI_MODEL'] = model;
    delete settings['modelProviders'];
    delete settings['env'];
    settings['security'] = { ...tableAt(clean, 'security'), auth: { selectedType: 'openai' } };
    settings['model'] = { ...tableAt(clean, 'model'), name: model };
  } else {
    for (const { id } of known) {
      const placeholder = held(id);
      const name = id.startsWith('env:') ? id.slice(4) : undefined;
      if (name !== undefined && placeholder !== undefined) env[name] = placeholder;
    }
    for (const name of ['OPENAI_BASE_URL', 'OPENAI_MODEL']) {
      const value = user.env[name];
      if (value) env[name] = value;
    }
    const auth = tableAt(clean, 'security', 'auth');
    const selectedType = stringAt(auth, 'selectedType') ?? (env['OPENAI_API_KEY'] === undefined ? undefined : 'openai');
    if (selectedType !== undefined) settings['security'] = { ...tableAt(clean, 'security'), auth: { ...auth, selectedType } };
  }
  const files = [{ path: settingsFile, text: JSON.stringify(settings, null, 2) }];
  const access = held(tokenIds(qwenAi).access);
  if (access !== undefined && input.usesLogin !== false) {
    const refresh = held(tokenIds(qwenAi).refresh);
    const { resource_url: resource, expiry_date: expiry } = parseTable(user.readHome(loginFile));
    const text = JSON.stringify({
      access_token: access,
      ...(refresh === undefined ? {} : { refresh_token: refresh }),
      token_type: 'Bearer',
      ...(typeof resource === 'string' && !looksSecret(resource) ? { resource_url: resource } : {}),
      expiry_date: refresh !== undefined && typeof expiry === 'number' ? expiry : Date.UTC(2099, 0, 1),
    });
    files.push({ path: loginFile, text });
  }
  const memory = user.readHome('.qwen/QWEN.md');
  if (memory !== undefined) files.push({ path: '.qwen/QWEN.md', text: memory });
  return { env, files };
}

const endpoints: readonly Endpoint[] = [
  ...[
    'dashscope.aliyuncs.com',
    'dashscope-intl.aliyuncs.com',
    'dashscope-us.aliyuncs.com',
    'cn-hongkong.dashscope.aliyuncs.com',
    'coding.dashscope.aliyuncs.com',
    'coding-intl.dashscope.aliyuncs.com',
    'token-plan.cn-beijing.maas.aliyuncs.com',
    'token-plan.ap-southeast-1.maas.aliyuncs.com',
    'api-inference.modelscope.cn',
  ].map((host): Endpoint => ({ host, class: 'model' })),
  { host: '.rum.aliyuncs.com', class: 'telemetry' },
  { host: 'gb4w8c3ygj-default-sea.rum.aliyuncs.com', class: 'telemetry' },
  { host: 'portal.qwen.ai', class: 'model' },
  { host: 'chat.qwen.ai', class: 'login' },
  { host: 'qwen-code-assets.oss-cn-hangzhou.aliyuncs.com', class: 'update' },
];

export const qwenCode = agent({
  id: 'qwen-code',
  name: 'Qwen Code',
  vendor: 'Alibaba (Qwen)',
  jurisdiction: 'CN',
  ...names['qwen-code'],
  dirs: ['.qwen'],
  dialects: ['openai-chat'],
  userAgent: /^QwenCode\//,
  settings: [
    { scope: 'managed', path: '/etc/qwen-code/settings.json', format: 'jsonc' },
    { scope: 'managed', path: '/etc/qwen-code/system-defaults.json', format: 'jsonc' },
    { scope: 'user', path: '~/.qwen/settings.json', format: 'jsonc' },
    { scope: 'project', path: '.qwen/settings.json', format: 'jsonc' },
  ],
  mcp: [
    { scope: 'managed', path: '/etc/qwen-code/settings.json', format: 'jsonc', key: ['mcpServers'] },
    { scope: 'user', path: '~/.qwen/settings.json', format: 'jsonc', key: ['mcpServers'] },
    { scope: 'project', path: '.qwen/settings.json', format: 'jsonc', key: ['mcpServers'] },
  ],
  endpoints,
  logins: [qwenAi],
  credentials,
  contain,
});
