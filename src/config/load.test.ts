import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { IntramurError } from '../core/index.ts';
import { type Config, defaultConfig, loadConfig } from './index.ts';
import { testAuthority } from './testdata/authority.ts';

let root: string;
const at = (...parts: string[]) => path.join(root, ...parts);
const write = (file: string, text: string | Uint8Array) => {
  mkdirSync(path.dirname(at(file)), { recursive: true });
  writeFileSync(at(file), text);
};
const load = (file?: string) =>
  loadConfig({ env: { XDG_CONFIG_HOME: at('config') }, home: at('home'), cwd: at('workspace'), file, systemDir: at('etc') });
const user = 'config/intramur/intramur.yaml';
const workspace = 'workspace/intramur.yaml';
const system = 'etc/intramur.yaml';

/** Code and message of the refusal, with the test's own directory taken out. */
async function faultOf(promise: Promise<unknown>): Promise<{ code: string; message: string }> {
  const fault = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(fault instanceof IntramurError)) throw new Error(`no IntramurError but ${String(fault)}`);
  return { code: fault.code, message: fault.message.replaceAll(`${root}/`, '') };
}
const invalid = (message: string) => ({ code: 'CONFIG_INVALID', message });

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'config-'));
  mkdirSync(at('workspace'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

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
inspect: { secrets: block, secretFiles: [./prod.env] }
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
      inspect: { secrets: 'block', secretFiles: [at('config/intramur/prod.env')] },
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
    expect((await load()).inspect).toEqual({ secrets: 'placeholder', secretFiles: [at('home/a.env'), at('etc/b.env')] });
    write(workspace, 'inspect: { secretFiles: [/etc/hostname] }');
    await expect(load()).rejects.toThrow('a repository cannot name inspect.secretFiles');
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

describe('a workspace may only tighten', () => {
  it.each([
    'organization: evil',
    'providers: [{ id: evil, dialect: openai-chat, url: "http://evil.example", perimeter: onprem }]',
    'models: { "*": [evil/x] }',
    `keys: [{ id: evil, sha256: ${'00'.repeat(32)} }]`,
    'egress: { allow: [{ host: evil.example }] }',
    'signing: { ssh: [] }',
    'inside: [0.0.0.0/0]',
    'resolve: ["api.anthropic.com:443:203.0.113.1:443"]',
    'resolvers: ["203.0.113.1:53"]',
    'trust: [./evil.pem]',
    'policies: [./permit-all]',
  ])('refuses %s', async (text) => {
    write(workspace, `# a repository's\n${text}`);
    const key = text.slice(0, text.indexOf(':'));
    expect(await faultOf(load())).toEqual(invalid(`workspace/intramur.yaml:2:1: "${key}" cannot be set by a repository`));
  });

  it.each([
    ['purposes: { default: research }', '1:22: a repository cannot loosen purposes.default from "production" to "research"'],
    ['inspect: { secrets: placeholder }', '1:21: a repository cannot loosen inspect.secrets from "block" to "placeholder"'],
    ['tools: { x: { status: vetted } }', '1:10: a repository cannot loosen tools.x from "unvetted" to "vetted"'],
    ['tools: { banned: { status: unvetted } }', '1:10: a repository cannot loosen tools.banned from "banned" to "unvetted"'],
    ['tools: { pinned: { status: vetted, versions: ">=0" } }', '1:10: a repository cannot change tools.pinned.versions'],
    ['repositories: [{ match: "**", classification: public }]', '1:47: a repository cannot classify itself "public"'],
  ])('refuses %s', async (text, message) => {
    write(
      user,
      'purposes: { default: production }\ninspect: { secrets: block }\ntools: { banned: { status: banned }, pinned: { status: vetted, versions: ">=2" } }',
    );
    write(workspace, text);
    expect(await faultOf(load())).toEqual(invalid(`workspace/intramur.yaml:${message}`));
  });

  it('refuses the pack that permits, where the user has left it out', async () => {
    write(user, 'packs: [perimeter]');
    write(workspace, 'packs: [baseline]');
    expect(await faultOf(load())).toEqual(invalid('workspace/intramur.yaml: a repository cannot add the pack "baseline", which permits'));
  });

  it('takes what tightens', async () => {
    write(user, 'tools: { x: { status: vetted } }');
    write(
      workspace,
      'purposes: { default: production }\ninspect: { secrets: block }\ntools: { x: { status: unvetted, versions: "<3" }, y: { status: banned } }\npacks: [research-production]\nrepositories: [{ match: "./**", classification: restricted }]',
    );
    expect(await load()).toMatchObject({
      defaultPurpose: 'production',
      inspect: { secrets: 'block' },
      tools: { x: { status: 'unvetted', versions: '<3' }, y: { status: 'banned' } },
      packs: ['baseline', 'perimeter', 'research-production'],
      repositories: [{ match: at('workspace/**'), classification: 'restricted' }],
    });
  });
});

const provider = (more: string) => `providers:\n  - { id: p, dialect: openai-chat, perimeter: public, ${more} }`;

describe('a broken file is refused with file, line, column and key', () => {
  it.each<[string, string, string]>([
    [
      'unknown key',
      'providers:\n  - id: coder\n    dialect: openai-chat\n    url: http://a\n    perimter: onprem',
      '5:5: unknown key "perimter" in providers[0]; did you mean "perimeter"?\nFILE:2:5: providers[0] lacks the key "perimeter"',
    ],
    ['unknown top key', 'provider: []', '1:1: unknown key "provider" at the top level; did you mean "providers"?'],
    ['unknown word', 'purposes: { default: prodution }', '1:22: purposes.default does not know "prodution"; did you mean "production"?'],
    ['a word of nothing', 'purposes: { default: 7up }', '1:22: purposes.default must be one of "research", "production"'],
    ['prototype key', 'constructor: {}', '1:1: unknown key "constructor" at the top level'],
    ['wrong type', 'packs: baseline', '1:8: packs must be a list'],
    ['number for text', 'tools: { x: { status: vetted, versions: 2.1 } }', '1:41: tools.x.versions must be text (put it in quotes)'],
    ['a list as file', '- a', '1:1: the file must be a map of keys'],
    ['null', 'packs:', '1:7: packs must be a list'],
    ['duplicate key', 'packs: []\npacks: []', '2:1: duplicate key "packs"'],
    ['tab', 'egress:\n\tallow: []', '2:1: tab used for indentation'],
    ['two documents', 'packs: []\n---\npacks: []', '2:1: more than one YAML document in the file'],
    ['alias', 'packs: &a [x]\npolicies: *a', '1:11: anchors and aliases (& and *) are not accepted'],
    ['tag', 'packs: !!binary aGk=', '1:17: tags (!) are not accepted'],
    ['unknown tag', 'packs: !evil aGk=', '1:8: tags (!) are not accepted'],
    ['deep', `packs: ${'['.repeat(50)}${']'.repeat(50)}`, '1:40: nested deeper than 32 levels'],
    ['very deep', `packs: ${'['.repeat(100_000)}`, 'nested deeper than 32 levels'],
    [
      'a pasted key',
      provider('url: "http://a", key: sk-ant-api03-SECRET'),
      '2:77: providers[0].key must be "env:NAME", "none" or "client"; a key itself never stands in this file',
    ],
    ['url with credentials', provider('url: "http://u:SECRET@a"'), '2:60: providers[0].url must not hold credentials'],
    ['url with query', provider('url: "http://a/?key=SECRET"'), '2:60: providers[0].url must not have a query or fragment'],
    ['url of a file', provider('url: "file:///etc/passwd"'), '2:60: providers[0].url must be an http:// or https:// address'],
    ['url of nothing', provider('url: "nowhere"'), '2:60: providers[0].url must be an http:// or https:// address'],
    ['timeout', provider('url: "http://a", timeoutMs: 0'), '2:83: providers[0].timeoutMs must be from 1 to 3600000'],
    ['two providers of one id', 'providers:\n  - &x { id: p }', '2:8: anchors and aliases (& and *) are not accepted'],
    [
      'provider twice',
      `${provider('url: "http://a"')}\n  - { id: P, dialect: gemini, perimeter: vpc, url: "http://b" }`,
      '3:11: providers[1].id is used twice',
    ],
    [
      'unknown provider',
      `${provider('url: "http://a"')}\nmodels: { "*": [q/x] }`,
      '3:17: models name the provider "q", which is not configured; did you mean "p"?',
    ],
    ['target without provider', 'models: { "*": [claude] }', '1:17: models["*"][0] must be PROVIDER/MODEL or PROVIDER/*'],
    ['unquoted star', 'models: { *: [a/b] }', '1:12: a key must be plain text'],
    ['unquoted star in a block', 'models:\n  *: [a/b]', '2:4: a key must be plain text'],
    [
      'cloud model onprem',
      'providers: [{ id: o, dialect: openai-chat, url: "http://127.0.0.1:1/v1", perimeter: onprem }]\nmodels: { "*": ["o/gpt-oss:120b-cloud"] }',
      '2:17: model "gpt-oss:120b-cloud" of the onprem provider "o" is run by somebody else\'s cloud',
    ],
    [
      'onprem at a public address',
      'providers: [{ id: o, dialect: openai-chat, url: "http://203.0.113.9/v1", perimeter: onprem }]',
      '1:13: provider "o" is onprem, but 203.0.113.9 is neither loopback nor private',
    ],
    ['key hash', 'keys: [{ id: k, sha256: abc }]', '1:25: keys[0].sha256 must be the SHA-256 of the key in 64 hexadecimal digits'],
    [
      'a grant for everything',
      'egress: { allow: [{ host: "*" }] }',
      '1:27: egress.allow[0].host must be a host name, an address, or *. and a domain',
    ],
    ['port', 'egress: { allow: [{ host: a, ports: [0] }] }', '1:38: egress.allow[0].ports[0] must be from 1 to 65535'],
    ['cidr', 'inside: [10.0.0.0/33]', '1:10: inside[0] must be an address range such as 100.64.0.0/10'],
    ['resolve', 'resolve: ["a:443:b:443"]', '1:11: resolve[0] must be HOST:PORT:ADDR:PORT, as in "git.acme.example:443:127.0.0.1:8443"'],
    ['resolver', 'resolvers: [dns.example]', '1:13: resolvers[0] must be ADDR:PORT, as in "127.0.0.1:5353"'],
    ['missing authority', 'trust: [gone.pem]', '1:9: trust names config/intramur/gone.pem, which does not exist'],
    ['missing policies', 'policies: [gone]', '1:12: policies names config/intramur/gone, which is not a directory that can be read'],
    ['terminal escapes', '"\\e[2Jpacks": []', '1:1: unknown key "\\\\u{1b}[2Jpacks" at the top level; did you mean "packs"?'],
  ])('%s', async (_name, text, message) => {
    write(user, text);
    const fault = await faultOf(load());
    expect(fault.code).toBe('CONFIG_INVALID');
    expect(fault.message).not.toContain('SECRET');
    expect(fault.message.startsWith('config/intramur/intramur.yaml:')).toBe(true);
    expect(fault.message).toContain(message.replaceAll('FILE', 'config/intramur/intramur.yaml'));
  });

  it.each<[string, () => void, string]>([
    ['too large', () => write(user, '#'.repeat(10 * 1024 * 1024)), 'larger than 1048576 bytes'],
    ['not UTF-8', () => write(user, Uint8Array.of(0xff, 0xfe, 0x61, 0)), 'not UTF-8 text'],
    ['a directory', () => mkdirSync(at(user), { recursive: true }), 'not a regular file'],
    [
      'a broken link',
      () => {
        mkdirSync(at('config/intramur'), { recursive: true });
        symlinkSync('nowhere', at(user));
      },
      'the link leads nowhere',
    ],
    [
      'a link to itself',
      () => {
        mkdirSync(at('config/intramur'), { recursive: true });
        symlinkSync('intramur.yaml', at(user));
      },
      'cannot be read (ELOOP)',
    ],
    [
      'a pipe that nobody writes to',
      () => {
        mkdirSync(at('config/intramur'), { recursive: true });
        execFileSync('mkfifo', [at(user)]);
      },
      'not a regular file',
    ],
  ])('%s', async (_name, make, message) => {
    make();
    expect(await faultOf(load())).toEqual(invalid(`config/intramur/intramur.yaml: ${message}`));
  });

  it.skipIf(process.getuid?.() === 0)('a file that may not be read (root may read all)', async () => {
    write(user, 'packs: []');
    chmodSync(at(user), 0);
    expect(await faultOf(load())).toEqual(invalid('config/intramur/intramur.yaml: cannot be read (EACCES)'));
  });

  it('many keys of a hostile file take no more than linear time', async () => {
    write(workspace, Array.from({ length: 60_000 }, (_, i) => `k${i}: 1`).join('\n'));
    const { message } = await faultOf(load());
    expect(message).toContain('and 59990 more');
  });

  it.each([user, workspace, system])('a broken %s stops the load', async (file) => {
    write(file, 'packs: [');
    expect((await faultOf(load())).code).toBe('CONFIG_INVALID');
  });

  it('a missing --config file is named', async () => {
    expect(await faultOf(load(at('gone.yaml')))).toEqual({ code: 'CONFIG_NOT_FOUND', message: 'gone.yaml: no such file' });
  });

  it('an authority file that holds no certificate is refused', async () => {
    write('config/intramur/ca.pem', 'hello');
    write(user, 'trust: [ca.pem]');
    expect((await faultOf(load())).message).toBe(
      'config/intramur/intramur.yaml:1:9: config/intramur/ca.pem is not a PEM file of certificates',
    );
  });
});
