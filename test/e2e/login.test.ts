// A real agent whose login has expired renews it as ever, through the daemon, and goes on. Judged from outside by canaries: every token that
// the vendor's endpoint ever made is looked for in all that the agent can read inside, which a tool call of its model reads to us.
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { Entry } from '../../src/core/index.ts';
import { doctor } from '../../src/sandbox/index.ts';
import { agentRecipes } from '../../src/testing/index.ts';
import type { AgentLogin } from './login/agent-login.ts';
import { claudeCode } from './login/claude-code.ts';
import { codex } from './login/codex.ts';
import { geminiCli } from './login/gemini-cli.ts';
import { opencode } from './login/opencode.ts';
import { qwenCode } from './login/qwen-code.ts';
import { startVendor, type Vendor } from './login/vendor.ts';
import { createRig, type Rig, root } from './rig.ts';

const { mode } = await doctor();
const expired = `REAL-expired-${'Zq7Xv2Kp9Lm4Rt8Wy1Bn6Hd3'}`;

/**
 * Looks through the home, the workspace, and what every process there has in its environment, its arguments and its memory that is a file.
 * Says each word with a canary in it, and each file of the home that holds a placeholder: agents cut long outputs short. The patterns do
 * not match themselves.
 */
const readAll = [
  '(cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline; find "$HOME" . -type f -exec cat {} +) 2>/dev/null',
  ' | grep -a -o -E "[A-Za-z0-9_.@=/+-]*R[E]AL-[A-Za-z0-9_.@=/+-]*" | sort -u; grep -r -l "zNtr4[m]" "$HOME"',
].join('');

let rig: Rig | undefined;
let vendor: Vendor | undefined;
afterEach(async () => {
  vendor?.close();
  await rig?.close();
});

function commandOf({ agent, model, args }: AgentLogin): string[] {
  const recipe = agentRecipes.find(({ id }) => id === agent);
  if (!recipe) throw new Error(`no recipe for ${agent}`);
  const program = path.join(root, 'test', 'agents', 'node_modules', recipe.program);
  return [...(recipe.needsNode ? ['node'] : []), program, ...(args ?? recipe.args('Say something.', model))];
}

function writeJson(file: string, value: unknown, permissions: number): void {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, JSON.stringify(value), { mode: permissions });
}

describe.skipIf(mode === 'none')('an expired login', () => {
  it.each([codex, claudeCode, geminiCli, qwenCode, opencode])(
    'is renewed by $agent itself: the vendor gets real tokens, the inside holds placeholders, the user keeps a good login',
    async (login) => {
      rig = await createRig({ script: [{ acts: [{ do: 'shell', command: readAll }] }, { text: 'renewed and answered' }] });
      vendor = await startVendor(login, rig.upstream.url);
      const { endpoint, port } = vendor;
      const resolve = [login.tokenEndpoint.host, ...login.hosts].map((host) => `${host}:443:127.0.0.1:${port}`);
      rig.configure(`organization: test\nresolve: ${JSON.stringify(resolve)}\ntrust: [./test-ca.pem]\n${login.config ?? ''}\n`);
      fs.writeFileSync(path.join(rig.state, 'test-ca.pem'), vendor.authorityPem);
      const file = path.join(rig.home, login.file);
      writeJson(file, login.expired({ access: expired, refresh: endpoint.current.refresh }), 0o600);
      for (const [name, value] of Object.entries(login.settings ?? {})) writeJson(path.join(rig.home, name), value, 0o644);

      const allow = login.allow.flatMap((host) => ['--allow', host]);
      const outcome = await rig.intramur(['run', '--mode', 'direct', ...allow, '--', ...commandOf(login)], { limitMs: 100_000 });
      const entries = (await rig.intramur(['ledger', 'export', '--format', 'jsonl'])).stdout;
      const seen = rig.upstream.received.map(({ body }) => body.toString()).join('\n');
      expect(outcome.stdout + outcome.stderr).toContain('renewed and answered');

      expect(endpoint.asked.length).toBe(1);
      expect(vendor.credentials.at(-1)).toBe(`Bearer ${endpoint.current.access}`);
      expect(JSON.parse(fs.readFileSync(file, 'utf8'))).toMatchObject(login.renewed(endpoint.current));
      expect(fs.statSync(file).mode & 0o777).toBe(0o600);

      expect(seen).toContain(file); // The tool did read the login file inside.
      for (const text of [seen, outcome.stdout, outcome.stderr, entries]) {
        for (const token of [...endpoint.real, expired, 'REAL-']) expect(text).not.toContain(token);
      }
      const renewals = entries
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Entry)
        .filter(({ host }) => host === login.tokenEndpoint.host);
      expect(renewals.map(({ decision, policies, class: kind }) => ({ decision, policies, kind }))[0]).toEqual({
        ...{ decision: 'allow', policies: ['baseline/login-renewal'], kind: 'login' },
      });
    },
    120_000,
  );
});
