// The lines of the user's known_hosts (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT") that are about given hosts. Others would tell the inside
// where else its user works.
import crypto from 'node:crypto';
import fs from 'node:fs';

const maxFileBytes = 1024 * 1024;

export function knownHostsFor(hosts: readonly string[], files: readonly string[]): string {
  const lines = files.flatMap(linesOf).flatMap((line) => {
    const [names = '', type = '', key = ''] = line.trim().split(/\s+/);
    // Markers (@cert-authority, @revoked) speak of more than one host.
    if (names.startsWith('#') || names.startsWith('@') || key === '') return [];
    return hosts.filter((host) => isNamed(host, names)).map((host) => `${host} ${type} ${key}`);
  });
  return [...new Set(lines)].map((line) => `${line}\n`).join('');
}

function isNamed(host: string, names: string): boolean {
  const [, salt, hash] = /^\|1\|([^|]+)\|(.+)$/.exec(names) ?? [];
  if (salt !== undefined) return crypto.createHmac('sha1', Buffer.from(salt, 'base64')).update(host).digest('base64') === hash;
  return names.toLowerCase().split(',').includes(host);
}

function linesOf(file: string): string[] {
  try {
    return fs.statSync(file).size > maxFileBytes ? [] : fs.readFileSync(file, 'utf8').split('\n');
  } catch {
    return [];
  }
}
