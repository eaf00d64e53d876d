import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { createAuthority, makeAuthority } from './authority.ts';
import { has } from './rig.ts';

const now = new Date('2026-03-01T12:00:00Z');
const authority = createAuthority(makeAuthority(now));
const root = new X509Certificate(authority.pem);

describe('the session authority', () => {
  it('is an authority, for end entities only, and signs itself', () => {
    expect(root.ca).toBe(true);
    expect(root.verify(root.publicKey)).toBe(true);
    expect(root.subject).toMatch(/^CN=Intramur session authority [0-9a-f]{8}$/);
    expect([new Date(root.validFrom), new Date(root.validTo)]).toEqual([
      new Date('2026-03-01T11:00:00Z'),
      new Date('2026-03-31T12:00:00Z'),
    ]);
  });

  it('differs from session to session, key and name', () => {
    const other = new X509Certificate(createAuthority(makeAuthority(now)).pem);
    expect(other.subject).not.toBe(root.subject);
    expect(new X509Certificate(authority.issue('a.example')).verify(other.publicKey)).toBe(false);
  });

  it('is valid over the turn of 2050, where the form of time changes', () => {
    const late = new X509Certificate(createAuthority(makeAuthority(new Date('2049-12-20T00:00:00Z'))).pem);
    expect(new Date(late.validTo)).toEqual(new Date('2050-01-19T00:00:00Z'));
  });

  it.each([
    'a.example',
    'xn--bcher-kva.example',
    'my_service',
    `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(50)}.example`,
  ])('answers as %s', (host) => {
    const leaf = new X509Certificate(authority.issue(host));
    expect(leaf.verify(root.publicKey)).toBe(true);
    expect(leaf.checkIssued(root)).toBe(true);
    expect(leaf.ca).toBe(false);
    expect(leaf.subjectAltName).toBe(`DNS:${host}`);
    expect(leaf.checkHost('other.example')).toBeUndefined();
    expect(leaf.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
  });

  it.each([
    ['1.1.1.1', '1.1.1.1'],
    ['169.254.169.254', '169.254.169.254'],
    ['::1', '::1'],
    ['2606:4700::1111', '2606:4700::1111'],
    ['fe80:1:2:3:4:5:6:7', 'fe80:1:2:3:4:5:6:7'],
    ['64:ff9b::102:304', '64:ff9b::1.2.3.4'],
  ])('answers as the address %s', (host, asked) => {
    const leaf = new X509Certificate(authority.issue(host));
    expect(leaf.verify(root.publicKey)).toBe(true);
    expect(leaf.checkIP(asked)).toBe(asked);
    expect(leaf.checkIP('8.8.8.8')).toBeUndefined();
  });

  it('keeps a context for each name, and not for ever', () => {
    const first = authority.contextFor('kept.example');
    expect(authority.contextFor('kept.example')).toBe(first);
    for (let i = 0; i < 1024; i += 1) authority.contextFor(`n${i}.example`);
    expect(authority.contextFor('kept.example')).not.toBe(first);
  });

  it('holds no private key in what is written to disk', () => {
    expect(authority.pem).not.toContain('PRIVATE');
    expect(JSON.stringify(authority)).not.toContain('PRIVATE');
  });

  it.skipIf(!has('openssl'))('is accepted by OpenSSL under its strict rules', () => {
    const dir = mkdtempSync(path.join(tmpdir(), 'authority-'));
    const current = createAuthority(makeAuthority(new Date()));
    try {
      writeFileSync(path.join(dir, 'ca.pem'), current.pem);
      writeFileSync(path.join(dir, 'leaf.pem'), current.issue('a.example'));
      const args = [
        'verify',
        '-x509_strict',
        '-check_ss_sig',
        '-purpose',
        'sslserver',
        '-verify_hostname',
        'a.example',
        '-CAfile',
        'ca.pem',
        'leaf.pem',
      ];
      expect(execFileSync('openssl', args, { cwd: dir, encoding: 'utf8' })).toBe('leaf.pem: OK\n');
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});
