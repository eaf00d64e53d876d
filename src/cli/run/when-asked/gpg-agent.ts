// The user's gpg-agent for a session: a socket of the launcher's own inside, behind which the filter stands, and the public halves of the
// keys that may sign. The keyring outside, with everybody else's keys and the trust in them, stays outside.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import type { DaemonClient, OpenReply } from '../../../daemon/index.ts';
import { serveGpgAgent } from '../../../egress/index.ts';
import type { LaunchPlan } from '../../../sandbox/index.ts';
import { privateSocket } from './private-socket.ts';

const pathInside = '/run/intramur/gpg-agent';

export interface SessionGpgAgent {
  readonly sockets: NonNullable<LaunchPlan['sockets']>;
  readonly homeFiles: LaunchPlan['homeFiles'];
  /** Worth saying to the user, one line each. */
  readonly warnings: readonly string[];
  close(): void;
}

interface SecretKey {
  readonly grip: string;
  readonly fingerprint: string;
  /** Of the key that this is, or is a part of. */
  readonly primary: string;
  /** It can sign for keys, not only for data. */
  readonly certifies: boolean;
}

/** `undefined` when gpg is not there, or none of the user's keys may sign. */
export async function openGpgAgent(
  client: DaemonClient,
  { token }: OpenReply,
  { env, workspace }: { readonly env: NodeJS.ProcessEnv; readonly workspace: string },
): Promise<SessionGpgAgent | undefined> {
  const listing = tell(env, 'gpg', '--batch', '--with-colons', '--with-keygrip', '--list-secret-keys');
  const keys = new Map(secretKeys(listing?.toString() ?? '').map((key) => [key.grip, key]));
  const names = new Map([...keys].map(([grip, { fingerprint }]) => [grip, [`gpg:${fingerprint}`, `gpg:${grip}`]] as const));
  const all = [...names.values()].flat();
  const allowed = all.length === 0 ? [] : await client.usableKeys(token, all);
  const usable = [...keys.values()].filter(({ grip }) => names.get(grip)?.some((name) => allowed[all.indexOf(name)] === true));
  const agentSocket = usable.length === 0 ? undefined : socketOf(env);
  if (agentSocket === undefined) return undefined;
  const primaries = [...new Set(usable.map(({ primary }) => primary))];
  const ring = tell(env, 'gpg', '--batch', '--export-options', 'export-minimal', '--export', ...primaries);
  const { socket, close } = await privateSocket(workspace, (connection) => {
    void serveGpgAgent(connection, {
      connect: () => net.connect(agentSocket),
      keys: names,
      usable: (asked) => client.usableKeys(token, asked),
      decide: (name, what) => client.decideSignature(token, { name, what }),
      async refuse(name, refused) {
        await client.decideSignature(token, { name, refused });
      },
    });
  });
  return {
    sockets: [{ source: socket, path: pathInside }],
    homeFiles: [
      // A socket by another name (libassuan): gpg looks for its agent's beside its keyring.
      { path: '.gnupg/S.gpg-agent', text: `%Assuan%\nsocket=${pathInside}\n` },
      { path: '.gnupg/gpg.conf', text: 'no-autostart\n' },
      { path: '.gnupg/pubring.gpg', text: ring ?? '' },
    ],
    warnings: usable
      .filter(({ certifies }) => certifies)
      .map(
        ({ fingerprint }) =>
          `the key ${fingerprint} also signs for keys: name a subkey that only signs, and nothing inside can add to your key`,
      ),
    close,
  };
}

/** Colon format of gpg (doc/DETAILS): `sec` and `ssb` begin a key, `fpr` and `grp` belong to it; field 12 says what it can do, `c` for keys. */
function secretKeys(listing: string): SecretKey[] {
  const found: SecretKey[] = [];
  let primary = '';
  let [fingerprint, certifies, isPrimary, isOwn] = ['', false, false, false];
  for (const line of listing.split('\n')) {
    const fields = line.split(':');
    const [kind = ''] = fields;
    if (kind === 'sec' || kind === 'ssb') {
      isPrimary = kind === 'sec';
      certifies = /c/.test(fields[11] ?? '');
      isOwn = !/^[#>]/.test(fields[14] ?? '');
    } else if (kind === 'fpr') {
      fingerprint = fields[9] ?? '';
      if (isPrimary) primary = fingerprint;
    } else if (kind === 'grp' && isOwn && /^[0-9A-F]{40}$/.test(fields[9] ?? '')) {
      found.push({ grip: fields[9] ?? '', fingerprint, primary, certifies });
    }
  }
  return found;
}

/** The socket for callers from elsewhere, which allows less, where there is one. */
function socketOf(env: NodeJS.ProcessEnv): string | undefined {
  tell(env, 'gpgconf', '--launch', 'gpg-agent');
  return ['agent-extra-socket', 'agent-socket']
    .map((which) => tell(env, 'gpgconf', '--list-dirs', which)?.toString().trim())
    .find((file) => file !== undefined && file !== '' && fs.statSync(file, { throwIfNoEntry: false })?.isSocket());
}

function tell(env: NodeJS.ProcessEnv, program: string, ...args: readonly string[]): Buffer | undefined {
  try {
    return execFileSync(program, args, { env, stdio: ['ignore', 'pipe', 'ignore'], timeout: 10_000, maxBuffer: 16 * 2 ** 20 });
  } catch {
    return undefined;
  }
}
