// Keys that stay outside: a real ssh-agent with two keys, of which the configuration names one, and a real sshd behind a name.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Entry } from '../../src/core/index.ts';
import { createRig, type Rig } from './rig.ts';

const sshd = ['/usr/sbin/sshd', '/usr/local/sbin/sshd'].find((file) => fs.existsSync(file));
const hasTools = ['ssh-agent', 'ssh-add', 'ssh', 'ssh-keygen'].every((name) => fs.existsSync(`/usr/bin/${name}`));
const user = os.userInfo().username;

const started: ChildProcess[] = [];
let rig: Rig;
let agentSocket: string;
let named: string;
let hidden: string;
const publicKey = (name: string) => fs.readFileSync(path.join(rig.dir, `${name}.pub`), 'utf8').trim();

beforeAll(async () => {
  if (!hasTools) return;
  rig = await createRig();
  for (const name of ['named', 'hidden', 'host'])
    command('ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', `${name}@outside`, '-f', path.join(rig.dir, name));
  named = fingerprint('named');
  hidden = fingerprint('hidden');
  agentSocket = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'intramur-test-agent-')), 'a');
  started.push(spawn('ssh-agent', ['-D', '-a', agentSocket], { stdio: 'ignore' }));
  await until(() => fs.existsSync(agentSocket));
  for (const name of ['named', 'hidden']) spawnSync('ssh-add', ['-q', path.join(rig.dir, name)], { env: { SSH_AUTH_SOCK: agentSocket } });
  const port = sshd === undefined ? 1 : await startSshd(sshd);
  fs.mkdirSync(path.join(rig.home, '.ssh'));
  fs.writeFileSync(
    path.join(rig.home, '.ssh', 'known_hosts'),
    `git.acme.example ${publicKey('host')}\nsecret-customer.example ${publicKey('host')}\n`,
  );
  rig.configure(
    `${fs.readFileSync(path.join(rig.state, 'intramur.yaml'), 'utf8')}signing: { ssh: ["${named}"] }
egress: { allow: [{ host: git.acme.example, ports: [22] }] }
resolve: ["git.acme.example:22:127.0.0.1:${port}"]
`,
  );
});
afterAll(async () => {
  for (const child of started) child.kill();
  if (!hasTools) return;
  fs.rmSync(path.dirname(agentSocket), { recursive: true, force: true });
  await rig.close();
});

async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (await isTrue()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('what the test needs did not start');
}

function command(program: string, ...args: string[]): string {
  return spawnSync(program, args, { encoding: 'utf8' }).stdout;
}

function fingerprint(name: string): string {
  return command('ssh-keygen', '-lf', path.join(rig.dir, `${name}.pub`)).split(' ')[1] ?? '';
}

async function startSshd(program: string): Promise<number> {
  const port = await freePort();
  // sshd wants its own directory and trusts no key file below a directory that others may write to.
  fs.mkdirSync('/run/sshd', { recursive: true });
  const config = path.join(rig.dir, 'sshd_config');
  const authorized = path.join(rig.dir, 'authorized');
  fs.writeFileSync(authorized, `${publicKey('named')}\n${publicKey('hidden')}\n`);
  const lines = ['ListenAddress 127.0.0.1', `Port ${port}`, `HostKey ${path.join(rig.dir, 'host')}`, `AuthorizedKeysFile ${authorized}`];
  fs.writeFileSync(config, [...lines, 'PidFile none', 'UsePAM no', 'StrictModes no', 'PermitRootLogin yes', ''].join('\n'));
  started.push(spawn(program, ['-D', '-f', config], { stdio: 'ignore' }));
  await until(() => canConnect(port));
  return port;
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}

function canConnect(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = net.connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
  return promise.finally(() => socket.destroy());
}

async function inside(script: string) {
  const file = path.join(rig.dir, 'summary.json');
  const outcome = await rig.intramur(['run', '--mode', 'direct', '--summary-json', file, '--', 'bash', '-c', script], {
    env: { SSH_AUTH_SOCK: agentSocket },
  });
  const { session } = JSON.parse(fs.readFileSync(file, 'utf8')) as { session: string };
  const { entries } = JSON.parse((await rig.intramur(['ledger', 'show', '--session', session, '--json'])).stdout) as { entries: Entry[] };
  const uses = entries
    .filter(({ action }) => action === 'secret.use')
    .map(({ decision, detail }) => [decision, detail?.['name'], detail?.['what']]);
  return { ...outcome, uses };
}

