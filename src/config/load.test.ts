import { mkdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Config, defaultConfig, loadConfig } from './index.ts';
import { loadRig, system, user, workspace } from './load-rig.ts';
import { testAuthority } from './testdata/authority.ts';

const { at, write, load } = loadRig();

const whole = `
organization: acme
providers:
  - { id: coder,    dialect: openai-chat,        url: http://vllm.internal:8000/v1, perimeter: onprem }
  - { id: bedrock,  dialect: anthropic-messages, url: https://bedrock.eu.example/,   perimeter: vpc,    key: env:BEDROCK_KEY, timeoutMs: 5 }
  - { id: anthropic,dialect: anthropic-messages, url: https://api.anthropic.com,    perimeter: public, key: client, vetted: true }
models:
  "*": [coder/qwen3-coder, bedrock/claude, anthropic/*]
repositories:
  - { match: "git.acme.example/core/**", classification: restricted }
  - { match: "~/work/**",                classification: internal }
purposes: { default: production }
tools:
  claude-code: { status: vetted, versions: ">=2.1.198" }
  qwen-code:   { status: banned }
agents: { attestation: required }
packs: [baseline, perimeter, research-production]
policies: [./policies]
keys:
  - { id: ide, sha256: ${'AB'.repeat(32)}, user: alice, team: core, tool: qwen-code, purpose: research, classification: internal,
      budget: { requests: 1000, tokens: 5000000, usd: 20.5, per: day } }
inspect: { secrets: block, secretFiles: [./prod.env], personalData: on }
signing: { ssh: [ "SHA256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" ], gpg: [ "abcdef0123456789abcdef0123456789abcdef01" ] }
providerTools: refuse
telemetry: { otlp: { url: "http://127.0.0.1:4318/", perimeter: onprem, key: "env:OTLP_TOKEN" } }
egress:
  allow: [ { host: Git.ACME.example., ports: [443, 22] }, { host: "::1" }, { host: "*.Mirror.example" } ]
inside: [ 100.64.0.0/10 ]
resolve: [ "git.acme.example:443:127.0.0.1:8443", "six.example:443:[::1]:1" ]
resolvers: [ "127.0.0.1:5353", "[::1]" ]
trust: [ ./ca.pem ]
`;

