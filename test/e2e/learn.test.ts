// `run --learn` and `--profile`: what a session looked for in vain is proposed, nothing is opened by learning, and what was reviewed is
// in force the next time.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRig, type Rig } from './rig.ts';

let rig: Rig;
let server: http.Server;
const profiles = () => path.join(rig.state, 'profiles');

beforeAll(async () => {
  server = http.createServer((_request, response) => void response.end('from the mirror\n'));
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  rig = await createRig({
    extra: `resolve: ["mirror.example:80:127.0.0.1:${typeof address === 'object' && address ? address.port : 0}"]\n`,
  });
  fs.writeFileSync(path.join(rig.home, '.gitconfig'), '[user]\n\tname = Someone\n');
  fs.mkdirSync(path.join(rig.home, '.aws'));
  fs.writeFileSync(path.join(rig.home, '.aws', 'credentials'), 'KEY-OF-THE-USER\n');
});
afterAll(async () => {
  server.close();
  await rig.close();
});

const script = 'curl -s http://mirror.example/; cat ~/.gitconfig ~/.aws/credentials; /usr/bin/env true';
const run = (options: readonly string[], command = script) =>
  rig.intramur(['run', '--mode', 'direct', ...options, '--', 'bash', '-c', command], { env: { TOOL_SETTING: 'set' } });

describe('learning', () => {
  it('proposes hosts, files and programs, withholds what may be a key, and opens nothing', async () => {
    const { stdout, stderr } = await run(['--learn', '--profile', 'tools']);
    expect(stdout).toMatch(/^Intramur refused: /);
    expect(stdout).not.toMatch(/Someone|KEY-OF/);
    expect(stderr).toContain('to grant a host: intramur run --allow mirror.example -- …');
    expect(stderr).toContain('+ allow: mirror.example:80\n');
    expect(stderr).toContain('+ read: ~/.gitconfig\n');
    expect(stderr).toMatch(/not proposed, it may hold keys: .*\/\.aws\/credentials\n/);
    expect(stderr).not.toContain('+ read: ~/.aws');
    const proposed = /^intramur: \+\+\+ (.*)$/m.exec(stderr)?.[1] ?? '';
    expect(fs.readFileSync(path.join(path.dirname(proposed), 'policy.cedar'), 'utf8')).toMatch(
      /Host::"mirror\.example"[\s\S]*Program::"\/usr\/bin\/env"/,
    );
    expect(fs.existsSync(profiles())).toBe(false);
    // Reviewed; then as it was told.
    const [, take = '', next] = /^intramur: to use it: (.*) && (intramur run --profile tools -- …)$/m.exec(stderr) ?? [];
    execFileSync('/bin/sh', ['-c', take]);
    expect([next === undefined, fs.readdirSync(profiles())]).toEqual([false, ['tools.yaml']]);
  });

  it('what was reviewed is in force, read-only, and nothing of it without the profile', async () => {
    const { stdout } = await run(['--profile', 'tools'], `${script}; echo x >> ~/.gitconfig; echo $?`);
    expect(stdout).toBe('from the mirror\n[user]\n\tname = Someone\n1\n');
    const without = await run([]);
    expect(without.stdout).toMatch(/^Intramur refused: /);
    expect(without.stdout).not.toContain('Someone');
  });

  it('the next lesson shows only what is new', async () => {
    const { stderr } = await run(
      ['--learn', '--profile', 'tools'],
      `${script}; curl -s http://other.example/ http://own.example:8443/ http://10.1.2.3:8443/ >/dev/null`,
    );
    expect(stderr).toContain('+ allow: other.example:80\n');
    expect(stderr).toContain('+ allow: own.example:8443\n');
    expect(stderr).not.toContain('+ allow: 10.1.2.3');
    expect(stderr).not.toContain('+ allow: mirror.example:80');
  });
});

describe('a profile', () => {
  it.each([
    ['the home itself', 'read: ["~"]', /is or holds .*stays outside/],
    ['what holds the home', 'read: ["/"]', /is or holds/],
    ['a path that climbs', 'read: ["~/../.."]', /is or holds/],
    ['a relative path', 'read: ["x"]', /must begin with/],
    ['an unknown key', 'reads: ["/opt"]', /did you mean "read"/],
    ['an alias', 'read: &a ["/opt"]\nallow: *a', /profiles\/bad\.yaml/],
  ])('with %s starts nothing', async (_name, text, message) => {
    fs.mkdirSync(profiles(), { recursive: true });
    fs.writeFileSync(path.join(profiles(), 'bad.yaml'), text);
    const { code, stderr } = await run(['--profile', 'bad'], 'echo started');
    expect([code, stderr]).toEqual([2, expect.stringMatching(message)]);
  });

  it.each([
    ['that is not there', 'none'],
    ['with a path for a name', '../tools'],
  ])('%s starts nothing', async (_name, name) => {
    expect((await run(['--profile', name], 'echo started')).code).toBe(2);
  });

  it('passes a variable by name, where it is set', async () => {
    fs.mkdirSync(profiles(), { recursive: true });
    fs.writeFileSync(path.join(profiles(), 'env.yaml'), 'env: [TOOL_SETTING, NOT_SET]\n');
    expect((await run(['--profile', 'env'], 'echo "$TOOL_SETTING"')).stdout).toBe('set\n');
  });
});
