// Gemini CLI (npm @google/gemini-cli; run: 0.61.0). It stays on generativelanguage.googleapis.com, which we intercept; without
// `security.auth.selectedType` it exits 41, without a trusted workspace 55.
import type { LoginFlow } from '../core/index.ts';
import { agent, type ContainInput, type Containment, type Credential, type Endpoint, type UserView } from './adapter.ts';
import { loginCredentials, tokenIds } from './login.ts';
import { names } from './names.ts';
import { hostOf, type Json, parseTable, pathOf, stringAt, tableAt, withoutSecrets } from './scrub.ts';

const settingsFile = '.gemini/settings.json';
const loginFile = '.gemini/oauth_creds.json';
const apiHost = 'generativelanguage.googleapis.com';
const loginHost = 'cloudcode-pa.googleapis.com';
const defaultModel = 'gemini-3.1-pro-preview';

const google: LoginFlow = {
  id: 'login',
  // It asks about the token before it uses it, and takes the login for void without an answer.
  token: { hosts: ['oauth2.googleapis.com'], path: '/token', infoPath: '/tokeninfo', form: 'form' },
  client: {
    id: '681255809395-oo8ft2oprdrnp9e3aqf6av3hmdib135j.apps.googleusercontent.com',
    secretSha256: '6a5f78b8b99dd4025e41ba11bf54c304c6af29f924c5569cc7865b2428ce03a9',
  },
  access: { hosts: [loginHost], pathPrefix: '/', prefix: 'ya29.' },
  refreshPrefix: '1//',
  file: { path: loginFile, access: ['access_token'], refresh: ['refresh_token'], identity: ['id_token'], expiresAt: ['expiry_date'] },
};

const variables = ['GEMINI_API_KEY', 'GOOGLE_API_KEY'] as const;

