// What doctor says of a machine that forbids namespaces, and the profile that it proposes: from facts, without such a machine.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { installProfile, profilePlan } from './apparmor.ts';
import { type MachineFacts, surroundingsOf } from './surroundings.ts';

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'intramur-apparmor-'));
afterAll(() => fs.rmSync(scratch, { recursive: true, force: true }));

function machine(files: Readonly<Record<string, string>>): MachineFacts {
  return { read: (file) => files[file], exists: (file) => Object.hasOwn(files, file) };
}

describe('the surroundings of a machine', () => {
  const osrelease = '/proc/sys/kernel/osrelease';
  it.each<[string, Readonly<Record<string, string>>, readonly string[]]>([
    ['a plain Linux', { [osrelease]: '6.1.0-18-amd64\n', '/proc/1/cgroup': '0::/init.scope\n' }, []],
    [
      'Ubuntu 24.04',
      { [osrelease]: '6.8.0-31-generic\n', '/proc/sys/kernel/apparmor_restrict_unprivileged_userns': '1\n' },
      ['apparmor-userns'],
    ],
    ['Ubuntu with the restriction off', { '/proc/sys/kernel/apparmor_restrict_unprivileged_userns': '0\n' }, []],
    ['docker', { '/.dockerenv': '' }, ['container']],
    ['podman', { '/run/.containerenv': '' }, ['container']],
    ['kubernetes', { '/proc/1/cgroup': '0::/kubepods.slice/x\n' }, ['container']],
    ['systemd-nspawn', { '/proc/1/environ': 'TERM=x\0container=systemd-nspawn\0' }, ['container']],
    ['WSL 1', { [osrelease]: '4.4.0-19041-Microsoft\n' }, ['wsl1']],
    ['WSL 2', { [osrelease]: '5.15.90.1-microsoft-standard-WSL2\n' }, ['wsl2']],
  ])('%s', (_name, files, expected) => {
    expect(surroundingsOf(machine(files)).map(({ kind }) => kind)).toEqual(expected);
  });
});

describe('the profile', () => {
  const facts = (name: string, files: Readonly<Record<string, string>> = {}) => {
    const directory = path.join(scratch, name);
    fs.mkdirSync(directory, { recursive: true });
    for (const [file, text] of Object.entries(files)) fs.writeFileSync(path.join(directory, file), text);
    return { directory, cacheDir: '/home/alice/.cache/intramur', home: '/home/alice', bwrap: '/usr/bin/bwrap' };
  };

  it('is for the init in every home and for bubblewrap, and says what that means', () => {
    const { text, notes, file } = profilePlan(facts('plain'));
    expect(path.basename(file)).toBe('intramur');
    expect(text).toMatch(/^abi <abi\/4\.0>,\ninclude <tunables\/global>$/m);
    expect(text).toContain('profile intramur-init "@{HOME}/.cache/intramur/init/*" flags=(unconfined) {\n  userns,\n');
    expect(text).toContain('profile intramur-bwrap "/usr/bin/bwrap" flags=(unconfined) {\n  userns,\n');
    expect(notes.join('\n')).toContain('whoever may start /usr/bin/bwrap may make user namespaces');
  });

  it("leaves the system's own profile of bubblewrap alone", () => {
    const { text, notes } = profilePlan(
      facts('own', { 'bwrap-userns-restrict': 'profile bwrap /usr/bin/bwrap flags=(attach_disconnected) {\n}\n' }),
    );
    expect(text).not.toContain('intramur-bwrap');
    expect(notes.join('\n')).toContain('has a profile already');
  });

  it('names a cache elsewhere as it is, and refuses a path that would write the profile', () => {
    expect(profilePlan({ ...facts('else'), cacheDir: '/var/cache/x' }).text).toContain('"/var/cache/x/init/*"');
    expect(() => profilePlan({ ...facts('evil'), cacheDir: '/home/alice/a" {}\nprofile evil' })).toThrow('no profile can name');
  });

  it('is nothing where AppArmor has no place', () => {
    expect(() => profilePlan({ ...facts('none'), directory: path.join(scratch, 'absent') })).toThrow('AppArmor is not what restricts');
  });

  it('is written and loaded, and a kernel that does not take it is a fault', () => {
    const plan = profilePlan(facts('install'));
    const ran: string[][] = [];
    installProfile(plan, (program, args) => ran.push([program, ...args]) > 0);
    expect([fs.readFileSync(plan.file, 'utf8'), ran]).toEqual([plan.text, [['apparmor_parser', '--replace', '--write-cache', plan.file]]]);
    expect(() => installProfile(plan, () => false)).toThrow('did not load');
  });
});
