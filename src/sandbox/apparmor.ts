// The AppArmor profiles that let the sandbox make user namespaces where Ubuntu restricts them (apparmor.d(5)): one for the init's fixed
// place, one for bubblewrap where the system brings none. They permit nothing else than a program without a profile may do.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { IntramurError, product } from '../core/index.ts';

export interface ProfilePlan {
  /** Where the profile goes. */
  readonly file: string;
  readonly text: string;
  /** What it means for the machine, for the person who decides. */
  readonly notes: readonly string[];
}

export interface ProfileFacts {
  /** `/etc/apparmor.d` outside tests. */
  readonly directory: string;
  readonly cacheDir: string;
  readonly home: string;
  readonly bwrap: string;
}

/** @throws IntramurError SANDBOX_UNAVAILABLE when AppArmor has no place for profiles here, USAGE for a path that no profile can name */
export function profilePlan({ directory, cacheDir, home, bwrap }: ProfileFacts): ProfilePlan {
  const others = profilesIn(directory);
  const init = path.join(cacheDir, 'init');
  // The home of whoever runs it, where that is where the cache lies: one profile then serves every user of the machine.
  const below = path.relative(home, init);
  const place = below.startsWith('..') ? init : `@{HOME}/${below}`;
  for (const name of [place, bwrap]) {
    if (!/^[\w@{}/.+-]+$/.test(name)) throw new IntramurError('USAGE', `no profile can name the path ${JSON.stringify(name)}`);
  }
  const other = others.find(({ text }) => text.split('\n').some((line) => /^\s*profile\b/.test(line) && line.includes(bwrap)));
  const profiles = [profile(`${product.name}-init`, `${place}/*`), ...(other ? [] : [profile(`${product.name}-bwrap`, bwrap)])];
  return {
    file: path.join(directory, product.name),
    text: [
      `# Lets ${product.title} make the user namespaces that its sandbox is made of. Written by ${product.name} doctor --fix.`,
      'abi <abi/4.0>,',
      'include <tunables/global>',
      '',
      ...profiles,
    ].join('\n'),
    notes: [
      `programs in ${place} may make user namespaces; the directory belongs to the user and is closed to others`,
      other
        ? `${bwrap} has a profile already (${other.file}), which stays as it is`
        : `whoever may start ${bwrap} may make user namespaces with it, as on other distributions`,
    ],
  };
}

function profile(name: string, attachment: string): string {
  return [`profile ${name} "${attachment}" flags=(unconfined) {`, '  userns,', `  include if exists <local/${name}>`, '}', ''].join('\n');
}

function profilesIn(directory: string): { readonly file: string; readonly text: string }[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name !== product.name)
      .map(({ name }) => ({ file: path.join(directory, name), text: readFileSync(path.join(directory, name), 'utf8') }));
  } catch (cause) {
    throw new IntramurError('SANDBOX_UNAVAILABLE', `there is no ${directory}: AppArmor is not what restricts this machine`, { cause });
  }
}

/** Runs one program and says whether it succeeded. */
export type Runner = (program: string, args: readonly string[]) => boolean;

const runner: Runner = (program, args) => spawnSync(program, [...args], { stdio: ['ignore', 'inherit', 'inherit'] }).status === 0;

/** Writes the profile and loads it. @throws IntramurError SANDBOX_UNAVAILABLE when it may not, or the kernel does not take it */
export function installProfile({ file, text }: ProfilePlan, run: Runner = runner): void {
  try {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text, { mode: 0o644 });
  } catch (cause) {
    throw new IntramurError('SANDBOX_UNAVAILABLE', `${file} could not be written`, { cause, hint: `sudo ${product.name} doctor --fix` });
  }
  if (run('apparmor_parser', ['--replace', '--write-cache', file])) return;
  throw new IntramurError('SANDBOX_UNAVAILABLE', `apparmor_parser did not load ${file}`, { hint: 'apt-get install apparmor' });
}