/** `ssh-keygen` asks for the list first; a program of another mind asks for the signature at once. Prints the type of the answer. */
const rawSign = `python3 -c '
import base64, os, socket, struct
string = lambda b: struct.pack(">I", len(b)) + b
data = b"SSHSIG" + string(b"git") + string(b"") + string(b"sha512") + string(b"h" * 64)
message = b"\\x0d" + string(base64.b64decode(open("hidden.pub").read().split()[1])) + string(data) + bytes(4)
agent = socket.socket(socket.AF_UNIX)
agent.connect(os.environ["SSH_AUTH_SOCK"])
agent.sendall(string(message))
print(agent.recv(4096)[4])
'`;

describe.skipIf(!hasTools)('an SSH agent inside', () => {
  it('shows the named key only, and not where the user keeps it', async () => {
    const { stdout, uses } = await inside('ssh-add -l; echo "$SSH_AUTH_SOCK"');
    expect(stdout).toContain(named);
    expect(stdout).not.toContain(hidden);
    expect(stdout).not.toContain('@outside');
    expect(stdout).toMatch(/^\/run\/intramur\/ssh-agent$/m);
    expect(uses).toEqual([]);
  });

  it.each([
    ['take a key in', 'ssh-keygen -q -t ed25519 -N "" -f /tmp/k && ssh-add /tmp/k'],
    ['remove the keys', 'ssh-add -D'],
    ['lock itself', 'setsid ssh-add -x </dev/null'],
  ])('does not %s', async (_name, script) => {
    expect((await inside(`${script} >/dev/null 2>&1; echo $?`)).stdout).not.toBe('0\n');
    expect(spawnSync('ssh-add', ['-l'], { env: { SSH_AUTH_SOCK: agentSocket }, encoding: 'utf8' }).stdout).toContain(hidden);
  });

  it('signs with the named key, not with the other, and each is in the ledger', async () => {
    for (const name of ['named', 'hidden']) fs.writeFileSync(path.join(rig.workspace, `${name}.pub`), publicKey(name));
    const { stdout, uses } = await inside(`echo hello | ssh-keygen -Y sign -n git -f named.pub 2>/dev/null | head -1; ${rawSign}`);
    expect(stdout).toBe('-----BEGIN SSH SIGNATURE-----\n5\n');
    expect(uses).toEqual([
      ['allow', `ssh:${named}`, 'signature for git (sha512)'],
      ['deny', `ssh:${hidden}`, 'signature for git (sha512)'],
    ]);
  });

  it('signs no certificate', async () => {
    fs.writeFileSync(path.join(rig.workspace, 'named.pub'), publicKey('named'));
    const { stdout, uses } = await inside(
      'ssh-keygen -q -t ed25519 -N "" -f /tmp/k; ssh-keygen -q -Us named.pub -I evil -n root /tmp/k.pub 2>/dev/null; echo $?; ls /tmp/k-cert.pub 2>&1',
    );
    expect(stdout).toMatch(/No such file/);
    expect(uses).toEqual([['deny', `ssh:${named}`, 'something else']]);
  });

  it.skipIf(sshd === undefined)(
    `logs in to a host by name, and git works over it${sshd === undefined ? ', skipped: no sshd here' : ''}`,
    async () => {
      const repository = path.join(rig.dir, 'repository.git');
      command('git', 'init', '-q', '--bare', repository);
      const { stdout, stderr, uses } = await inside(
        `ssh -o BatchMode=yes ${user}@git.acme.example echo reached; cat ~/.ssh/known_hosts | wc -l
       git init -q -b main w && cd w && git -c user.name=a -c user.email=a@b commit -q --allow-empty -m one &&
       GIT_SSH_COMMAND="ssh -o BatchMode=yes" git push -q ${user}@git.acme.example:${repository} main; echo $?`,
      );
      expect({ stdout, stderr }).toMatchObject({ stdout: 'reached\n1\n0\n' });
      expect(command('git', '-C', repository, 'log', '--format=%s', 'main')).toBe('one\n');
      expect(uses).toEqual([
        ['allow', `ssh:${named}`, `login as ${user}`],
        ['allow', `ssh:${named}`, `login as ${user}`],
      ]);
    },
  );

  it('is not there unless a key is named', async () => {
    const script = 'ls /run/intramur; echo "${SSH_AUTH_SOCK:-none}"';
    const before = fs.readFileSync(path.join(rig.state, 'intramur.yaml'), 'utf8');
    rig.configure(before.replace(/^signing:.*$/m, ''));
    const { stdout } = await rig.intramur(['run', '--mode', 'direct', '--', 'bash', '-c', script], { env: { SSH_AUTH_SOCK: agentSocket } });
    rig.configure(before);
    expect(stdout).toBe('ca.pem\nstart\nnone\n');
  });
});