/** Keys stand in the environment or in `~/.gemini/.env`. */
function variable(user: UserView, name: string): string | undefined {
  if (user.env[name]) return user.env[name];
  for (const line of user.readHome('.gemini/.env')?.split(/\r?\n/) ?? []) {
    const match = /^\s*(?:export\s+)?(\w+)\s*=\s*(.*?)\s*$/.exec(line);
    if (match?.[1] === name) return match[2]?.replace(/^(["'])(.*)\1$/, '$2') || undefined;
  }
  return undefined;
}

function credentials(user: UserView): readonly Credential[] {
  const found: Credential[] = [];
  const base = variable(user, 'GOOGLE_GEMINI_BASE_URL');
  const host = hostOf(base) ?? apiHost;
  for (const name of variables) {
    const value = variable(user, name);
    if (value) {
      found.push({ id: `env:${name}`, value, hosts: [host], pathPrefix: hostOf(base) === undefined ? '/' : pathOf(base), prefix: 'AIza' });
    }
  }
  return [...found, ...loginCredentials(google, user)];
}

function contain(input: ContainInput): Containment {
  const { user, placeholders } = input;
  const known = credentials(user);
  const held = (id: string): string | undefined => (Object.hasOwn(placeholders, id) ? placeholders[id] : undefined);
  const replace = (text: string): string | undefined => {
    const match = known.find((credential) => credential.value === text);
    return match && held(match.id);
  };
  const env: Record<string, string> = { GEMINI_CLI_TRUST_WORKSPACE: 'true' };
  const files: { path: string; text: string }[] = [];
  for (const name of variables) {
    const placeholder = held(`env:${name}`);
    if (placeholder !== undefined) env[name] = placeholder;
  }
  const base = variable(user, 'GOOGLE_GEMINI_BASE_URL');
  if (base !== undefined && hostOf(base) !== undefined && !input.hasModels) env['GOOGLE_GEMINI_BASE_URL'] = base;
  const loginPlaceholder = held(tokenIds(google).access);
  const session = held('session');
  if (known.length === 0 && input.hasModels && session !== undefined) env['GEMINI_API_KEY'] = session;

  const clean = tableAt(withoutSecrets(parseTable(user.readHome(settingsFile)), replace));
  const auth = tableAt(clean, 'security', 'auth');
  const hasKey = variables.some((name) => env[name] !== undefined);
  const chosen = stringAt(auth, 'selectedType');
  const selectedType = chosen === 'oauth-personal' && loginPlaceholder !== undefined ? chosen : hasKey ? 'gemini-api-key' : chosen;
  const settings: Record<string, Json> = { ...clean, general: { ...tableAt(clean, 'general'), enableAutoUpdate: false } };
  if (selectedType !== undefined) settings['security'] = { ...tableAt(clean, 'security'), auth: { ...auth, selectedType } };
  // Its automatic choice of a model asks a second model first, and insists on an answer in JSON that small models do not give.
  if (input.hasModels && stringAt(tableAt(clean, 'model'), 'name') === undefined) {
    settings['model'] = { ...tableAt(clean, 'model'), name: input.model ?? defaultModel };
  }
  files.push({ path: settingsFile, text: JSON.stringify(settings, null, 2) });
  if (loginPlaceholder !== undefined) {
    const refresh = input.usesLogin === false ? undefined : held(tokenIds(google).refresh);
    const { expiry_date: expiry } = parseTable(user.readHome(loginFile));
    const text = JSON.stringify({
      access_token: loginPlaceholder,
      ...(refresh === undefined ? {} : { refresh_token: refresh }),
      token_type: 'Bearer',
      expiry_date: refresh !== undefined && typeof expiry === 'number' ? expiry : Date.UTC(2099, 0, 1),
    });
    files.push({ path: loginFile, text });
  }
  const memory = user.readHome('.gemini/GEMINI.md');
  if (memory !== undefined) files.push({ path: '.gemini/GEMINI.md', text: memory });
  return { env, files };
}

const endpoints: readonly Endpoint[] = [
  { host: apiHost, class: 'other' },
  { host: apiHost, path: '/v1beta/models', class: 'model' },
  { host: apiHost, path: '/v1/models', class: 'model' },
  { host: apiHost, path: '/v1beta/openai', class: 'model' },
  { host: loginHost, class: 'other' },
  { host: loginHost, path: '/v1internal', class: 'remote-config' },
  { host: loginHost, path: '/v1internal:generateContent', class: 'model' },
  { host: loginHost, path: '/v1internal:streamGenerateContent', class: 'model' },
  { host: loginHost, path: '/v1internal:countTokens', class: 'model' },
  { host: loginHost, path: '/v1internal:recordCodeAssistMetrics', class: 'telemetry' },
  { host: 'play.googleapis.com', class: 'telemetry' },
  { host: 'accounts.google.com', class: 'login' },
  { host: 'oauth2.googleapis.com', class: 'login' },
];

export const geminiCli = agent({
  id: 'gemini-cli',
  name: 'Gemini CLI',
  vendor: 'Google',
  jurisdiction: 'US',
  ...names['gemini-cli'],
  dirs: ['.gemini'],
  dialects: ['gemini'],
  userAgent: /^GeminiCLI/,
  settings: [
    { scope: 'managed', path: '/etc/gemini-cli/settings.json', format: 'jsonc' },
    { scope: 'managed', path: '/etc/gemini-cli/system-defaults.json', format: 'jsonc' },
    { scope: 'user', path: '~/.gemini/settings.json', format: 'jsonc' },
    { scope: 'project', path: '.gemini/settings.json', format: 'jsonc' },
  ],
  mcp: [
    { scope: 'managed', path: '/etc/gemini-cli/settings.json', format: 'jsonc', key: ['mcpServers'] },
    { scope: 'user', path: '~/.gemini/settings.json', format: 'jsonc', key: ['mcpServers'] },
    { scope: 'project', path: '.gemini/settings.json', format: 'jsonc', key: ['mcpServers'] },
  ],
  endpoints,
  logins: [google],
  credentials,
  contain,
});
