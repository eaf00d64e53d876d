// What holds when nobody has configured anything: the vendors' own hosts with the user's own credential, everything else closed.
import type { Config, ProviderConfig } from './config.ts';

const vendor = (id: string, dialect: ProviderConfig['dialect'], url: string): ProviderConfig => ({
  id,
  dialect,
  url,
  perimeter: 'public',
  vetted: false,
  key: undefined,
  timeoutMs: 600_000,
  credential: 'client',
});

/** A provider speaks one dialect; OpenAI's two ways in are two providers. */
export const vendorProviders: readonly ProviderConfig[] = [
  vendor('anthropic', 'anthropic-messages', 'https://api.anthropic.com'),
  vendor('openai', 'openai-responses', 'https://api.openai.com/v1'),
  vendor('openai-chat', 'openai-chat', 'https://api.openai.com/v1'),
  vendor('gemini', 'gemini', 'https://generativelanguage.googleapis.com'),
];

export const defaultConfig: Config = {
  organization: undefined,
  providers: vendorProviders,
  models: [{ match: '*', targets: vendorProviders.map(({ id }) => `${id}/*`) }],
  repositories: [],
  defaultPurpose: 'research',
  tools: {},
  attestation: 'optional',
  packs: ['baseline', 'perimeter'],
  policies: [],
  keys: [],
  inspect: { secrets: 'placeholder', secretFiles: [], personalData: 'off' },
  signing: { ssh: [], gpg: [] },
  providerTools: 'strip',
  telemetry: { otlp: undefined },
  egress: { allow: [] },
  inside: [],
  resolve: [],
  resolvers: [],
  trust: [],
  files: [],
};
