import { describe, expect, it } from 'vitest';
import { loadConfig, workspaceFileCheck } from './load.ts';
import { invalid, loadRig, user, workspace } from './load-rig.ts';

const { at, write, load, faultOf } = loadRig();

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

  it.each(['providers: []', '{', 'tools: { banned: { status: vetted } }'])('is left out where that is asked for: %s', async (text) => {
    write(user, 'organization: acme\ntools: { banned: { status: banned } }');
    write(workspace, text);
    const options = { env: { XDG_CONFIG_HOME: at('config') }, home: at('home'), cwd: at('workspace'), systemDir: at('etc') };
    const files = [at(user)];
    expect(await loadConfig({ ...options, workspaceFile: 'if-it-holds' })).toMatchObject({ organization: 'acme', files });
    expect(await loadConfig({ ...options, workspaceFile: 'ignored' })).toMatchObject({ organization: 'acme', files });
    expect((await workspaceFileCheck(options))(at(workspace), Buffer.from(text))).toContain(at(workspace));
    // What the user wrote is never left out.
    write(user, 'organisation: acme');
    expect((await faultOf(loadConfig({ ...options, workspaceFile: 'if-it-holds' }))).message).toContain('config/intramur/intramur.yaml');
  });

  it("one that holds beside the others is no fault, and neither is the user's own", async () => {
    write(user, 'tools: { x: { status: vetted } }\nproviders: []');
    const options = { env: { XDG_CONFIG_HOME: at('config') }, home: at('home'), cwd: at('workspace'), systemDir: at('etc') };
    const check = await workspaceFileCheck(options);
    expect(check(at(workspace), Buffer.from('tools: { x: { status: vetted } }'))).toBeUndefined();
    expect(check(at(user), Buffer.from('providers: []'))).toBeUndefined();
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
