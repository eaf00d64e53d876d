// OpenPGP keys stay outside: a real gpg-agent with two keys, of which the configuration names one signing subkey, and real commits.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Entry } from '../../src/core/index.ts';
import { createRig, type Rig } from './rig.ts';

const hasTools = ['gpg', 'gpg-agent', 'gpgconf', 'gpg-connect-agent'].every((name) => fs.existsSync(`/usr/bin/${name}`));

let rig: Rig;
/** The agent's socket lies in it, so its path has to be short. */
let ring: string;
let named: { fingerprint: string; grip: string };
let hidden: { fingerprint: string; grip: string };

function gpg(...args: string[]): string {
  const { stdout, stderr, status } = spawnSync('gpg', ['--batch', ...args], { env: { ...process.env, GNUPGHOME: ring }, encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return stdout;
}

/** The last subkey of a key; the key itself when it has none. */
function keyOf(user: string): { fingerprint: string; grip: string } {
  const lines = gpg('--with-colons', '--with-keygrip', '--list-secret-keys', user).split('\n');
  const field = (kind: string) =>
    lines
      .filter((line) => line.startsWith(`${kind}:`))
      .at(-1)
      ?.split(':')[9] ?? '';
  return { fingerprint: field('fpr'), grip: field('grp') };
}

beforeAll(async () => {
  if (!hasTools) return;
  rig = await createRig();
  ring = fs.mkdtempSync(path.join(os.tmpdir(), 'gpg-'));
  for (const user of ['named@example.com', 'hidden@example.com'])
    gpg('--passphrase', '', '--quick-generate-key', user, 'ed25519', 'cert,sign', 'never');
  gpg('--passphrase', '', '--quick-add-key', keyOf('named@example.com').fingerprint, 'ed25519', 'sign', 'never');
  named = keyOf('named@example.com');
  hidden = keyOf('hidden@example.com');
  const file = path.join(rig.state, 'intramur.yaml');
  rig.configure(`${fs.readFileSync(file, 'utf8')}signing: { gpg: ["${named.fingerprint}"] }\n`);
  const git = (...args: string[]) => spawnSync('git', args, { cwd: rig.workspace });
  git('init', '-q', '-b', 'main', '.');
  for (const [key, value] of [
    ['user.name', 'a'],
    ['user.email', 'named@example.com'],
    ['user.signingkey', named.fingerprint],
  ] as const)
    git('config', key, value);
});
afterAll(async () => {
  if (!hasTools) return;
  spawnSync('gpgconf', ['--kill', 'gpg-agent'], { env: { ...process.env, GNUPGHOME: ring } });
  fs.rmSync(ring, { recursive: true, force: true });
  await rig.close();
});

async function inside(script: string) {
  const file = path.join(rig.dir, 'summary.json');
  const outcome = await rig.intramur(['run', '--mode', 'direct', '--summary-json', file, '--', 'bash', '-c', script], {
    env: { GNUPGHOME: ring },
  });
  const { session } = JSON.parse(fs.readFileSync(file, 'utf8')) as { session: string };
  const { entries } = JSON.parse((await rig.intramur(['ledger', 'show', '--session', session, '--json'])).stdout) as { entries: Entry[] };
  const uses = entries
    .filter(({ action }) => action === 'secret.use')
    .map(({ decision, detail, reason }) => [decision, detail?.['name'], decision === 'deny' ? reason : detail?.['what']]);
  return { ...outcome, uses };
}

const ask = (...lines: string[]) => `gpg-connect-agent --no-autostart ${lines.map((line) => `"${line}"`).join(' ')} /bye 2>&1`;

describe.skipIf(!hasTools)('a gpg-agent inside', () => {
  it('signs a commit with the named key, which verifies outside; the ledger has the hash', async () => {
    const { stdout, stderr, uses } = await inside(
      'git commit -q -S --allow-empty -m signed; echo $?; ls -A ~/.gnupg/private-keys-v1.d 2>/dev/null | wc -l',
    );
    expect(stdout, stderr).toBe('0\n0\n');
    const shown = spawnSync('git', ['log', '-1', '--format=%G? %GF'], {
      cwd: rig.workspace,
      env: { ...process.env, GNUPGHOME: ring },
      encoding: 'utf8',
    });
    expect(shown.stdout).toMatch(new RegExp(`^[GU] ${named.fingerprint}`));
    expect(uses).toEqual([['allow', `gpg:${named.fingerprint}`, expect.stringMatching(/^OpenPGP signature \(SHA-\d+ [0-9a-f]+\)$/)]]);
  });

  it('does not know the other key, and signs nothing with it', async () => {
    const hash = '00'.repeat(32);
    const { stdout, uses } = await inside(
      `gpg --batch -K 2>/dev/null | grep -c example.com; gpg --batch -K hidden@example.com 2>&1 | tail -1; ${ask(`SIGKEY ${hidden.grip}`, `SETHASH 8 ${hash}`, 'PKSIGN')}`,
    );
    expect(stdout).not.toContain(hidden.fingerprint);
    expect(stdout).toMatch(/^1\n/);
    expect(stdout).toMatch(/ERR \d+ Forbidden/);
    expect(uses).toEqual([['deny', `gpg:${hidden.fingerprint}`, expect.any(String)]]);
  });

  it('hands out, decrypts, deletes and changes nothing: refused, and each in the ledger', async () => {
    const before = gpg('--with-colons', '--list-secret-keys');
    const { stdout, uses } = await inside(
      [
        'gpg --batch --yes --pinentry-mode loopback --passphrase "" --export-secret-keys 2>/dev/null | wc -c',
        `gpg --batch --yes --delete-secret-keys ${named.fingerprint} >/dev/null 2>&1; echo $?`,
        ask(`SETKEY ${named.grip}`, 'PKDECRYPT'),
        ask(`PASSWD ${named.grip}`, `EXPORT_KEY ${named.grip}`, `DELETE_KEY --force ${named.grip}`, 'KILLAGENT'),
      ].join('\n'),
    );
    expect(stdout).toMatch(/^0\n[^0]/);
    expect(gpg('--with-colons', '--list-secret-keys')).toBe(before);
    expect(uses.length).toBeGreaterThanOrEqual(4);
    expect(uses.every(([decision]) => decision === 'deny')).toBe(true);
  });

  it('is not there unless a key is named', async () => {
    const file = path.join(rig.state, 'intramur.yaml');
    const before = fs.readFileSync(file, 'utf8');
    rig.configure(before.replace(/^signing:.*$/m, ''));
    const { stdout } = await inside('ls /run/intramur; ls -A ~/.gnupg 2>/dev/null');
    rig.configure(before);
    expect(stdout).toBe('ca.pem\nstart\n');
  });
});