describe('loadConfig', () => {
  it('without any file gives the built-in configuration', async () => {
    expect(await load()).toEqual(defaultConfig);
  });

  it('reads every key', async () => {
    mkdirSync(at('config/intramur/policies'), { recursive: true });
    write('config/intramur/ca.pem', `junk\n${testAuthority}-----BEGIN PRIVATE KEY-----\nnot kept\n-----END PRIVATE KEY-----\n`);
    write(user, whole);
    expect(await load()).toEqual({
      organization: 'acme',
      providers: [
        {
          id: 'coder',
          dialect: 'openai-chat',
          url: 'http://vllm.internal:8000/v1',
          perimeter: 'onprem',
          vetted: true,
          key: undefined,
          timeoutMs: 600_000,
          credential: 'provider',
        },
        {
          id: 'bedrock',
          dialect: 'anthropic-messages',
          url: 'https://bedrock.eu.example',
          perimeter: 'vpc',
          vetted: true,
          key: 'env:BEDROCK_KEY',
          timeoutMs: 5,
          credential: 'provider',
        },
        {
          id: 'anthropic',
          dialect: 'anthropic-messages',
          url: 'https://api.anthropic.com',
          perimeter: 'public',
          vetted: true,
          key: undefined,
          timeoutMs: 600_000,
          credential: 'client',
        },
      ],
      models: [{ match: '*', targets: ['coder/qwen3-coder', 'bedrock/claude', 'anthropic/*'] }],
      repositories: [
        { match: 'git.acme.example/core/**', classification: 'restricted' },
        { match: at('home/work/**'), classification: 'internal' },
      ],
      defaultPurpose: 'production',
      tools: { 'claude-code': { status: 'vetted', versions: '>=2.1.198' }, 'qwen-code': { status: 'banned' } },
      attestation: 'required',
      packs: ['baseline', 'perimeter', 'research-production'],
      policies: [at('config/intramur/policies')],
      keys: [
        {
          id: 'ide',
          sha256: 'ab'.repeat(32),
          user: 'alice',
          team: 'core',
          tool: 'qwen-code',
          purpose: 'research',
          classification: 'internal',
          budget: { requests: 1000, tokens: 5_000_000, usd: 20.5, per: 'day' },
        },
      ],
      inspect: { secrets: 'block', secretFiles: [at('config/intramur/prod.env')], personalData: 'on' },
      signing: {
        ssh: ['SHA256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'],
        gpg: ['ABCDEF0123456789ABCDEF0123456789ABCDEF01'],
      },
      providerTools: 'refuse',
      telemetry: { otlp: { url: 'http://127.0.0.1:4318', perimeter: 'onprem', key: 'env:OTLP_TOKEN' } },
      egress: {
        allow: [
          { host: 'git.acme.example', ports: [443, 22] },
          { host: '::1', ports: [80, 443] },
          { host: '*.mirror.example', ports: [80, 443] },
        ],
      },
      inside: ['100.64.0.0/10'],
      resolve: [
        { host: 'git.acme.example', port: 443, address: '127.0.0.1', targetPort: 8443 },
        { host: 'six.example', port: 443, address: '::1', targetPort: 1 },
      ],
      resolvers: ['127.0.0.1:5353', '[::1]:53'],
      trust: [testAuthority],
      files: [at(user)],
    });
  });

  it('takes JSON where YAML is, tabs included', async () => {
    write(user, '{\n\t"organization": "acme",\n\t"packs": [\n\t\t"baseline"\n\t]\n}\n');
    expect(await load()).toMatchObject({ organization: 'acme', packs: ['baseline'] });
  });

  it('takes an empty file and a byte order mark', async () => {
    write(user, '# nothing yet\n');
    write(workspace, '\uFEFFpurposes: { default: production }\n');
    expect(await load()).toMatchObject({ defaultPurpose: 'production', providers: defaultConfig.providers });
  });

  it('finds the user file below INTRAMUR_HOME', async () => {
    write('one/intramur.yaml', 'organization: acme');
    const config = await loadConfig({ env: { INTRAMUR_HOME: at('one') }, home: at('home'), cwd: at('workspace'), systemDir: at('etc') });
    expect(config.files).toEqual([at('one/intramur.yaml')]);
  });

  it('without a model map asks each configured provider for the name that was asked for', async () => {
    write(user, 'providers: [{ id: coder, dialect: openai-chat, url: "http://127.0.0.1:1/v1", perimeter: onprem }]');
    expect((await load()).models).toEqual([{ match: '*', targets: ['coder/*'] }]);
  });
});

