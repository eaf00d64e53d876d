// The JSON Schema of `intramur.yaml`, as data. The loader validates against it and the documentation is made from it.
import { classifications, dialects, perimeters, purposes, vettings } from '../core/index.ts';
import type { JsonSchema } from './validate.ts';

const id: JsonSchema = {
  type: 'string',
  pattern: '^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$',
  'x-expected': 'a short name of letters, digits and . _ @ - that begins with a letter or digit',
};

const directory: JsonSchema = { type: 'string', pattern: '^[^\\0]+$', maxLength: 4096, 'x-expected': 'a path' };

const provider: JsonSchema = {
  type: 'object',
  description: 'Somebody who serves a model.',
  required: ['id', 'dialect', 'url', 'perimeter'],
  additionalProperties: false,
  properties: {
    id: { ...id, description: 'The name by which `models` refers to it.' },
    dialect: { type: 'string', enum: dialects, description: 'The wire format it speaks.' },
    url: {
      type: 'string',
      maxLength: 2048,
      description:
        'What precedes `/v1/messages`; `/chat/completions` and `/responses` (so with `/v1`); `/v1beta/models`. `http://` is allowed.',
    },
    perimeter: {
      type: 'string',
      enum: perimeters,
      description: 'Where it stands. The address of an onprem target is loopback, private or in `inside`.',
    },
    vetted: { type: 'boolean', description: 'Whether `production` may use it. Default: true for onprem and vpc, false for public.' },
    key: {
      type: 'string',
      pattern: '^(env:[A-Za-z_][A-Za-z0-9_]*|none|client)$',
      'x-expected': '"env:NAME", "none" or "client"; a key itself never stands in this file',
      description:
        "`env:NAME`: the variable of the daemon that holds the key. `client`: the caller's own credential is passed on. Default: none.",
    },
    timeoutMs: { type: 'integer', minimum: 1, maximum: 3_600_000, default: 600_000, description: "Until the upstream's answer begins." },
  },
};

const key: JsonSchema = {
  type: 'object',
  description: 'A person or program outside the sandbox.',
  required: ['id', 'sha256'],
  additionalProperties: false,
  properties: {
    id,
    sha256: { type: 'string', pattern: '^[0-9a-fA-F]{64}$', 'x-expected': 'the SHA-256 of the key in 64 hexadecimal digits' },
    user: id,
    team: id,
    tool: id,
    purpose: { type: 'string', enum: purposes },
    classification: { type: 'string', enum: classifications, description: 'What comes with this key is at least of this class.' },
    budget: {
      type: 'object',
      required: ['per'],
      additionalProperties: false,
      properties: {
        requests: { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER },
        tokens: { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER },
        usd: { type: 'number', minimum: 0, maximum: 1_000_000_000 },
        per: { type: 'string', enum: ['hour', 'day', 'week', 'month'] },
      },
    },
  },
};

const tool: JsonSchema = {
  type: 'object',
  required: ['status'],
  additionalProperties: false,
  properties: {
    status: { type: 'string', enum: vettings },
    versions: {
      type: 'string',
      maxLength: 200,
      pattern: '^\\s*(?:(?:[<>]=?|=)?\\s*\\d+(?:\\.\\d+){0,2}(?:-[0-9A-Za-z.-]+)?\\s*)+$',
      'x-expected': 'comparisons of versions such as ">=2.1.198 <3"',
    },
    sha256: { type: 'string', pattern: '^[0-9a-fA-F]{64}$', 'x-expected': 'a SHA-256 in 64 hexadecimal digits' },
  },
};

