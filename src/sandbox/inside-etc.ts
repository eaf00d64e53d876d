// What /etc holds inside: names that a program asks for, one certificate authority, and nothing of the host's users or keys.
import type { Mount } from './mount.ts';

/** Where programs inside find our certificate authority. */
export const trustPaths = {
  /** The authority alone (for `NODE_EXTRA_CA_CERTS`). */
  ca: '/run/intramur/ca.pem',
  /** The only bundle: it holds our authority and no other, so that a path around interception fails TLS as well. */
  bundle: '/etc/ssl/certs/ca-certificates.crt',
  java: '/etc/ssl/certs/java/cacerts',
} as const;

/** Where the distributions look for the bundle; each is a link to ours. */
const bundleLinks = [
  '/etc/ssl/cert.pem', // OpenSSL's own default, Alpine
  '/etc/ssl/ca-bundle.pem', // SUSE
  '/etc/pki/tls/cert.pem', // Fedora
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
];
const javaLinks = ['/etc/pki/java/cacerts', '/etc/pki/ca-trust/extracted/java/cacerts'];

/** Taken from the host as they are, read-only: what the loader, the C library, shells and editors need. None of them holds a secret. */
export const hostEtc: readonly string[] = [
  '/etc/alternatives',
  '/etc/ld.so.cache',
  '/etc/mime.types',
  '/etc/os-release',
  '/etc/protocols',
  '/etc/services',
  '/etc/terminfo',
  '/etc/inputrc',
  '/etc/profile',
  '/etc/bash.bashrc',
  '/etc/bashrc',
  '/etc/zsh',
  '/etc/fonts',
  '/etc/ssl/openssl.cnf',
  '/etc/pki/tls/openssl.cnf',
  '/etc/crypto-policies',
];

export interface Identity {
  readonly userName: string;
  readonly hostName: string;
  readonly home: string;
  readonly uid: number;
  readonly gid: number;
  readonly shell: string;
}

/** @param timeZone a zone file of the host, below /usr; @param javaStore where a JDK is visible inside, our authority as it reads it */
export function insideEtc(identity: Identity, caPem: string, timeZone: string | undefined, javaStore: Uint8Array | undefined): Mount[] {
  const { userName, hostName, home, uid, gid, shell } = identity;
  const texts: [string, string][] = [
    ['/etc/passwd', passwd([['root', 0, 0, '/root', '/usr/sbin/nologin'], [userName, uid, gid, home, shell], nobody])],
    ['/etc/group', `root:x:0:\n${userName}:x:${gid}:\nnogroup:x:65534:\n`],
    ['/etc/hostname', `${hostName}\n`],
    ['/etc/hosts', `127.0.0.1\tlocalhost ${hostName}\n::1\tlocalhost ip6-localhost ip6-loopback\n`],
    // One attempt: our answerer is on this machine, and what it does not answer it never will.
    ['/etc/resolv.conf', 'nameserver 127.0.0.1\noptions timeout:2 attempts:1\n'],
    ['/etc/nsswitch.conf', 'passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nservices: files\nprotocols: files\n'],
    // Owner and inode of a file may look different inside; git would read every file again to see that it is the same.
    ['/etc/gitconfig', '[core]\n\tcheckStat = minimal\n'],
    ['/etc/machine-id', `${'0'.repeat(32)}\n`],
    [trustPaths.bundle, caPem],
    [trustPaths.ca, caPem],
  ];
  const file = (path: string, content: Uint8Array): Mount => ({ kind: 'file', path, content, mode: 0o644 });
  return [
    ...texts.map(([path, text]) => file(path, Buffer.from(text))),
    ...bundleLinks.map((path): Mount => ({ kind: 'symlink', target: trustPaths.bundle, path })),
    ...(javaStore
      ? [file(trustPaths.java, javaStore), ...javaLinks.map((path): Mount => ({ kind: 'symlink', target: trustPaths.java, path }))]
      : []),
    ...(timeZone === undefined ? [] : [{ kind: 'symlink', target: timeZone, path: '/etc/localtime' } as const]),
    { kind: 'symlink', target: '/proc/mounts', path: '/etc/mtab' },
  ];
}

const nobody: readonly [string, number, number, string, string] = ['nobody', 65534, 65534, '/nonexistent', '/usr/sbin/nologin'];

function passwd(users: readonly (readonly [string, number, number, string, string])[]): string {
  return users.map(([name, uid, gid, home, shell]) => `${name}:x:${uid}:${gid}::${home}:${shell}\n`).join('');
}