describe('order of files', () => {
  it('--config replaces what the user file says, key by key', async () => {
    write(user, 'organization: acme\npacks: [baseline]');
    write('other.yaml', 'packs: [baseline, perimeter, research-production]');
    const config = await load(at('other.yaml'));
    expect([config.organization, config.packs]).toEqual(['acme', ['baseline', 'perimeter', 'research-production']]);
    expect(config.files).toEqual([at(user), at('other.yaml')]);
  });

  it('--config wins over the file in the working directory', async () => {
    write(workspace, 'purposes: { default: production }');
    write('other.yaml', 'purposes: { default: research }');
    expect((await load(at('other.yaml'))).defaultPurpose).toBe('research');
  });

  it('a workspace file named by --config is what the user says', async () => {
    write(workspace, 'egress: { allow: [{ host: git.acme.example }] }');
    const config = await load('intramur.yaml');
    expect([config.egress.allow, config.files]).toEqual([[{ host: 'git.acme.example', ports: [80, 443] }], [at(workspace)]]);
  });

  it('the system file has the last word and cannot be loosened', async () => {
    write(
      user,
      'providers: [{ id: mine, dialect: openai-chat, url: "http://127.0.0.1:1", perimeter: onprem }]\negress: { allow: [{ host: evil.example }] }\ntools: { x: { status: vetted }, y: { status: banned }, z: { status: vetted } }\npacks: []\ntrust: []',
    );
    mkdirSync(at('etc/policies'), { recursive: true });
    mkdirSync(at('mine'));
    write('other.yaml', 'policies: [./mine]\npurposes: { default: research }\ninspect: { secrets: placeholder }\nrepositories: []');
    write(
      system,
      'providers: [{ id: theirs, dialect: openai-chat, url: "http://127.0.0.1:2", perimeter: onprem }]\negress: { allow: [] }\ntools: { x: { status: banned }, y: { status: vetted } }\npacks: [baseline]\npolicies: [policies]\npurposes: { default: production }\ninspect: { secrets: block }\nrepositories: [{ match: "git.acme.example/**", classification: restricted }]',
    );
    const config = await load(at('other.yaml'));
    expect(config).toMatchObject({
      providers: [{ id: 'theirs' }],
      egress: { allow: [] },
      tools: { x: { status: 'banned' }, y: { status: 'banned' }, z: { status: 'vetted' } },
      packs: ['baseline'],
      policies: [at('etc/policies')],
      defaultPurpose: 'production',
      inspect: { secrets: 'block' },
      repositories: [{ match: 'git.acme.example/**', classification: 'restricted' }],
    });
  });

  it('files of secrets: the system adds to those of the user, a repository names none', async () => {
    write(user, 'inspect: { secretFiles: [~/a.env] }');
    write(system, 'inspect: { secretFiles: [b.env] }');
    expect((await load()).inspect).toMatchObject({ secrets: 'placeholder', secretFiles: [at('home/a.env'), at('etc/b.env')] });
    write(workspace, 'inspect: { secretFiles: [/etc/hostname] }');
    await expect(load()).rejects.toThrow('a repository cannot name inspect.secretFiles');
  });

  it('personal data: what the user or the system asks for is looked for, a repository has no say', async () => {
    expect((await load()).inspect.personalData).toBe('off');
    write(user, 'inspect: { personalData: on }');
    write(system, 'inspect: { personalData: off }');
    expect((await load()).inspect.personalData).toBe('on');
    write(user, 'inspect: { personalData: off }');
    write(system, 'inspect: { personalData: on }');
    expect((await load()).inspect.personalData).toBe('on');
    write(workspace, 'inspect: { personalData: on }');
    await expect(load()).rejects.toThrow('a repository cannot set inspect.personalData');
  });

  it.each<[string, string, Partial<Config>]>([
    ['names packs', 'packs: [perimeter]', { packs: ['perimeter', 'research-production'], policies: [] }],
    ['names egress', 'egress: { allow: [] }', { packs: ['baseline', 'research-production'], policies: [], egress: { allow: [] } }],
    ['names policies', 'policies: [.]', { packs: ['baseline', 'research-production'] }],
  ])('no policy of the user is a way around a system file that %s', async (_name, text, expected) => {
    mkdirSync(at('config/intramur/permit-all'), { recursive: true });
    write(user, 'packs: [baseline, research-production]\npolicies: [permit-all]');
    write(system, text);
    const config = await load();
    expect(config).toMatchObject(expected);
    expect(config.policies).not.toContain(at('config/intramur/permit-all'));
  });

  it('a stricter purpose than the system asks for stays', async () => {
    write(user, 'purposes: { default: production }\ninspect: { secrets: block }\nproviderTools: refuse');
    write(system, 'purposes: { default: research }\ninspect: { secrets: placeholder }\nproviderTools: strip');
    expect(await load()).toMatchObject({ defaultPurpose: 'production', inspect: { secrets: 'block' }, providerTools: 'refuse' });
  });
});
