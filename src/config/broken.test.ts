import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { invalid, loadRig, system, user, workspace } from './load-rig.ts';

const { at, write, load, faultOf } = loadRig();

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
    ['unknown pack', 'packs:\n  - baselin', '2:5: packs names "baselin", which is not known; did you mean "baseline"?'],
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