export const configSchema: JsonSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'intramur.yaml',
  type: 'object',
  additionalProperties: false,
  properties: {
    organization: { ...id, description: 'The name of the company, as policies see it.' },
    providers: { type: 'array', maxItems: 1000, items: provider },
    models: {
      type: 'object',
      maxProperties: 10_000,
      description: 'What an agent asks for (`*` matches any run of characters) and where it may go. `PROVIDER/*` keeps the name.',
      propertyNames: { pattern: '^[^\\p{C}\\s]{1,256}$', 'x-expected': 'a model name, in which * matches any run of characters' },
      additionalProperties: {
        type: 'array',
        minItems: 1,
        maxItems: 100,
        items: {
          type: 'string',
          pattern: '^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}/[^\\p{C}\\s]{1,256}$',
          'x-expected': 'PROVIDER/MODEL or PROVIDER/*',
        },
      },
    },
    repositories: {
      type: 'array',
      maxItems: 10_000,
      items: {
        type: 'object',
        required: ['match', 'classification'],
        additionalProperties: false,
        properties: {
          match: {
            type: 'string',
            pattern: '^[^\\p{C}]{1,4096}$',
            'x-expected': 'a glob over a path (~/…, /…, ./…) or over host/path of a git remote',
          },
          classification: { type: 'string', enum: classifications },
        },
      },
    },
    purposes: {
      type: 'object',
      additionalProperties: false,
      properties: { default: { type: 'string', enum: purposes, default: 'research' } },
    },
    tools: { type: 'object', maxProperties: 10_000, propertyNames: id, additionalProperties: tool },
    agents: {
      type: 'object',
      additionalProperties: false,
      properties: {
        attestation: {
          type: 'string',
          enum: ['optional', 'required'],
          default: 'optional',
          description: '`required`: `agents vet` and `agents pin` take a program only with an attestation in the ledger that it passed.',
        },
      },
    },
    packs: { type: 'array', maxItems: 100, items: id, default: ['baseline', 'perimeter'] },
    policies: {
      type: 'array',
      maxItems: 100,
      items: directory,
      description: "Directories of the company's own policies, relative to this file.",
    },
    keys: { type: 'array', maxItems: 100_000, items: key },
    inspect: {
      type: 'object',
      additionalProperties: false,
      properties: {
        secrets: { type: 'string', enum: ['placeholder', 'block'], default: 'placeholder' },
        secretFiles: {
          type: 'array',
          maxItems: 100,
          items: directory,
          description: 'Files in the form of .env, relative to this file: their values must not leave, in any encoding.',
        },
        personalData: {
          type: 'string',
          enum: ['off', 'on'],
          default: 'off',
          description: 'Whether cards, IBAN, national numbers, e-mail addresses and phone numbers are looked for.',
        },
      },
    },
    signing: {
      type: 'object',
      description: 'Keys that stay outside and that sessions may sign with.',
      additionalProperties: false,
      properties: {
        ssh: {
          type: 'array',
          maxItems: 100,
          items: {
            type: 'string',
            pattern: '^SHA256:[A-Za-z0-9+/]{43}$',
            'x-expected': 'the fingerprint of a key as `ssh-add -l` shows it (SHA256:…)',
          },
        },
        gpg: {
          type: 'array',
          maxItems: 100,
          items: {
            type: 'string',
            pattern: '^[0-9A-Fa-f]{40}$',
            'x-expected':
              'a fingerprint or keygrip as `gpg --list-secret-keys --with-subkey-fingerprint --with-keygrip` shows it (40 hex digits)',
          },
        },
      },
    },
    providerTools: {
      type: 'string',
      enum: ['strip', 'refuse'],
      default: 'strip',
      description: 'What becomes of tools that a provider runs by itself (web search), for data above public.',
    },
    egress: {
      type: 'object',
      additionalProperties: false,
      properties: {
        allow: {
          type: 'array',
          maxItems: 10_000,
          items: {
            type: 'object',
            required: ['host'],
            additionalProperties: false,
            properties: {
              host: { type: 'string', maxLength: 253 },
              ports: { type: 'array', minItems: 1, maxItems: 100, items: { type: 'integer', minimum: 1, maximum: 65_535 } },
            },
          },
        },
      },
    },
    telemetry: {
      type: 'object',
      additionalProperties: false,
      properties: {
        otlp: {
          type: 'object',
          description: 'A collector of the company. Left out: nothing is sent to anybody.',
          required: ['url', 'perimeter'],
          additionalProperties: false,
          properties: {
            url: { type: 'string', maxLength: 2048, description: 'What precedes `/v1/traces` and `/v1/metrics`.' },
            perimeter: {
              type: 'string',
              enum: perimeters,
              description: 'Calls with data of a higher class than it may receive are not told of.',
            },
            key: {
              type: 'string',
              pattern: '^(env:[A-Za-z_][A-Za-z0-9_]*|none)$',
              'x-expected': '"env:NAME" or "none"; a key itself never stands in this file',
            },
          },
        },
      },
    },
    inside: {
      type: 'array',
      maxItems: 1000,
      items: { type: 'string' },
      description: 'Address ranges (CIDR) that are ours besides private ones.',
    },
    resolve: {
      type: 'array',
      maxItems: 1000,
      items: { type: 'string', maxLength: 400 },
      description: '`HOST:PORT:ADDR:PORT`, for split DNS and tests.',
    },
    resolvers: { type: 'array', maxItems: 16, items: { type: 'string', maxLength: 100 }, description: '`ADDR:PORT` of DNS servers.' },
    trust: { type: 'array', maxItems: 100, items: directory, description: 'PEM files with extra authorities for upstream TLS.' },
  },
};
